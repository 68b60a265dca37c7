"""The sums of ``bench.engines``."""

from __future__ import annotations

import pytest

from bench.engines import RATE, compare, speech


def test_the_worse_ratio_of_medians_counts() -> None:
    found = {
        ("SenseVoice", 10): [9.0, 0.21, 0.2],
        ("SenseVoice, library alone", 10): [0.1, 0.2, 7.0],
        ("SenseVoice", 60): [1.0, 1.0, 2.0],
        ("Whisper base", 10): [2.1, 0.3, 50.0],
        ("Whisper base, as here", 10): [1.0, 1.5],
        ("Whisper base", 60): [6.0],
    }
    assert compare(found, 512.4) == {
        "sensevoice_speedup_over_whisper": 6.0,
        "adapter_overhead": 0.05,
        "peak_rss_mb": 512,
    }


@pytest.mark.parametrize("seconds", [10, 60])
def test_there_is_as_much_speech_as_is_asked_for(seconds: int) -> None:
    audio = speech(seconds)
    assert (audio.rate, len(audio.samples)) == (RATE, seconds * RATE)
    assert abs(audio.samples).max() > 0.05
