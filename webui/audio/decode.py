"""Any sound file, of any length, to ``Audio``.

FFmpeg reads the files, through PyAV. It is kept on a short lead: the container is told from the file's first
bytes and FFmpeg is made to use exactly that reader, on an open file object, so that a playlist that calls itself
``song.wav`` is refused and nothing in a file can make it open another file or a network address.
"""

from __future__ import annotations

import io
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from webui.audio.convert import check_rate, resampled, to_float
from webui.errors import AudioError
from webui.types import Audio, Samples

log = logging.getLogger(__name__)

RATE = 16_000
MAX_TURN_SECONDS = 15 * 60
MAX_FILE_SECONDS = 12 * 3600
MAX_FILE_BYTES = 2 * 1024**3
MAX_CHANNELS = 64
MAX_STALL_SECONDS = 60  # for one block: a healthy file takes milliseconds

Source = str | os.PathLike[str] | bytes
Problem = Callable[[AudioError], None]

# First bytes (at an offset) -> FFmpeg's name of the one demuxer that may read the file.
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (8, b"WAVE", "wav"),
    (0, b"riff\x2e\x91\xcf\x11", "w64"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (4, b"ftyp", "mov"),
    (8, b"AIFF", "aiff"),
    (8, b"AIFC", "aiff"),
    (0, b"caff", "caf"),
    (0, b".snd", "au"),
    (0, b"#!AMR", "amr"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"ID3", "mp3"),
)


def decode(
    source: Source | None,
    rate: int = RATE,
    max_seconds: float = MAX_TURN_SECONDS,
    on_problem: Problem | None = None,
) -> Audio:
    """The whole of a file (a path, or its bytes) as mono ``Audio`` at ``rate`` Hz.

    ``on_problem`` hears of a recording that breaks off: what is there is used. Raises ``AudioError`` where there
    is no file, no sound in it, or more of it than ``max_seconds``.
    """
    blocks = [b.samples for b in stream_blocks(source, rate, 60.0, max_seconds, on_problem)]
    return Audio(np.concatenate(blocks), rate)


def stream_blocks(
    source: Source | None,
    rate: int = RATE,
    block_seconds: float = 10.0,
    max_seconds: float = MAX_FILE_SECONDS,
    on_problem: Problem | None = None,
) -> Iterator[Audio]:
    """The same in blocks of ``block_seconds`` (the last one shorter), in memory that does not grow with the file.

    Closing the iterator closes the file.
    """
    size = max(1, round(block_seconds * rate))
    waiting: list[Samples] = []
    held = total = 0
    started = time.monotonic()
    for piece in resampled(_mono(source, max_seconds, on_problem), rate):
        waiting.append(piece)
        held += len(piece)
        total += len(piece)
        if total > max_seconds * rate:
            raise _too_long(max_seconds)
        if time.monotonic() - started > MAX_STALL_SECONDS:
            raise AudioError("too_slow", "The file takes too long to read: convert it to WAV and try again.")
        while held >= size:
            joined = np.concatenate(waiting)
            waiting, held = [joined[size:]], held - size
            yield Audio(joined[:size], rate)
            started = time.monotonic()
    if held:
        yield Audio(np.concatenate(waiting), rate)
    if not total:
        raise AudioError("empty", "The recording is empty: record again or choose another file.")


def _mono(source: Source | None, max_seconds: float, on_problem: Problem | None) -> Iterator[tuple[Samples, int]]:
    """Decoded mono samples as they come, each with its rate in Hz."""
    import av

    with _open(source) as file:
        demuxer, declared = _sniff(file)
        try:
            container: Any = av.open(
                file, format=demuxer, options={"protocol_whitelist": "file,pipe"}, metadata_errors="ignore"
            )
        except (av.FFmpegError, ValueError, UnicodeDecodeError) as error:
            raise _broken() from error
        with container:
            if not container.streams.audio:
                raise AudioError("no_sound_track", "The file has no sound in it: choose another one.")
            stream = container.streams.audio[0]
            expected = _header_seconds(stream, container, av.time_base)
            if expected is not None and expected > max_seconds:
                raise _too_long(max_seconds)
            seconds = 0.0
            fault: Exception | None = None
            frames = container.decode(stream)
            while True:
                try:
                    frame = next(frames)
                except StopIteration:
                    break
                except (av.FFmpegError, ValueError, UnicodeDecodeError) as error:
                    fault = error
                    break
                check_rate(frame.sample_rate)
                seconds += frame.samples / frame.sample_rate
                yield _frame_to_mono(frame), frame.sample_rate
            if fault is not None and not seconds:
                raise _broken() from fault
            if fault is not None or seconds < 0.95 * (expected or 0.0) - 0.5 or declared > _size(file):
                problem = AudioError(
                    "cut_short",
                    f"The recording breaks off after {seconds:.1f} seconds: what is there is used.",
                    seconds=round(seconds, 1),
                )
                log.warning("%s", problem.message)
                if on_problem is not None:
                    on_problem(problem)


def _open(source: Source | None) -> BinaryIO:
    if source is None or (isinstance(source, (str, bytes)) and not source):
        raise AudioError("no_audio", "There is no recording yet: record something or choose a file.")
    if isinstance(source, bytes):
        file: BinaryIO = io.BytesIO(source)
    else:
        try:
            path = Path(source)
            if not path.is_file():
                raise AudioError("no_file", "The file is not there any more: choose it again.")
            file = path.open("rb")
        except (OSError, ValueError) as error:
            raise AudioError("no_file", "The file cannot be opened: choose it again.") from error
    if _size(file) > MAX_FILE_BYTES:
        file.close()
        raise AudioError("too_large", "The file is larger than 2 GB: choose a smaller one.", gigabytes=2)
    return file


def _size(file: BinaryIO) -> int:
    here = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(here)
    return end


def _sniff(file: BinaryIO) -> tuple[str, int]:
    """FFmpeg's reader for this file, and the size in bytes that the file says it has (0 where it does not say)."""
    head = file.read(16)
    file.seek(0)
    if not head:
        raise AudioError("empty", "The file is empty: record again or choose another file.")
    for offset, magic, demuxer in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            riff = int.from_bytes(head[4:8], "little") if head[:4] == b"RIFF" else 0
            return demuxer, riff if riff < 0x7FFFFFFF else 0  # more than that: written by a live recorder
    if head[0] == 0xFF and head[1:2] and head[1] & 0xE0 == 0xE0:  # a bare stream of MPEG frames
        return ("mp3" if head[1] & 0x06 else "aac"), 0
    raise AudioError("not_audio", "That is not a sound file: choose WAV, MP3, FLAC, OGG, M4A or WebM.")


def _header_seconds(stream: Any, container: Any, time_base: int) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / time_base if container.duration else None


def _frame_to_mono(frame: Any) -> Samples:
    """All channels of a decoded frame averaged: (n,) float32."""
    channels = max(1, len(frame.layout.channels))
    if channels > MAX_CHANNELS:
        raise _broken()
    values = to_float(frame.to_ndarray())
    if not frame.format.is_planar:
        values = values.reshape(-1, channels).T
    mono: Samples = values[0] if channels == 1 else values.mean(axis=0, dtype=np.float32)
    return mono


def _broken() -> AudioError:
    return AudioError("broken", "The file is damaged and cannot be read: choose another one.")


def _too_long(max_seconds: float) -> AudioError:
    minutes = round(max_seconds / 60)
    return AudioError(
        "too_long", f"The recording is longer than {minutes} minutes: choose a shorter one.", minutes=minutes
    )
