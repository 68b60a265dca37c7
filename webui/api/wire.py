"""How the house's types look as JSON on the wire."""

from __future__ import annotations

import base64
from dataclasses import asdict, replace
from typing import Any

from webui.audio.convert import peaks, to_pcm16
from webui.engines.choosing import Sentence
from webui.engines.protocols import EngineInfo, Synthesizer
from webui.engines.registry import Engines
from webui.types import Audio, Segment, SpeechChunk, Transcript, Word
from webui.voices.saved import SavedVoice

PEAKS = 240  # of a turn's waveform


def segment_json(segment: Segment) -> dict[str, Any]:
    """A segment with its tags by name and times in seconds; the speaker's voice features stay here."""
    data = asdict(segment)
    del data["voice"]
    return data


def heard_json(audio: Audio, transcript: Transcript, rich: str) -> dict[str, Any]:
    """What was heard in a turn, and its waveform as peaks in [0, 1]."""
    return {
        "duration": round(audio.duration, 3),
        "peaks": peaks(audio, PEAKS),
        "language": transcript.language,
        "emotion": transcript.emotion,
        "rich": rich,
        "segments": [segment_json(s) for s in transcript.segments],
    }


def chunk_json(chunk: SpeechChunk, style: str) -> dict[str, Any]:
    """What a piece of speech says, word by word, times in seconds from its start."""
    return {"text": chunk.text, "style": style, "words": [_word(w) for w in chunk.words]}


def pcm16_base64(audio: Audio) -> str:
    """Little-endian 16-bit mono samples at the audio's own rate."""
    return base64.b64encode(to_pcm16(audio.samples).tobytes()).decode()


def engines_json(engines: Engines) -> list[dict[str, Any]]:
    """Every job's engine, and what it could be switched to. A sentence is ``[key, values]`` of the label table."""
    return [
        {
            "job": choice.job,
            "engine": choice.name,
            "why": _sentence(choice.why),
            "missing": _sentence(choice.missing),
            "better": _sentence(choice.better),
            "options": [{"name": o.name, "lacks": _sentence(o.lacks)} for o in engines.options(choice.job)],
            **_info(engines.get(choice.job).info),
        }
        for choice in engines.choices
    ]


def voices_json(synthesizer: Synthesizer) -> list[dict[str, Any]]:
    """The voices that can be chosen."""
    return [asdict(replace(voice, sample=None)) for voice in synthesizer.voices()]


def saved_json(saved: SavedVoice) -> dict[str, Any]:
    """A voice of somebody's library as the page lists it."""
    voice = saved.voice
    return {
        "id": saved.id,
        "name": saved.name,
        "languages": list(voice.languages),
        "gender": voice.gender,
        "kind": voice.kind,
        "licence": voice.licence,
        "tags": list(saved.tags),
        "saved": True,
        "similarity": saved.similarity,
    }


def _sentence(sentence: Sentence | None) -> list[Any] | None:
    return None if sentence is None else [sentence.key, dict(sentence.values)]


def _info(info: EngineInfo) -> dict[str, Any]:
    return {**asdict(info), "languages": list(info.languages), "capabilities": dict(info.capabilities)}


def _word(word: Word) -> dict[str, Any]:
    return {"text": word.text, "start": round(word.start, 3), "end": round(word.end, 3)}
