"""What speech servers want to be asked, each in its own words."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from webui.audio.convert import to_wav_bytes
from webui.engines.cosyvoice_text import MARK, PREAMBLE, bracketed, unsaid
from webui.engines.cosyvoice_voices import LANGUAGES, TRAINED, check_clip, preset, text_capabilities
from webui.engines.house_voices import house_voices
from webui.engines.instructions import instruction
from webui.engines.protocols import SpeechRequest
from webui.errors import EngineError
from webui.text import marks
from webui.text.marks import Reading
from webui.text.script import language_of
from webui.text.spoken import in_words
from webui.types import Voice

WORLD = ("en", "zh", "ja", "ko", "de", "fr", "ru", "pt", "es", "it")
LANGUAGE_NAMES = {
    "en": "English", "zh": "Chinese", "ja": "Japanese", "ko": "Korean", "de": "German", "fr": "French",
    "ru": "Russian", "pt": "Portuguese", "es": "Spanish", "it": "Italian",
}  # fmt: skip
OPENAI_VOICES = "alloy ash ballad coral echo fable nova onyx sage shimmer verse marin cedar".split()
DASHSCOPE_VOICES = "Cherry Ethan Serena Chelsie Jennifer Ryan Katerina Elias Dylan Jada Sunny".split()
# CosyVoice there: each model has voices of its own, and is told a tone in one form only.
DASHSCOPE_COSYVOICES = {"cosyvoice-v2": "longxiaochun_v2 longxiaoxia_v2", "": "longanyang longanhuan"}
DASHSCOPE_TONES = ("happy", "sad", "angry")

_NO_CLONE = "This server speaks with its own voices only; cloning a voice needs another one."
_NO_STYLE = "This server takes no styles; its voices find the tone in the words."
_NO_SEED = "This server takes no seed; it says the same words anew each time."
# What holds for all of them, where a dialect does not know better. Loudness is changed here.
_COMMON: Mapping[str, bool | str] = {
    "energy": True,
    "pitch": "This server does not change a voice's pitch.",
    "tokens": "This server says words only; breath, laughter and stress are left out.",
    "readings": "This server cannot be told how to say a word.",
    "seed": _NO_SEED,
    "blend": "This server cannot mix its voices.",
    "prosody": "This server cannot give a voice the melody of another.",
    "convert": "This server cannot put a voice on a recording; a worker of this program can.",
    "clone": _NO_CLONE,
}


@dataclass(frozen=True)
class Ask:
    """One question to a server: ``path`` below its address, ``content`` for httpx, and the speed that it was told."""

    path: str
    content: Mapping[str, Any]
    speed: float = 1.0


class Dialect(Protocol):
    """How one kind of server is asked. ``rate`` is that of headerless sound which no header describes, in Hz."""

    @property
    def title(self) -> str:
        """Its name, for people."""
        ...

    @property
    def rate(self) -> int:
        """See above."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of what it speaks."""
        ...

    @property
    def voices(self) -> tuple[Voice, ...]:
        """At least one."""
        ...

    @property
    def capabilities(self) -> Mapping[str, bool | str]:
        """As in ``EngineInfo``."""
        ...

    def ask(self, text: str, request: SpeechRequest, speed: float) -> Ask:
        """The question for ``text``, a piece of ``request.text``, at ``speed`` where the server can."""
        ...


@dataclass(frozen=True)
class CosyVoiceServer:
    """CosyVoice's own FastAPI server: a form in, headerless 16-bit PCM out.

    It does not tell which generation it runs: ``model``, a name such as CosyVoice-300M-SFT, CosyVoice2-0.5B or
    Fun-CosyVoice3-0.5B, does. The first has 22,050 Hz and, tuned, seven voices; the others have 24,000 Hz, speak with
    a voice from a clip, and are taken for the second generation where nothing is told.
    """

    model: str
    routes: frozenset[str]
    title: str = field(default="CosyVoice", init=False)

    @property
    def generation(self) -> int:
        """1, 2 or 3."""
        if match := re.search(r"cosyvoice-?v?([123])(?!\d)", self.model, re.IGNORECASE):
            return int(match[1])
        return 1 if re.search(r"300m|25hz", self.model, re.IGNORECASE) else 2

    @property
    def rate(self) -> int:
        """Of what it sends, in Hz."""
        return 22_050 if self.generation == 1 else 24_000

    @property
    def languages(self) -> tuple[str, ...]:
        """What it speaks."""
        return LANGUAGES[self.generation]

    @property
    def voices(self) -> tuple[Voice, ...]:
        """The tuned ones of the first generation; else our own clips to speak after."""
        if self.generation == 1 and re.search("sft|instruct", self.model, re.IGNORECASE):
            return tuple(preset(name, self.generation) for name in TRAINED)
        return house_voices(self.languages)

    @property
    def capabilities(self) -> Mapping[str, bool | str]:
        """By generation and routes."""
        told = "inference_instruct2" in self.routes and self.generation > 1
        told = told or (self.generation == 1 and "instruct" in self.model.lower())
        marked = text_capabilities(self.generation)
        return {**_COMMON, "styles": told or _NO_STYLE, "instruction": told or _NO_STYLE, **marked, "clone": True}

    def ask(self, text: str, request: SpeechRequest, speed: float) -> Ask:
        """A form for the route that fits voice and style."""
        text = _cosyvoice_text(text, _language(request, marks.shown(text)))
        words = _instruction(request, text) if self.capabilities["styles"] is True else ""
        prefix = PREAMBLE if self.generation == 3 else ""
        voice = request.voice
        if voice.sample is None:
            form = {"tts_text": text, "spk_id": voice.id}
            if words and self.generation == 1:
                return Ask("/inference_instruct", {"data": {**form, "instruct_text": words + MARK}})
            return Ask("/inference_sft", {"data": form})
        clip = {"files": {"prompt_wav": ("prompt.wav", to_wav_bytes(voice.sample), "audio/wav")}}
        if words and self.generation > 1:
            told = f"{prefix} {words}".strip() + MARK
            return Ask("/inference_instruct2", {"data": {"tts_text": text, "instruct_text": told}, **clip})
        lead = prefix + MARK if prefix else ""
        if voice.sample_text:
            return Ask(
                "/inference_zero_shot", {"data": {"tts_text": text, "prompt_text": lead + voice.sample_text}, **clip}
            )
        return Ask("/inference_cross_lingual", {"data": {"tts_text": lead + text}, **clip})


@dataclass(frozen=True)
class OpenAISpeech:
    """OpenAI's ``/v1/audio/speech``, with whatever ``fields`` this server takes beyond it.

    vLLM-Omni and SGLang-Omni clone voices (``ref_audio``, ``ref_text``) and stream where they are told to, but not at
    another speed; OpenAI streams anyway.
    """

    model: str
    path: str
    owner: str
    fields: frozenset[str]
    listed: tuple[str, ...] = ()
    rate: int = field(default=24_000, init=False)
    languages: tuple[str, ...] = field(default=WORLD, init=False)

    @property
    def title(self) -> str:
        """What it is, with its model."""
        return self.model or "OpenAI"

    @property
    def voices(self) -> tuple[Voice, ...]:
        """What it lists; else OpenAI's for OpenAI's models, our own clips where it clones, or one without a name."""
        names = self.listed
        if not names and re.match(r"tts-1|gpt-", self.model):
            names = tuple(OPENAI_VOICES)
        if not names and self._clones:
            return house_voices(self.languages)
        return tuple(Voice(name, name, self.languages) for name in names) or (
            Voice("default", "Default", self.languages),
        )

    @property
    def capabilities(self) -> Mapping[str, bool | str]:
        """By its fields."""
        told = "instructions" in self.fields and not self.model.startswith("tts-1")
        return {
            **_COMMON,
            "styles": told or _NO_STYLE,
            "instruction": told or _NO_STYLE,
            "clone": self._clones or _NO_CLONE,
            "seed": "seed" in self.fields or _NO_SEED,
        }

    @property
    def _clones(self) -> bool:
        return "ref_audio" in self.fields

    def ask(self, text: str, request: SpeechRequest, speed: float) -> Ask:
        """JSON, for sound in pieces where the server can."""
        body: dict[str, Any] = {"model": self.model, "input": text, "response_format": "pcm"}
        voice = request.voice
        if voice.sample is not None:
            body["ref_audio"] = "data:audio/wav;base64," + base64.b64encode(to_wav_bytes(voice.sample)).decode()
            if voice.sample_text:
                body["ref_text"] = voice.sample_text
        if voice.sample is None and voice.id != "default":
            body["voice"] = voice.id
        elif self.owner == "sglang-omni":
            body["voice"] = "default"
        elif not self._clones:
            body["voice"] = OPENAI_VOICES[0]  # the protocol wants one
        if self.capabilities["styles"] is True and (words := _instruction(request, text)):
            body["instructions"] = words
        if self._clones and "language" in self.fields:
            body["language"] = LANGUAGE_NAMES.get(_language(request, text), "Auto")
        if request.seed is not None and "seed" in self.fields:
            body["seed"] = request.seed
        if "stream" in self.fields:
            body["stream"] = True
        if "stream_format" in self.fields:
            body["stream_format"] = "audio"
            if self.owner == "vllm":
                body["response_format"] = "wav"  # has the rate in its header, which differs by model
        told = speed if "speed" in self.fields and not self._clones else 1.0
        if told != 1.0:
            body["speed"] = told
        return Ask(self.path, {"json": body}, told)


@dataclass(frozen=True)
class DashScope:
    """DashScope's own speech API (Qwen-TTS): JSON in, base64 PCM in events out."""

    model: str
    title: str = field(default="DashScope", init=False)
    rate: int = field(default=24_000, init=False)
    languages: tuple[str, ...] = field(default=WORLD, init=False)

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Those that its models have had from the beginning; it lists none."""
        return tuple(Voice(name, name, self.languages) for name in DASHSCOPE_VOICES)

    @property
    def capabilities(self) -> Mapping[str, bool | str]:
        """By the model's name."""
        told = "instruct" in self.model
        return {**_COMMON, "styles": told or _NO_STYLE, "instruction": told or _NO_STYLE}

    def ask(self, text: str, request: SpeechRequest, speed: float) -> Ask:
        """JSON, for events."""
        told = {"text": text, "voice": request.voice.id}
        told["language_type"] = LANGUAGE_NAMES.get(_language(request, text), "Auto")
        if self.capabilities["styles"] is True and (words := _instruction(request, text)):
            told["instructions"] = words
        return _for_events("/services/aigc/multimodal-generation/generation", self.model, told)


@dataclass(frozen=True)
class DashScopeCosyVoice:
    """CosyVoice on DashScope: JSON in, base64 PCM in events out, at any speed."""

    model: str
    title: str = field(default="CosyVoice (DashScope)", init=False)
    rate: int = field(default=24_000, init=False)
    languages: tuple[str, ...] = field(default=("zh", "en"), init=False)

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Some of the model's; it lists none."""
        names = DASHSCOPE_COSYVOICES.get(self.model, DASHSCOPE_COSYVOICES[""])
        return tuple(Voice(name, name, self.languages) for name in names.split())

    @property
    def capabilities(self) -> Mapping[str, bool | str]:
        """The second generation takes no tones."""
        return {**_COMMON, "styles": self.model != "cosyvoice-v2" or _NO_STYLE, "instruction": _NO_STYLE}

    def ask(self, text: str, request: SpeechRequest, speed: float) -> Ask:
        """JSON, for events."""
        rate = min(max(speed, 0.5), 2.0)
        told: dict[str, Any] = {"text": text, "voice": request.voice.id, "format": "pcm", "sample_rate": self.rate}
        if rate != 1.0:
            told["rate"] = rate
        if self.capabilities["styles"] is True and request.style.name in DASHSCOPE_TONES:
            told["instruction"] = f"你说话的情感是{request.style.name}。"
        return replace(_for_events("/services/audio/tts/SpeechSynthesizer", self.model, told), speed=rate)


def _for_events(path: str, model: str, told: Mapping[str, Any]) -> Ask:
    return Ask(path, {"json": {"model": model, "input": told}, "headers": {"X-DashScope-SSE": "enable"}})


def _language(request: SpeechRequest, text: str) -> str:
    return language_of(text) if request.language == "auto" else request.language


def _instruction(request: SpeechRequest, text: str) -> str:
    return instruction(request.style, _language(request, text))


def _cosyvoice_text(text: str, language: str) -> str:
    """``text`` with numbers read where CosyVoice reads them wrong, and readings in its brackets."""
    parts = (in_words(part, language) if isinstance(part, str) else part for part in marks.parse(text))
    return "".join(
        part if isinstance(part, str) else bracketed(part) if isinstance(part, Reading) else marks.written(part)
        for part in parts
    )


def marked(dialect: Dialect, text: str) -> str:
    """``text`` with those of its marks that ``dialect``'s server takes.

    Raises ``EngineError`` for a reading where it takes none.
    """
    able = dialect.capabilities
    if able["readings"] is not True:
        for part in marks.parse(text):
            if isinstance(part, Reading):
                raise unsaid(part)
    names = (*marks.SOUNDS, *marks.STRETCHES)
    return marks.without(text, {name for name in names if able.get(f"token_{name}", able["tokens"]) is True})


def check(dialect: Dialect, voice: Voice) -> None:
    """Raise ``EngineError`` where ``dialect``'s server cannot speak with ``voice``, ``AudioError`` for a bad clip."""
    if voice.sample is not None:
        if dialect.capabilities["clone"] is not True:
            raise EngineError("speech_no_clone", "This server cannot clone a voice: choose one of its own.")
        check_clip(voice.sample)
    elif voice.kind == "cloned" or all(voice.id != known.id for known in dialect.voices):
        raise EngineError(
            "voice_missing", f"The voice {voice.id[:40]} is not there; choose another.", voice=voice.id[:40]
        )
