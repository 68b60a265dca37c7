"""Frames: a JSON header and, behind it, sounds as raw float32. Nothing in them is ever run.

    4 bytes  length of the header, big-endian
    4 bytes  length of the body, big-endian
    header   a JSON object; its "sounds" lists [name, rate in Hz, number of samples] of each sound in the body
    body     the sounds, one after the other, little-endian float32

Both lengths are checked before anything is read, so a hostile peer can neither fill the memory nor start a program.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from webui.types import Audio

MAX_HEADER = 1 << 20
MAX_BODY = 64 << 20  # six minutes at 44.1 kHz
MAX_RATE = 384_000
_LENGTHS = struct.Struct(">II")
_SAMPLE = np.dtype("<f4")


class FrameError(Exception):
    """What came over the wire is no frame, or one that is too large."""


class Stream(Protocol):
    """What is needed of a socket."""

    def recv(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none where the other side has closed."""
        ...

    def sendall(self, data: bytes, /) -> None:
        """Send all of ``data``."""
        ...


@dataclass(frozen=True, eq=False)
class Frame:
    """One message: JSON values, and sounds by name."""

    header: Mapping[str, Any]
    sounds: Mapping[str, Audio] = field(default_factory=dict)


def encode(frame: Frame) -> bytes:
    """The frame as bytes. Raises ``FrameError`` where it is too large."""
    listed = [[name, sound.rate, len(sound.samples)] for name, sound in frame.sounds.items()]
    header = json.dumps({**frame.header, "sounds": listed}, ensure_ascii=False, allow_nan=False).encode()
    body = b"".join(sound.samples.astype(_SAMPLE, copy=False).tobytes() for sound in frame.sounds.values())
    if len(header) > MAX_HEADER or len(body) > MAX_BODY:
        raise FrameError(f"a frame of {len(header)} + {len(body)} bytes is too large")
    return _LENGTHS.pack(len(header), len(body)) + header + body


def send(stream: Stream, frame: Frame) -> None:
    """Write one frame. Raises ``OSError`` where the other side is gone, ``FrameError`` where it is too large."""
    stream.sendall(encode(frame))


def receive(stream: Stream, max_header: int = MAX_HEADER, max_body: int = MAX_BODY) -> Frame | None:
    """Read one frame; None where the other side has closed between two.

    Sounds come clipped to [-1, 1], NaN as 0. Raises ``FrameError`` for anything that is no frame or is larger than
    asked for, and ``OSError`` from the stream.
    """
    lengths = _exactly(stream, _LENGTHS.size, may_end=True)
    if lengths is None:
        return None
    header_size, body_size = _LENGTHS.unpack(lengths)
    if header_size > max_header or body_size > max_body:
        raise FrameError(f"a frame of {header_size} + {body_size} bytes is too large")
    header = _header(_exactly(stream, header_size) or b"")
    return Frame(header, _sounds(header.pop("sounds", None), _exactly(stream, body_size) or b""))


def _exactly(stream: Stream, size: int, may_end: bool = False) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        block = stream.recv(min(size - len(data), 1 << 16))
        if not block:
            if may_end and not data:
                return None
            raise FrameError("the connection ended within a frame")
        data += block
    return bytes(data)


def _header(data: bytes) -> dict[str, Any]:
    try:
        header = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FrameError("a header is not JSON") from error
    if not isinstance(header, dict):
        raise FrameError("a header is not an object")
    return header


def _sounds(listed: object, body: bytes) -> dict[str, Audio]:
    sounds: dict[str, Audio] = {}
    at = 0
    if not isinstance(listed, list):
        raise FrameError("a header lists no sounds")
    for entry in listed:
        match entry:
            case [str(name), int(rate), int(count)] if 0 < rate <= MAX_RATE and 0 <= count <= MAX_BODY:
                end = at + count * _SAMPLE.itemsize
            case _:
                raise FrameError("a sound is not described as it should be")
        if end > len(body):
            raise FrameError("a sound is longer than the body")
        raw = np.frombuffer(body[at:end], _SAMPLE).astype(np.float32)
        sounds[name] = Audio(np.clip(np.nan_to_num(raw, nan=0.0), -1.0, 1.0), rate)
        at = end
    if at != len(body):
        raise FrameError("a body has more in it than its header lists")
    return sounds
