"""How a long recording is cut, with a finder that knows where the speech is; and how words are put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import pytest

from webui.audio.vad import RATE, Speech
from webui.engines.listening import Stretch, listen
from webui.engines.sensevoice_segments import Piece, words_of
from webui.errors import AudioError
from webui.types import Audio, Samples


class Knowing:
    """Finds the stretches it was told of, each once its end has been heard."""

    def __init__(self, *spoken: tuple[float, float]) -> None:
        self._spoken = list(spoken)
        self._heard: Samples = np.zeros(0, np.float32)

    @property
    def settled(self) -> float:
        heard = len(self._heard) / RATE
        return min(heard, self._spoken[0][0]) if self._spoken else heard

    def feed(self, samples: Samples) -> Iterator[Speech]:
        self._heard = np.concatenate((self._heard, samples))
        while self._spoken and self._spoken[0][1] * RATE <= len(self._heard):
            start, end = self._spoken.pop(0)
            yield Speech(start, Audio(self._heard[round(start * RATE) : round(end * RATE)], RATE), 1.0)

    def finish(self) -> Iterable[Speech]:
        yield from self.feed(np.zeros(0, np.float32))


def sound(seconds: float, loud: tuple[tuple[float, float], ...] = ()) -> Audio:
    """A ramp, so that every sample tells its place, as quiet as a room but where it is ``loud``."""
    samples = np.linspace(0, 0.005, round(seconds * RATE), dtype=np.float32)
    for start, end in loud:
        samples[round(start * RATE) : round(end * RATE)] += 0.3
    return Audio(samples, RATE)


def cut(audio: Audio, *spoken: tuple[float, float]) -> list[Stretch]:
    found = list(listen((audio.cut(at, at + 7.0) for at in np.arange(0, audio.duration, 7.0)), Knowing(*spoken)))
    for stretch in found:
        assert np.array_equal(stretch.audio.samples, audio.cut(stretch.start, stretch.end).samples)
    return found


def times(found: list[Stretch]) -> list[tuple[float, float, bool | None]]:
    return [(round(s.start, 2), round(s.end, 2), s.speech) for s in found]


def test_a_short_recording_is_heard_whole_and_nobody_looks_for_speech() -> None:
    assert times(cut(sound(30.0), (3.0, 4.0))) == [(0.0, 30.0, None)]


def test_a_long_one_gives_its_speech_in_order() -> None:
    assert times(cut(sound(90.0), (3.0, 9.0), (40.0, 60.0), (85.0, 90.0))) == [
        (3.0, 9.0, True),
        (40.0, 60.0, True),
        (85.0, 90.0, True),
    ]


def test_stretches_close_together_share_a_segment_until_it_is_long() -> None:
    found = cut(sound(60.0), (1.0, 5.0), (5.5, 9.0), (9.5, 15.0), (15.5, 25.0), (28.0, 29.0))
    assert times(found) == [(1.0, 15.0, True), (15.5, 25.0, True), (28.0, 29.0, True)]


def test_what_is_loud_between_speech_comes_too_and_what_is_quiet_or_a_click_does_not() -> None:
    loud = ((10.0, 14.0), (25.5, 25.6), (50.0, 58.0))
    found = cut(sound(60.0, loud), (3.0, 9.0), (20.0, 25.4), (26.2, 40.0))
    assert times(found) == [
        (3.0, 9.0, True),
        (9.0, 20.0, False),
        (20.0, 25.4, True),
        (26.2, 40.0, True),
        (40.0, 60.0, False),
    ]


def test_a_long_noise_comes_in_pieces_of_half_a_minute_while_it_lasts() -> None:
    audio = sound(100.0, ((0.0, 100.0),))
    heard = 0.0

    def blocks() -> Iterator[Audio]:
        nonlocal heard
        for at in np.arange(0, 100.0, 10.0):
            heard = at + 10.0
            yield audio.cut(at, at + 10.0)

    for stretch in listen(blocks(), Knowing()):
        assert stretch.audio.duration <= 30.0 and heard - stretch.start <= 50.0
    assert stretch.end == 100.0


def test_an_empty_recording_says_so() -> None:
    for audio in (sound(0.0), (sound(0.0) for _ in range(3))):
        with pytest.raises(AudioError):
            list(listen(audio, Knowing()))


def spaced(*pieces: str) -> list[Piece]:
    return [(piece, 0.5 * n, 0.5 * n + 0.06) for n, piece in enumerate(pieces)]


@pytest.mark.parametrize(
    ("text", "pieces", "words"),
    [
        ("Don't go, Anna.", ["▁Don", "'", "t", "▁go", ",", "▁An", "na", "."], ["Don't", "go,", "Anna."]),
        ("Don't go, Anna.", ["Don", "'", "t", "go", ",", "Anna", "."], ["Don't", "go,", "Anna."]),
        ("你好，world！再见", ["你", "好", "，", "wor", "ld", "！", "再", "见"], ["你", "好，", "world！", "再", "见"]),
        ("ラジオを聞く。", ["ラ", "ジ", "オ", "を", "聞", "く", "。"], ["ラ", "ジ", "オ", "を", "聞", "く。"]),
        ("문을 닫아", [" 문", "을", " 닫", "아"], ["문을", "닫아"]),
        ("It is 12 %.", ["▁It", "▁is", "▁12", "▁%", "."], ["It", "is", "12%."]),
        ("So we waited.", ["▁we", "▁wai", "ted", "."], ["we", "waited."]),  # a piece is missing
        ("", [], []),
    ],
)
def test_words_are_put_together_as_they_stand_in_the_text(text: str, pieces: list[str], words: list[str]) -> None:
    found = words_of(text, spaced(*pieces))
    assert [w.text for w in found] == words
    assert all(a.end <= b.start + 1e-9 for a, b in pairwise(found))
    assert all(w.start < w.end <= w.start + 0.5 * len(pieces) for w in found)
