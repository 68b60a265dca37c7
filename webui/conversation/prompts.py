"""What the chat model is told: who it is, how it heard the person, and how to say its tone."""

from __future__ import annotations

from webui.types import STYLES, Emotion, Event, Transcript

# Persona id -> what the model is told. The ids' names stand in the page's label table (persona_<id>).
PERSONAS = {
    "friend": "You are a warm, attentive friend on a voice call.",
    "assistant": "You are a capable, to-the-point voice assistant.",
    "teacher": "You are a patient language teacher on a voice call: you correct gently and explain simply.",
    "storyteller": "You are a lively storyteller who paints small scenes with words.",
}

LANGUAGE_NAMES = {
    "en": "English", "zh": "Chinese", "ja": "Japanese", "ko": "Korean", "yue": "Cantonese", "fr": "French",
    "es": "Spanish", "it": "Italian", "pt": "Portuguese", "hi": "Hindi", "de": "German", "ru": "Russian",
}  # fmt: skip

_RULES = (
    "You hear the user's words and, in a note in square brackets, how their voice sounded. Answer what they say, "
    "kindly when they sound sad, calmly when they sound angry, gladly when they sound happy. Never mention the note. "
    "Answer in one to three short spoken sentences: no lists, no markdown, no emoji, no stage directions. "
    "Begin each answer with the tone of voice to say it in, in angle brackets, one of "
    + " ".join(f"<{style}>" for style in STYLES if style != "whisper")
    + ". For example: <calm> I am sorry, that sounds hard. Do you want to talk about it?"
)


def system_prompt(persona: str) -> str:
    """The system message. The same text for every turn of a conversation, so that its prefix stays cached."""
    return f"{persona.strip()} {_RULES}"


def user_message(text: str, transcript: Transcript | None, reply_language: str) -> str:
    """The person's words with a note on their voice and on the language to answer in (a code)."""
    notes = []
    if transcript is not None:
        notes.append("voice: " + _voice(transcript))
    if name := LANGUAGE_NAMES.get(reply_language):
        notes.append(f"answer in {name}")
    return f"[{'; '.join(notes)}]\n{text}" if notes else text


def _voice(transcript: Transcript) -> str:
    sounds = []
    if transcript.emotion not in (Emotion.EMO_UNKNOWN, Emotion.OTHER):
        sounds.append(transcript.emotion.value.lower())
    known = [s.arousal for s in transcript.segments if s.arousal is not None]
    if known:
        level = sum(known) / len(known)
        sounds += ["energetic"] if level > 0.7 else ["calm"] if level < 0.3 else []
    quiet = {Event.SPEECH, Event.EVENT_UNK, Event.GBG, Event.SPEECH_NOISE}
    sounds += [f"{e.value.lower()} heard" for e in dict.fromkeys(s.event for s in transcript.events) if e not in quiet]
    return ", ".join(sounds) or "ordinary"
