"""Arrays and bytes to ``Audio`` and back."""

import io
import wave

import numpy as np
import pytest

from webui.audio.convert import (
    from_numpy,
    is_silent,
    peaks,
    require_sound,
    resample,
    resampled,
    to_pcm16,
    to_wav_bytes,
)
from webui.errors import AudioError
from webui.types import Audio

HALF = np.array([0.5, -0.5, 0.25])


@pytest.mark.parametrize(
    "array",
    [
        (HALF * 32768).astype(np.int16),
        (HALF * 2**31).astype(np.int32),
        (HALF * 128).astype(np.int8),
        (HALF * 128 + 128).astype(np.uint8),
        HALF.astype(np.float32),
        HALF.astype(np.float64),
    ],
    ids=lambda a: a.dtype.name,
)
@pytest.mark.parametrize("shape", ["mono", "(n, 1)", "(n, 2)", "(2, n)"])
def test_any_number_type_means_the_same_sound(array: np.ndarray, shape: str) -> None:
    many = {
        "mono": array,
        "(n, 1)": array[:, None],
        "(n, 2)": np.stack([array] * 2, axis=1),
        "(2, n)": np.stack([array] * 2),
    }
    assert from_numpy(16_000, many[shape]).samples == pytest.approx(HALF)


@pytest.mark.parametrize(
    ("rate", "array", "key"),
    [
        (16_000, np.zeros(0, np.int16), "empty"),
        (16_000, np.zeros((0, 2), np.float32), "empty"),
        (16_000, np.array(["a", "b"]), "not_audio"),
        (16_000, np.array([1j, 2j]), "not_audio"),
        (16_000, np.array([True, False]), "not_audio"),
        (16_000, np.zeros((2, 2, 2), np.float32), "not_audio"),
        (0, np.ones(9, np.float32), "bad_rate"),
        (-16_000, np.ones(9, np.float32), "bad_rate"),
        (10**9, np.ones(9, np.float32), "bad_rate"),
    ],
)
def test_what_is_no_sound_is_one_clear_sentence(rate: int, array: np.ndarray, key: str) -> None:
    with pytest.raises(AudioError) as caught:
        from_numpy(rate, array)
    assert caught.value.key == key and caught.value.message.endswith(".")


def test_not_a_number_is_silence() -> None:
    assert from_numpy(16_000, np.array([np.nan, np.inf, -np.inf, 0.5])).samples.tolist() == [0, 0, 0, 0.5]


def test_full_scale_does_not_wrap() -> None:
    assert to_pcm16(np.array([1.0, 1.5, -1.0, -1.5, 0.0], np.float32)).tolist() == [32767, 32767, -32768, -32768, 0]


def test_wav_is_what_other_programs_read() -> None:
    samples = np.linspace(-1, 1, 1000, dtype=np.float32)
    with wave.open(io.BytesIO(to_wav_bytes(Audio(samples, 24_000)))) as file:
        assert file.getparams()[:4] == (1, 2, 24_000, 1000)
        assert np.array_equal(np.frombuffer(file.readframes(1000), "<i2"), to_pcm16(samples))


def test_peaks_find_the_loudest_of_each_stretch() -> None:
    samples = np.zeros(1000, np.float32)
    samples[150], samples[999] = -0.7, 0.2
    assert peaks(Audio(samples, 1000), 10) == pytest.approx([0, 0.7, 0, 0, 0, 0, 0, 0, 0, 0.2])
    assert len(peaks(Audio(samples[:3], 1000), 10)) == 10
    assert peaks(Audio(samples[:0], 1000), 4) == [0.0] * 4


@pytest.mark.parametrize(("samples", "key"), [(np.zeros(0, np.float32), "empty"), (np.zeros(9, np.float32), "silent")])
def test_silence_says_so(samples: np.ndarray, key: str) -> None:
    with pytest.raises(AudioError) as caught:
        require_sound(Audio(samples, 16_000))
    assert caught.value.key == key


def test_a_quiet_voice_is_not_silence() -> None:
    assert not is_silent(Audio(np.full(100, 0.01, np.float32), 16_000))
    assert is_silent(Audio(np.full(100, 0.0005, np.float32), 16_000))


def test_resampling_in_pieces_is_resampling_whole() -> None:
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 44_100).astype(np.float32)
    whole = resample(Audio(samples, 44_100), 16_000)
    pieces = list(resampled(((samples[i : i + 1000], 44_100) for i in range(0, 44_100, 1000)), 16_000))
    joined = np.concatenate(pieces)
    assert len(whole.samples) == len(joined) == 16_000
    assert np.abs(joined - whole.samples).max() < 1e-3


def test_a_stream_may_change_its_rate() -> None:
    parts = [
        (np.zeros(8_000, np.float32), 8_000),
        (np.zeros(48_000, np.float32), 48_000),
        (np.zeros(5, np.float32), 16_000),
    ]
    assert sum(map(len, resampled(iter(parts), 16_000))) == pytest.approx(32_005, abs=2)
