"""``Audio`` as a file for people to keep, which says about itself that nobody said it."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from webui.audio.convert import resample, to_pcm16
from webui.errors import AudioError
from webui.types import Audio

FORMATS = ("wav", "mp3", "flac", "ogg")
PROGRAM = "FunAudio WebUI"
_CODECS = {
    "wav": ("pcm_s16le", "s16"),
    "mp3": ("libmp3lame", "s16p"),
    "flac": ("flac", "s16"),
    "ogg": ("libopus", "s16"),
}
_BIT_RATES = {"mp3": 128_000, "ogg": 64_000}  # speech has nothing to gain above
_RATES = {
    "mp3": (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
    "ogg": (8_000, 12_000, 16_000, 24_000, 48_000),
}
MAX_TAG = 1_000  # characters


def encode(audio: Audio, form: str, about: Mapping[str, str]) -> bytes:
    """``audio`` as a file of one of ``FORMATS`` (16 bit; Opus in OGG), tagged as synthetic.

    ``about`` may have ``title``, ``voice`` (its name), ``engine`` and ``comment``, of which the first 1,000 characters
    are kept. A rate that the format does not have becomes the next higher one. Raises ``ValueError`` for another format
    or an unknown part of ``about``, and ``AudioError`` where there is no sound.
    """
    import av

    if form not in FORMATS:
        raise ValueError(f"there is no format {form}")
    if not len(audio.samples):
        raise AudioError("empty", "The recording is empty: record again or choose another file.")
    audio = resample(audio, _rate_for(form, audio.rate))
    whole = to_pcm16(audio.samples)[None]
    codec, layout = _CODECS[form]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=form) as container:
        container.metadata.update(_tags(about))
        stream: Any = container.add_stream(codec, rate=audio.rate, layout="mono", format=layout)
        if form in _BIT_RATES:
            stream.bit_rate = _BIT_RATES[form]
        stream.codec_context.open()
        step = stream.codec_context.frame_size or 4_096
        for start in range(0, len(audio.samples), step):
            frame = av.AudioFrame.from_ndarray(whole[:, start : start + step], format=layout, layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = audio.rate, start, Fraction(1, audio.rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _rate_for(form: str, rate: int) -> int:
    rates = _RATES.get(form, (rate,))
    return next((fit for fit in rates if fit >= rate), rates[-1])


def _tags(about: Mapping[str, str]) -> dict[str, str]:
    """What every player shows; and ``AIGC``, a label for programs in the form of China's GB 45438 (not in WAV)."""
    if unknown := set(about) - {"title", "voice", "engine", "comment"}:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    said = {name: " ".join(text.split())[:MAX_TAG] for name, text in about.items() if text.strip()}
    makers = [f"{name.capitalize()}: {said[name]}." for name in ("voice", "engine") if name in said]
    sentences = ["Synthetic speech, made by a computer.", *makers, *([said["comment"]] if "comment" in said else [])]
    return {
        "title": said.get("title", "Synthetic speech"),
        "artist": f"{said.get('voice', PROGRAM)} (synthetic voice)",
        "comment": " ".join(sentences),
        "AIGC": json.dumps({"Label": "1", "ContentProducer": PROGRAM}),
    }
