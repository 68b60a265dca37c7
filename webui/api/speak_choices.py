"""What the Speak page can choose from: the engine that speaks, its voices, and what it can and cannot do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from webui.api.clips import MAX_CLIP_SECONDS, MAX_UPLOAD_BYTES
from webui.api.wire import saved_json
from webui.engines.protocols import EngineInfo, Synthesizer
from webui.engines.registry import Engines
from webui.features.speak import MAX_CHARACTERS
from webui.features.takefile import FORMATS
from webui.features.takes import MAX_TAKES
from webui.text.marks import TOKENS
from webui.types import STYLES, Voice
from webui.voices.library import VoiceLibrary

# What the page has a control for -> the capability that it needs.
CONTROLS = {
    "instruction": "instruction",
    "pitch": "pitch",
    "energy": "energy",
    "prosody": "prosody",
    "blend": "blend",
    "clone": "clone",
    "convert": "convert",
    "match": "blend",
    "readings": "readings",
    "seed": "seed",
    "words": "words",
}


def choices(engines: Engines, library: VoiceLibrary) -> dict[str, Any]:
    """All of it."""
    synthesizer = cast(Synthesizer, engines.get("synthesizer"))
    presets = [_voice(voice) for voice in synthesizer.voices()]  # a server that was asked says what it can, too
    info = synthesizer.info
    return {
        "engine": {"name": info.name, "licence": info.licence, "device": info.device},
        "voices": [*(saved_json(saved) for saved in library.list()), *presets],
        "styles": styles(info.capabilities),
        "tokens": tokens(info),
        "controls": controls(info),
        "languages": list(info.languages),
        "formats": FORMATS,
        "limits": {
            "characters": MAX_CHARACTERS,
            "clip_seconds": MAX_CLIP_SECONDS,
            "upload_bytes": MAX_UPLOAD_BYTES,
            "takes": MAX_TAKES,
        },
        "consent": engines.settings.consent,
    }


def _voice(voice: Voice) -> dict[str, Any]:
    return {
        "id": voice.id,
        "name": voice.name,
        "languages": list(voice.languages),
        "gender": voice.gender,
        "kind": voice.kind,
        "licence": voice.licence,
        "tags": [],
        "saved": False,
    }


def able(info: EngineInfo, name: str, otherwise: str = "") -> bool | str:
    """True where the engine has the capability ``name``, or else ``otherwise``; if not, the sentence that says why."""
    found = info.capabilities.get(name, info.capabilities.get(otherwise, False))
    return found or f"{info.name} cannot do this."


def controls(info: EngineInfo) -> dict[str, bool | str]:
    """Each control: True, or why it has no effect with this engine."""
    style = len(styles(info.capabilities)) > 1 or able(info, "styles")
    return {"style": style, **{control: able(info, name) for control, name in CONTROLS.items()}}


def tokens(info: EngineInfo) -> list[dict[str, Any]]:
    """Each sound and stress mark, and whether the engine makes it."""
    return [{"token": token, "able": able(info, f"token_{token.strip('[]<>')}", "tokens")} for token in TOKENS]


def styles(capabilities: Mapping[str, bool | str]) -> list[str]:
    """The styles that a synthesizer speaks in."""
    whole = capabilities.get("styles", True)
    return [name for name in STYLES if capabilities.get(f"style_{name}", whole if name != "neutral" else True) is True]
