"""The voice that somebody asks for: a preset of the synthesizer, one they have saved, or a blend made on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from webui.engines.protocols import Synthesizer
from webui.errors import EngineError
from webui.features.chat import pick_voice
from webui.types import Voice
from webui.voices.library import VoiceLibrary


def chosen_voice(synthesizer: Synthesizer, engine: str, library: VoiceLibrary, voice_id: str, language: str) -> Voice:
    """The voice of that id for ``synthesizer``, which the registry calls ``engine``.

    An empty id is the first voice at home in ``language`` (a code). Raises ``UserError`` for a voice that is not
    there, or that this engine cannot speak with.
    """
    if not voice_id or any(voice.id == voice_id for voice in synthesizer.voices()):
        return pick_voice(synthesizer, voice_id, language)
    saved = library.get(voice_id)
    able = saved.engine == engine if saved.voice.kind == "blend" else synthesizer.info.capabilities.get("clone") is True
    if not able:
        name = synthesizer.info.name
        raise EngineError(
            "voice_elsewhere",
            f"{saved.name} was made for another engine, and {name} cannot speak with it.",
            voice=saved.name,
            engine=name,
        )
    return saved.voice


def blended(shares: Sequence[tuple[str, float]], synthesizer: Synthesizer) -> Voice:
    """A blend of presets, by ids and shares; it speaks what the one with the largest share speaks.

    Raises ``EngineError`` for a preset that is not there.
    """
    main = max(shares, key=lambda share: share[1])[0]
    return replace(pick_voice(synthesizer, main, ""), id="blend", name="Blend", kind="blend", blend=tuple(shares))
