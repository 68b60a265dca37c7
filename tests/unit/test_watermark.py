"""The watermark on sounds made here, and the command that looks for it. With speech: tests/engines/test_watermark.py."""

from pathlib import Path

import numpy as np
import pytest

from webui.audio.convert import to_wav_bytes
from webui.detect import main
from webui.types import Audio
from webui.voices import watermark as watermarks
from webui.voices.watermark import THRESHOLD, detect, watermark


def murmur(seconds: float = 4.0, rate: int = 24_000, seed: int = 1) -> Audio:
    """What is like speech: a buzz with a melody and some breath, weaker towards high frequencies, in syllables."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    melody = 130 + 25 * np.sin(2 * np.pi * 0.7 * time + rng.uniform(0, 6)) + 10 * np.sin(2 * np.pi * 2.3 * time)
    phase = 2 * np.pi * np.cumsum(melody) / rate
    overtones = range(1, int(min(6_000, 0.4 * rate) / 170))
    sound = sum(np.sin(n * phase + rng.uniform(0, 6)) / n for n in overtones)
    sound = sound + 0.03 * rng.standard_normal(len(time))
    sound *= 0.1 + np.abs(np.sin(2 * np.pi * 2 * time))
    return Audio((0.3 * sound / np.abs(sound).max()).astype(np.float32), rate)


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100, 48_000])
def test_it_is_found_at_every_rate_and_changes_little(rate: int) -> None:
    sound = murmur(rate=rate)
    marked = watermark(sound)
    assert marked.rate == rate
    assert len(marked.samples) == len(sound.samples)
    assert marked.samples.dtype == np.float32
    assert float(((marked.samples - sound.samples) ** 2).sum()) < float((sound.samples**2).sum()) / 10**2.5
    assert detect(marked).found
    assert not detect(sound).found


def test_it_is_found_upside_down_and_in_a_part() -> None:
    marked = watermark(murmur(20))
    assert detect(Audio(-marked.samples, marked.rate)).found
    other = murmur(20, seed=2).samples
    assert detect(Audio(np.concatenate([other, marked.samples[: 4 * 24_000], other]), marked.rate)).found


@pytest.mark.parametrize("by", [0.991, 0.9993, 1.0002, 1.0071])
def test_it_is_found_at_a_speed_that_is_a_little_wrong(by: float) -> None:
    import soxr

    marked = watermark(murmur(6))
    assert detect(Audio(soxr.resample(marked.samples, marked.rate * by, marked.rate), marked.rate)).found


def test_silence_stays_silence() -> None:
    silence = Audio(np.zeros(48_000, np.float32), 24_000)
    assert not watermark(silence).samples.any()
    assert detect(silence).score == 0
    pause = murmur().samples.copy()
    pause[24_000:48_000] = 0
    inside = watermark(Audio(pause, 24_000)).samples[24_000 + 2_400 : 48_000 - 2_400]
    assert np.abs(inside).max() < 2**-17  # less than half a step of 16 bit


@pytest.mark.parametrize("samples", [0, 1, 100, 5_000])
def test_what_is_too_short_comes_back_whole(samples: int) -> None:
    short = Audio(np.full(samples, 0.2, np.float32), 24_000)
    assert len(watermark(short).samples) == samples
    assert not detect(short).found


def test_full_scale_is_not_overloaded() -> None:
    loud = Audio(np.sign(murmur().samples), 24_000)
    marked = watermark(loud)
    assert np.abs(marked.samples).max() <= 1
    assert np.abs(marked.samples - loud.samples).max() < 0.5


def test_a_long_sound_is_marked_in_blocks_that_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = murmur(5)
    whole = watermark(sound)
    monkeypatch.setattr(watermarks, "BLOCK", 20 * watermarks.FRAME)
    np.testing.assert_allclose(watermark(sound).samples, whole.samples, atol=1e-6)


@pytest.mark.parametrize(
    "sound",
    [
        np.random.default_rng(3).standard_normal(5 * 24_000) * 0.1,
        np.sin(np.arange(5 * 24_000) / 20) * 0.5,
        (np.arange(5 * 24_000) % 240 == 0) * 0.5,
        (np.arange(5 * 24_000) == 60_000) * 0.9,
        np.sign(np.sin(np.arange(5 * 24_000) / 50)) * 0.9,
        np.ones(5 * 24_000),
    ],
    ids=["noise", "tone", "pulses", "click", "square", "offset"],
)
def test_no_sound_looks_marked(sound: np.ndarray) -> None:
    assert detect(Audio(sound.astype(np.float32), 24_000)).score < THRESHOLD - 1


def test_the_command_tells_and_its_status_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_it, without, broken = (str(tmp_path / name) for name in ("with.wav", "without.wav", "broken.wav"))
    Path(with_it).write_bytes(to_wav_bytes(watermark(murmur())))
    Path(without).write_bytes(to_wav_bytes(murmur()))
    Path(broken).write_bytes(b"not a sound")
    assert main([with_it]) == 0
    assert "watermark found" in capsys.readouterr().out
    assert main([with_it, without]) == 1
    assert "without.wav: no watermark" in capsys.readouterr().out
    assert main([without, broken, str(tmp_path / "nothing.wav"), with_it]) == 2
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    assert len(out.splitlines()) == len(err.splitlines()) == 2
