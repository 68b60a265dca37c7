"""Cutting sentences so that nobody waits, on a clock that only the scripted synthesizer moves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from webui.conversation.pacing import LEAST, Pacer
from webui.text.pieces import width
from webui.types import Audio, SpeechChunk

LETTERS_A_SECOND = 15.0
LONG = (
    "A spider has eight legs, as you may have seen, and that is why it is not an insect; "
    "it belongs to the arachnids, which also count scorpions among them."
)


class Stage:
    """A synthesizer that takes ``factor`` of the time that its speech lasts, and a listener who hears every gap."""

    def __init__(self, factor: float, chunks: int = 1, at_once: bool = False) -> None:
        self.now = 100.0
        self.factor = factor
        self.at_once = at_once
        self.chunks = chunks
        self.played_until: float | None = None
        self.gaps: list[float] = []
        self.parts: list[str] = []
        self.first_at = 0.0

    def synthesize(self, text: str) -> Iterator[SpeechChunk]:
        seconds = width(text) / LETTERS_A_SECOND / self.chunks
        for i in range(self.chunks):
            if not self.at_once:
                self.now += 0.05 / self.chunks + seconds * self.factor
            elif i == 0:
                self.now += 0.05 + seconds * self.chunks * self.factor
            yield SpeechChunk(Audio(np.zeros(round(seconds * 1000), np.float32), 1000), text)

    def speak(self, sentences: list[str], pacer: Pacer | None) -> None:
        for whole in sentences:
            text = whole
            while text:
                part, text = pacer.cut(text) if pacer else (text, "")
                self.parts.append(part)
                speech = self.synthesize(part)
                for chunk in pacer.watch(part, speech) if pacer else speech:
                    if self.played_until is None:
                        self.first_at = self.played_until = self.now
                    self.gaps.append(max(0.0, self.now - self.played_until))
                    self.played_until = max(self.played_until, self.now) + chunk.audio.duration


def both(sentences: list[str], factor: float, chunks: int = 1, at_once: bool = False) -> tuple[Stage, Stage]:
    plain, paced = (Stage(factor, chunks, at_once) for _ in range(2))
    plain.speak(sentences, None)
    paced.speak(sentences, Pacer(lambda: paced.now))
    assert paced.first_at == plain.first_at
    return plain, paced


@pytest.mark.parametrize("factor", [0.3, 0.5, 0.7])
def test_a_long_sentence_after_a_short_one_leaves_less_silence(factor: float) -> None:
    plain, paced = both(["Of course!", LONG, LONG], factor)
    assert sum(plain.gaps) > 1.5
    assert sum(paced.gaps) < 0.5 * sum(plain.gaps)
    assert " ".join(paced.parts) == " ".join(["Of course!", LONG, LONG])


def test_chinese_clauses() -> None:
    long = "蜘蛛有八条腿，所以它不是昆虫，而是蛛形动物；它的亲戚还有蝎子和螨虫，都有八条腿。"
    plain, paced = both(["当然可以。", long], 0.5)
    assert sum(paced.gaps) < 0.5 * sum(plain.gaps)
    assert "".join(paced.parts) == "当然可以。" + long


def test_pieces_grow_with_what_is_ahead() -> None:
    _, paced = both(["Of course!", LONG, LONG, LONG], 0.3)
    assert paced.parts[-1] == LONG, "with enough ahead a sentence stays whole"
    assert width(paced.parts[1]) < width(paced.parts[2]) < width(LONG)


def test_a_fast_engine_and_one_that_streams_are_given_whole_sentences() -> None:
    _, fast = both(["Of course, yes, I can do that.", LONG], 0.02)
    assert fast.parts[1:] == [LONG]
    _, streaming = both(["Of course!", LONG], 0.5, chunks=10)
    assert streaming.parts[1:] == [LONG]


def test_sound_in_many_chunks_that_come_all_at_once_is_no_stream() -> None:
    plain, paced = both(["Of course!", LONG], 0.5, chunks=10, at_once=True)
    assert sum(paced.gaps) < 0.5 * sum(plain.gaps)


def test_what_has_no_clause_or_only_crumbs_is_not_cut() -> None:
    for sentence in (
        "A sentence without any pause in it can only be said as a whole and so it is",
        "Yes, it was 1,000 euros.",
    ):
        _, paced = both(["Of course!", sentence], 0.7)
        assert paced.parts[1:] == [sentence]
    _, paced = both(["Of course!", LONG], 0.7)
    assert all(width(part) >= LEAST for part in paced.parts[1:])


def test_time_that_the_reader_takes_is_not_the_synthesizers() -> None:
    stage = Stage(0.0)
    pacer = Pacer(lambda: stage.now)
    for _ in pacer.watch("Of course!", stage.synthesize("Of course!")):
        stage.now += 0.1  # twice what the synthesizer took; enough is still ahead for the whole sentence
    assert pacer.cut(LONG) == (LONG, "")
