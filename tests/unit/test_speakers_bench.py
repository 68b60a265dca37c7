"""The figures of the speaker benchmark."""

from __future__ import annotations

import numpy as np
import pytest

from bench.speakers import elsewhere, joined, judge, read
from webui.audio.convert import to_wav_bytes
from webui.types import Audio


def test_figures_of_known_similarities() -> None:
    genuine, impostor = np.linspace(0.5, 0.9, 41), np.linspace(0.0, 0.6, 61)
    found = judge(genuine, impostor)
    assert (found.genuine, found.impostor) == (41, 61)
    assert 0.5 < found.eer_at < 0.6 and 0.05 < found.eer < 0.2
    assert found.false_reject == pytest.approx(5 / 41, abs=0.03) and found.false_accept == pytest.approx(
        6 / 61, abs=0.03
    )
    apart = judge(genuine, impostor - 0.5)
    assert apart.eer == 0 and apart.false_accept == 0


def test_pieces_are_long_enough_and_of_one_speaker() -> None:
    assert [len(piece) for piece in joined([np.zeros(16_000, np.float32)] * 7, 2.5)] == [48_000, 48_000]


def test_only_calm_recordings_are_read(tmp_path) -> None:
    wave = to_wav_bytes(Audio(np.full(16_000, 0.1, np.float32), 16_000))
    for name in "abcd":
        (tmp_path / f"{name}.wav").write_bytes(wave)
    rows = "file,speaker,emotion\na.wav,1,NEUTRAL\nb.wav,1,ANGRY\nc.wav,2,\nd.wav,2,BOREDOM\n"
    (tmp_path / "labels.csv").write_text(rows, "utf-8")
    pieces = read(tmp_path / "labels.csv", 1.0)
    assert {speaker: len(own) for speaker, own in pieces.items()} == {"1": 1, "2": 2}


def test_another_microphone_is_noisy_and_narrow() -> None:
    tone = np.sin(np.arange(16_000) * 2 * np.pi * 6000 / 16_000).astype(np.float32) * 0.5
    low = np.sin(np.arange(16_000) * 2 * np.pi * 1000 / 16_000).astype(np.float32) * 0.5
    random = np.random.default_rng(0)
    assert np.sqrt((elsewhere(tone, random) ** 2).mean()) < 0.02
    assert np.sqrt((elsewhere(low, random) ** 2).mean()) > 0.3
