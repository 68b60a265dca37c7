"""Sound as it travels in pieces: 16-bit PCM or G.711, at the rates that live clients use."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
import soundfile

from webui.audio.convert import RateChange, to_float, to_pcm16
from webui.types import Audio, Samples

G711_RATE = 8_000  # Hz


@dataclass(frozen=True)
class WireFormat:
    """How samples are written: ``PCM_16`` (little-endian), ``ULAW`` or ``ALAW``; mono, ``rate`` in Hz."""

    encoding: Literal["PCM_16", "ULAW", "ALAW"] = "PCM_16"
    rate: int = 24_000

    @property
    def bytes_per_second(self) -> int:
        """How many bytes a second of sound takes."""
        return self.rate * (2 if self.encoding == "PCM_16" else 1)

    def decode(self, data: bytes) -> Samples:
        """The samples (n,) of ``data``, in [-1, 1]; half a sample at its end is dropped."""
        if self.encoding == "PCM_16":
            return to_float(np.frombuffer(data, "<i2", count=len(data) // 2))
        if not data:
            return np.zeros(0, np.float32)
        file = io.BytesIO(data)
        samples, _ = soundfile.read(
            file, dtype="float32", channels=1, samplerate=self.rate, format="RAW", subtype=self.encoding
        )
        return np.asarray(samples, np.float32)

    def encode(self, samples: Samples) -> bytes:
        """``samples`` (n,) at this format's rate as bytes."""
        if self.encoding == "PCM_16":
            return to_pcm16(samples).astype("<i2").tobytes()
        file = io.BytesIO()
        soundfile.write(file, np.clip(samples, -1, 1), self.rate, format="RAW", subtype=self.encoding)
        return file.getvalue()


class Encoder:
    """Speech of any rate, in pieces, as bytes of one format."""

    def __init__(self, form: WireFormat) -> None:
        self._form = form
        self._change: RateChange | None = None

    def feed(self, audio: Audio) -> bytes:
        """The next piece. All pieces of one stream have one rate."""
        self._change = self._change or RateChange(audio.rate, self._form.rate)
        return self._form.encode(self._change.feed(audio.samples))

    def flush(self) -> bytes:
        """What is left when the last piece was given."""
        return self._form.encode(self._change.flush()) if self._change else b""
