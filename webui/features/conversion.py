"""A recording in another voice, stretch by stretch: what is said stays, and when it is said."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import cast

import numpy as np

from webui.audio.convert import require_sound, resample
from webui.audio.decode import decode
from webui.audio.vad import RATE, VadOptions, find_speech
from webui.conversation.scope import TurnScope
from webui.conversation.scratch import scratch
from webui.engines.protocols import Synthesizer, VoiceConverter
from webui.engines.registry import Engines
from webui.errors import AudioError, EngineError
from webui.features.speak import Part, Said, said
from webui.types import Audio, Voice

MAX_SECONDS = 600.0  # of a recording
SOURCE_RATE = 24_000  # Hz: what is above 12 kHz no converter here keeps
_STRETCHES = VadOptions(silence=0.4, longest=20.0)


def recording(path: Path) -> Audio:
    """The sound of the file at ``path``, kept on disk until nobody refers to it.

    Raises ``AudioError`` where there is no sound, or more than ``MAX_SECONDS`` of it.
    """
    sound = require_sound(decode(path, SOURCE_RATE, MAX_SECONDS))
    with tempfile.TemporaryFile(dir=scratch()) as file:
        samples = np.memmap(file, np.float32, "w+", shape=sound.samples.shape)
    samples[:] = sound.samples
    return Audio(samples, sound.rate)


def stretches(source: Audio) -> tuple[tuple[Part, ...], tuple[Audio, ...]]:
    """The stretches of speech in ``source``, at most 20 s each: as parts, with the silence before each, and as sounds.

    Raises ``AudioError`` where nobody speaks.
    """
    found = find_speech(resample(source, RATE), _STRETCHES)
    if not found:
        raise AudioError("no_speech", "No words were heard. Speak a little closer to the microphone, and try again.")
    ends = [0.0, *(speech.end for speech in found)]
    parts = tuple(Part("", 0, max(0.0, speech.start - end)) for speech, end in zip(found, ends, strict=False))
    return parts, tuple(source.cut(speech.start, speech.end) for speech in found)


def as_converter(synthesizer: Synthesizer) -> VoiceConverter:
    """The same engine as what converts. Raises ``EngineError`` where it cannot."""
    info = synthesizer.info
    why = info.capabilities.get("convert", False)
    if why is not True:
        raise EngineError("cannot_synthesizer_convert", why or f"{info.name} cannot put a voice on a recording.")
    return cast(VoiceConverter, synthesizer)


def convert(
    engines: Engines,
    voice: Voice,
    parts: Sequence[Part],
    sounds: Sequence[Audio],
    start: int,
    scope: TurnScope,
) -> Generator[Said, None, None]:
    """Say ``sounds`` from number ``start`` on in ``voice``. Cancelling ``scope`` stops the work at once.

    Raises ``EngineError`` where the synthesizer is no ``VoiceConverter``, what it raises, and ``Cancelled``.
    """
    synthesizer = engines.synthesizer
    synthesizer.load()
    converter = as_converter(synthesizer)
    for number in range(start, len(parts)):
        yield from said(number, parts[number].pause, map(converter.convert, [sounds[number]], [voice]), scope)
