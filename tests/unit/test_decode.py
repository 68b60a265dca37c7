"""Files of every kind, and everything that is not quite a sound file."""

import io
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from webui.audio.convert import to_wav_bytes
from webui.audio.decode import decode, stream_blocks
from webui.errors import AudioError
from webui.types import Audio

RATE = 16_000


def sine(seconds: float = 1.0, rate: int = RATE, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def encoded(samples: np.ndarray, rate: int = RATE, **options: Any) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **({"format": "WAV"} | options))
    return file.getvalue()


def refused(source: Any, **options: Any) -> AudioError:
    with pytest.raises(AudioError) as caught:
        decode(source, **options)
    message = caught.value.message
    assert message.endswith(".") and "/" not in message.replace("2 GB", "") and "\n" not in message
    return caught.value


@pytest.mark.parametrize(
    "options",
    [
        {"format": "WAV", "subtype": "PCM_U8"},
        {"format": "WAV", "subtype": "PCM_16"},
        {"format": "WAV", "subtype": "PCM_24"},
        {"format": "WAV", "subtype": "FLOAT"},
        {"format": "WAV", "subtype": "DOUBLE"},
        {"format": "W64"},
        {"format": "RF64"},
        {"format": "AIFF"},
        {"format": "CAF"},
        {"format": "AU"},
        {"format": "FLAC"},
        {"format": "OGG"},
        {"format": "MP3"},
    ],
    ids=lambda o: "-".join(o.values()),
)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_format_gives_the_sound_that_went_in(options: dict[str, str], channels: int) -> None:
    audio = decode(encoded(np.stack([sine()] * channels, axis=1), **options))
    assert audio.rate == RATE
    assert audio.duration == pytest.approx(1.0, abs=0.1)
    middle = audio.samples[4000:12000]
    assert np.sqrt((middle**2).mean()) == pytest.approx(0.5 / np.sqrt(2), abs=0.02)
    assert np.abs(np.fft.rfft(middle)).argmax() * RATE / len(middle) == pytest.approx(440, abs=3)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_odd_rates_keep_length_and_pitch(rate: int) -> None:
    audio = decode(encoded(sine(rate=rate), rate))
    assert audio.duration == pytest.approx(1.0, abs=0.01)
    middle = audio.samples[4000:12000]
    assert np.abs(np.fft.rfft(middle)).argmax() * RATE / len(middle) == pytest.approx(440, abs=3)


def test_stereo_is_the_mean_of_its_channels() -> None:
    left = sine()
    assert np.abs(decode(encoded(np.stack([left, -left], axis=1))).samples).max() < 1e-3


@pytest.mark.parametrize("source", [None, "", b""])
def test_nothing_chosen(source: Any) -> None:
    assert refused(source).key == "no_audio"


def test_a_file_that_is_gone_or_has_a_hostile_name(tmp_path: Path) -> None:
    for name in (tmp_path / "gone.wav", tmp_path, "http://127.0.0.1/a.wav", "concat:a|b", "a\0b", "-i x", "x" * 5000):
        assert refused(name).key == "no_file"


def test_a_hostile_name_of_a_good_file_is_only_a_name(tmp_path: Path) -> None:
    path = tmp_path / "concat:http_x|y;$(rm -rf ~) <b>\n音.wav"
    path.write_bytes(encoded(sine()))
    assert decode(path).duration == pytest.approx(1.0)


def test_empty_files(tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    path.write_bytes(b"")
    assert refused(path).key == "empty"
    assert refused(encoded(sine()[:0])).key == "empty"


@pytest.mark.parametrize(
    "data",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/secret.ts\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>",
        b"PK\x03\x04" + bytes(200),
        b"\x89PNG\r\n\x1a\n" + bytes(200),
        b"just some words\n" * 20,
        b"x",
    ],
    ids=["hls", "concat", "dash", "zip", "png", "text", "one byte"],
)
def test_what_is_no_sound_is_refused_whatever_its_name(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(data)
    assert refused(path).key == "not_audio"


def test_a_wav_of_garbage_is_damaged() -> None:
    assert refused(b"RIFF\xff\x00\x00\x00WAVE" + bytes(range(256))).key == "broken"


def test_a_picture_in_a_film_file_has_no_sound_track() -> None:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert refused(file.getvalue()).key == "no_sound_track"


@pytest.mark.parametrize("container", ["WAV", "FLAC", "MP3"])
def test_a_truncated_file_is_used_and_the_fact_stated(container: str) -> None:
    rng = np.random.default_rng(0)  # noise, which no codec makes short
    data = encoded(0.3 * rng.standard_normal(RATE * 4), format=container)
    problems: list[AudioError] = []
    audio = decode(data[: len(data) // 2], on_problem=problems.append)
    assert 0.5 < audio.duration < 3.5
    assert [p.key for p in problems] == ["cut_short"]


def test_a_whole_file_has_no_problem() -> None:
    problems: list[AudioError] = []
    for container in ("WAV", "FLAC", "MP3", "OGG"):
        decode(encoded(sine(), format=container), on_problem=problems.append)
    assert not problems


def test_nan_and_infinity_are_silence_and_loud_is_clipped() -> None:
    samples = sine()
    samples[100:200], samples[300], samples[400] = np.nan, np.inf, 7.0
    heard = decode(encoded(samples, subtype="FLOAT")).samples
    assert np.isfinite(heard).all()
    assert not heard[100:200].any() and heard[300] == 0.0 and heard[400] == 1.0


def test_a_small_flac_that_unpacks_to_hours_is_refused_before_it_is_unpacked() -> None:
    bomb = encoded(np.zeros(RATE * 3600, np.int16), format="FLAC")
    assert len(bomb) < 300_000
    tracemalloc.start()
    error = refused(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.key == "too_long" and "15 minutes" in error.message
    assert peak < 2_000_000


def test_a_flac_that_lies_about_its_length_is_stopped_on_the_way() -> None:
    bomb = bytearray(encoded(np.zeros(RATE * 60, np.int16), format="FLAC"))
    # STREAMINFO: the low 36 bits of bytes 18..26 are the number of samples; 0 means unknown.
    bomb[21] &= 0xF0
    bomb[22:26] = bytes(4)
    assert refused(bytes(bomb), max_seconds=20).key == "too_long"


@pytest.mark.parametrize("rate", [1, 100])
def test_a_rate_that_is_none_is_refused(rate: int) -> None:
    wav = bytearray(encoded(sine(0.01)))
    wav[24:28] = struct.pack("<I", rate)
    assert refused(bytes(wav)).key in ("bad_rate", "too_long")


def test_hours_stream_through_in_bounded_memory() -> None:
    file = encoded(np.zeros(RATE * 3600, np.int16), format="FLAC")
    tracemalloc.start()
    lengths = [len(b.samples) for b in stream_blocks(file, block_seconds=10.0)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lengths == [RATE * 10] * 360
    assert peak < 20_000_000  # the whole would be 230 MB


def test_blocks_joined_are_the_recording_without_a_seam() -> None:
    data = encoded(sine(3.3, 44_100), 44_100)
    blocks = [b.samples for b in stream_blocks(data, block_seconds=0.7)]
    assert [len(b) for b in blocks[:-1]] == [11_200] * 4
    assert np.array_equal(np.concatenate(blocks), decode(data).samples)


def test_a_stream_can_be_closed_half_way(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(to_wav_bytes(Audio(sine(30), RATE)))
    blocks = stream_blocks(path, block_seconds=1.0)
    next(blocks)
    blocks.close()
    path.unlink()
    assert not path.exists()
