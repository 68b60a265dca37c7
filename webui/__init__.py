"""FunAudio WebUI: hear (SenseVoice), think (any LLM), answer aloud (CosyVoice), in a browser."""

__version__ = "0.1.0"
