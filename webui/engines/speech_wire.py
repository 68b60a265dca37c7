"""Sound as servers send it, in blocks of any size: headerless PCM, WAV, compressed files, and base64 in events."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping

import numpy as np

from webui.audio.convert import to_float
from webui.audio.decode import decode
from webui.engines.http import LONGEST_QUOTE
from webui.errors import EngineError, UserError
from webui.types import Samples

LEAST_RATE, GREATEST_RATE = 8_000, 96_000
HEADER_BYTES = 1 << 16  # a WAV header is 44 bytes, and seldom has more before its sound than a page of notes
FILE_BYTES = 256 << 20
_ENDLESS = 0x7FFFFF00  # as the size of a WAV that is written while it is made; some write 0

_COMPRESSED = re.compile(r"audio/(mpeg|mp3|ogg|opus|webm|flac|x-flac|aac|mp4|x-m4a)\b")
_TEXT = re.compile(r"(text/|application/(json|problem|xml))")
# What headerless sound never begins with, and what an error page or a JSON answer does.
_TEXT_START = re.compile(rb"\s*(\{\s*\"|\[\s*\{|<!|<\?xml|<html)", re.IGNORECASE)


def is_events(content_type: str) -> bool:
    """Whether the answer comes as server-sent events."""
    return content_type.startswith("text/event-stream")


def told_rate(headers: Mapping[str, str]) -> int | None:
    """The rate in Hz that an answer's headers name (``audio/pcm;rate=24000``, ``X-Sample-Rate`` and the like)."""
    if match := re.search(r"\brate=(\d+)", headers.get("content-type", "")):
        return int(match[1])
    for name, value in headers.items():
        if re.search(r"sample-?_?rate$", name, re.IGNORECASE) and value.strip().isdecimal():
            return int(value)
    return None


def event_sound(data: str, server: str) -> tuple[bytes, int | None]:
    """The sound in one event and its rate in Hz, where the event tells it; nothing in one that is about other things.

    OpenAI's ``speech.audio.delta``, SGLang's ``audio.speech.chunk`` and DashScope's ``output.audio`` are known. Raises
    ``EngineError`` where the event tells of a failure.
    """
    if data == "[DONE]":
        return b"", None
    try:
        event = json.loads(data)
        if event.get("error") or event.get("code"):
            raise _failed(event.get("error") or event, server)
        audio = event.get("audio") or (event.get("output") or {}).get("audio")
        about = audio if isinstance(audio, dict) else {"data": audio}
        return base64.b64decode(about.get("data") or ""), about.get("sample_rate")
    except (ValueError, AttributeError, TypeError) as error:
        raise no_sound(server) from error


class SoundReader:
    """One answer's bytes to mono samples. ``rate`` is in Hz: what was given until the sound itself tells another.

    ``server`` is named in complaints. Every method raises ``EngineError`` where what came is no sound.
    """

    def __init__(self, content_type: str, rate: int, server: str) -> None:
        self.rate = _plausible(rate, server)
        self._server = server
        if _TEXT.match(content_type):
            raise no_sound(server)
        self._file = bool(_COMPRESSED.match(content_type))  # to be read as a whole
        self._held = b""
        self._kind: np.dtype[np.generic] | None = None  # of a sample, once it is known that samples come
        self._channels = 1
        self._left: int | None = None  # bytes of sound still to come, where the header says how many

    def feed(self, data: bytes) -> Samples:
        """Take the next bytes; give the samples (n,) that they complete, perhaps none."""
        self._held += data
        if not self._file and self._kind is None:
            self._begin()
        if self._file:
            if len(self._held) > FILE_BYTES:
                raise no_sound(self._server)
            return np.zeros(0, np.float32)
        return self._samples()

    def finish(self) -> Samples:
        """The answer has ended: give the rest. Raises ``EngineError`` where it broke off."""
        if self._file:
            try:
                return decode(self._held, self.rate).samples if self._held else np.zeros(0, np.float32)
            except UserError as error:
                raise no_sound(self._server) from error
        if self._kind is None and self._held:  # less than a header, so headerless
            self._pcm()
        if self._left is not None and self._left > len(self._held):
            raise EngineError(
                "server_broke_off",
                f"The connection to {self._server} broke: try again, or look at its log.",
                server=self._server,
            )
        return self._samples()

    def _begin(self) -> None:
        """Find out what comes."""
        if len(self._held) < 12:
            return
        if _TEXT_START.match(self._held):
            raise no_sound(self._server)
        if self._held[:4] == b"RIFF" and self._held[8:12] == b"WAVE":
            self._header()
        else:
            self._pcm()

    def _pcm(self) -> None:
        self._kind = np.dtype("<i2")

    def _header(self) -> None:
        at = 12
        form = b""
        while at + 8 <= len(self._held):
            name, size = self._held[at : at + 4], int.from_bytes(self._held[at + 4 : at + 8], "little")
            if name == b"data":
                self._format(form)
                self._left = None if size == 0 or size >= _ENDLESS else size
                if not self._file:
                    self._held = self._held[at + 8 :]
                return
            if name == b"fmt ":
                form = self._held[at + 8 : at + 8 + size]
            at += 8 + size + size % 2
        if len(self._held) > HEADER_BYTES:
            raise no_sound(self._server)

    def _format(self, form: bytes) -> None:
        if len(form) < 16:
            raise no_sound(self._server)
        code, self._channels = int.from_bytes(form[:2], "little"), int.from_bytes(form[2:4], "little")
        bits = int.from_bytes(form[14:16], "little")
        if code == 0xFFFE and len(form) >= 26:  # "extensible": the true code stands further back
            code = int.from_bytes(form[24:26], "little")
        self.rate = _plausible(int.from_bytes(form[4:8], "little"), self._server)
        kind = {(1, 16): "<i2", (3, 32): "<f4"}.get((code, bits))
        if kind is None or not self._channels:
            self._file = True  # rare widths are left to the decoder of files
        else:
            self._kind = np.dtype(kind)

    def _samples(self) -> Samples:
        if self._kind is None:
            return np.zeros(0, np.float32)
        ready = self._held if self._left is None else self._held[: self._left]  # notes may follow the sound
        step = self._kind.itemsize * self._channels
        whole = len(ready) // step * step
        self._held = self._held[whole:]
        if self._left is not None:
            self._left -= whole
        values = to_float(np.frombuffer(ready[:whole], self._kind))
        mono: Samples = values if self._channels == 1 else values.reshape(-1, self._channels).mean(axis=1)
        return mono


def no_sound(server: str) -> EngineError:
    """What came is not sound."""
    return EngineError(
        "speech_not_sound",
        f"The server at {server} answered, but not with sound: check its address and model.",
        server=server,
    )


def _failed(complaint: object, server: str) -> EngineError:
    said = complaint.get("message") if isinstance(complaint, dict) else complaint
    said = " ".join(str(said or "").split())[:LONGEST_QUOTE] or "–"
    return EngineError("speech_failed", f"The server at {server} could not say that: {said}", server=server, said=said)


def _plausible(rate: int, server: str) -> int:
    if not LEAST_RATE <= rate <= GREATEST_RATE:
        raise no_sound(server)
    return rate
