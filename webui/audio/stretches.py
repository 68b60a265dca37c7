"""A recording of any length, rate and form as stretches that a recognizer hears in one go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from webui.audio.convert import resampled
from webui.audio.vad import MAX_SPEECH_SECONDS, RATE, SpeechDetector
from webui.errors import AudioError
from webui.types import Audio, Samples

BLOCK_SECONDS = 10.0  # a long recording is taken in such pieces


def blocks(audio: Audio | Iterable[Audio]) -> Iterator[Audio]:
    """The recording at 16 kHz in blocks of 10 s at most, whatever it came as; NaN and infinity are silence."""
    for samples in resampled(_pieces(audio), RATE):
        yield Audio(np.nan_to_num(samples, posinf=0.0, neginf=0.0), RATE)


def stretches(audio: Audio | Iterable[Audio]) -> Iterator[tuple[float, Audio]]:
    """Stretches of at most 30 s at 16 kHz, each with the second of the recording that it begins at.

    A recording shorter than that is one stretch, whole: recognizers know silence themselves. Of a longer one there is
    what is spoken, cut in the pauses. Memory does not grow with the recording. Raises ``AudioError`` where it is empty.
    """
    coming = blocks(audio)
    first: list[Samples] = []
    held = 0
    for block in coming:
        first.append(block.samples)
        held += len(block.samples)
        if held >= MAX_SPEECH_SECONDS * RATE:
            break
    if not held:
        raise AudioError("empty", "The recording is empty: record again or choose another file.")
    if held < MAX_SPEECH_SECONDS * RATE:
        yield 0.0, Audio(np.concatenate(first), RATE)
        return
    detector = SpeechDetector()
    while first:
        for speech in detector.feed(first.pop(0)):
            yield speech.start, speech.audio
    for block in coming:
        for speech in detector.feed(block.samples):
            yield speech.start, speech.audio
    for speech in detector.finish():
        yield speech.start, speech.audio


def _pieces(audio: Audio | Iterable[Audio]) -> Iterator[tuple[Samples, int]]:
    for block in (audio,) if isinstance(audio, Audio) else audio:
        step = round(BLOCK_SECONDS * block.rate)
        for at in range(0, len(block.samples), step):
            yield block.samples[at : at + step], block.rate
