"""Proof-listening: what sounds the same counts as the same, and what does not is said again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest

from tests.scripted import RATE, ScriptedEngines, ScriptedRecognizer, ScriptedSynthesizer
from webui.engines.protocols import EngineInfo, RecognitionRequest, SpeechRequest
from webui.engines.registry import Engines
from webui.features.proof import Check, compare, units, ways
from webui.features.speak import Checked, Note, Said, Script, plan, speak
from webui.types import Audio, Segment, SpeechChunk, Voice, Word

VOICE = Voice("one", "One", ("en", "zh"))


def wrong(said: str, heard: str, language: str) -> tuple[float, int, int]:
    return compare(units(said, language), units(heard, language))


@pytest.mark.parametrize(
    ("said", "heard", "language"),
    [
        ("I was born in 1984.", "i was born in nineteen eighty-four", "en"),
        ("It costs $5.50 for 3.", "It costs five dollars and fifty cents for three.", "en"),
        ("On May 3rd, at 10:30!", "on May third at ten thirty", "en"),
        ("Don’t go — it's **late**.", "don't go, its late", "en"),
        ("Well, [breath] yes [pause 0.5] <strong>no</strong>.", "Well yes no", "en"),
        ("我在2024年3月5日花了35.5元。", "我在二零二四年三月五日花了三十五点五元", "zh"),
        ("他说得对，是的。", "她说的对，事的", "zh"),
        ("臺灣的電腦。", "台湾的电脑", "zh"),
        ("他说Hello world然后走了。", "他说hello, world,然后走了", "zh"),
        ("每次吃500mg。", "每次吃五百毫克", "zh"),
        ("The score was 3-2 under Louis XIV.", "the score was three to two under Louis the Fourteenth", "en"),
        ("{还|huan2}钱。", "环钱", "zh"),
    ],
)
def test_what_sounds_the_same_is_the_same(said: str, heard: str, language: str) -> None:
    assert wrong(said, heard, language) == (0.0, 0, 0)


@pytest.mark.parametrize(
    ("said", "heard", "language", "expected"),
    [
        ("The cat sat on the mat.", "the cat on the mat", "en", (1 / 6, 1, 0)),
        ("The cat sat on the mat.", "the cat sat sat on the mat", "en", (1 / 6, 0, 1)),
        ("The cat sat on the mat.", "", "en", (1.0, 6, 0)),
        ("今天天气很好。", "今天很好", "zh", (2 / 6, 2, 0)),
        ("今天天气很好。", "今天天气天气很好", "zh", (2 / 6, 0, 2)),
    ],
)
def test_words_that_are_missing_or_too_many_are_counted(
    said: str, heard: str, language: str, expected: tuple[float, int, int]
) -> None:
    assert wrong(said, heard, language) == pytest.approx(expected)


def test_another_spelling_costs_less_than_another_word() -> None:
    spelled, other = wrong("The colour red.", "the color red", "en"), wrong("The colour red.", "the dog red", "en")
    assert 0 < spelled[0] < 0.1 < other[0] <= 1 / 3
    assert spelled[1:] == other[1:] == (0, 0)


def test_doubt_alone_is_reason_enough_and_decides_between_equals() -> None:
    clear, mumbled = Check("a", 0.0, 0, 0, 0.1), Check("a", 0.0, 0, 0, 0.8)
    assert clear.good and not mumbled.good
    assert clear.badness < mumbled.badness < Check("b", 0.3, 0, 0, 0.0).badness


def test_an_engine_with_a_seed_gets_another_and_one_without_something_else() -> None:
    request = SpeechRequest("Well, I think so, yes.", VOICE, seed=7, speed=1.0)
    assert [[r.seed for r in way] for way in ways(request, seeded=True)] == [[7], [8], [9]]
    plain, clauses, slower = ways(request, seeded=False)
    assert plain == (request,) and slower[0].speed == pytest.approx(0.94)
    assert [r.text for r in clauses] == ["Well,", "I think so,", "yes."]
    assert [way[0].speed for way in ways(SpeechRequest("Yes.", VOICE, speed=0.5), seeded=False)] == [0.5, 0.53, 0.56]
    assert [way[0].speed for way in ways(SpeechRequest("Yes.", VOICE, speed=2.0), seeded=False)] == [2.0, 1.88, 1.76]


@dataclass
class Trying(ScriptedSynthesizer):
    """Each time with a sound of its own: the first of level 0.1, the second of 0.2 …"""

    seeded: bool = True

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("Trying", ("en",), {"seed": self.seeded or "No."}, "CPU", "", True)

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        self.requests.append(request)
        level = 0.1 * len(self.requests)
        yield SpeechChunk(Audio(np.full(RATE, level, np.float32), RATE), request.text)


@dataclass
class Hearing(ScriptedRecognizer):
    """Hears what it is told to, in order."""

    hears: list[str] = field(default_factory=list)
    sure: float = 0.9

    def transcribe(self, request: RecognitionRequest) -> Iterator[Segment]:
        self.requests.append(request)
        words = tuple(Word(word, 0, 1, self.sure) for word in self.hears[len(self.requests) - 1].split())
        yield Segment(0, 1, " ".join(word.text for word in words), "en", words=words)


def proved(text: str, hearing: Hearing, synthesizer: Trying) -> tuple[list[float], list[Checked], list[Note]]:
    """The level of each part's sound, what was told of it, and notes."""
    script = Script(text, VOICE, proof=True)
    engines = cast(Engines, ScriptedEngines(recognizer=hearing, synthesizer=synthesizer))
    events = list(speak(engines, script, plan(script)))
    levels = [float(e.audio.samples.max()) for e in events if isinstance(e, Said) and not e.last]
    return levels, [e for e in events if isinstance(e, Checked)], [e for e in events if isinstance(e, Note)]


def test_what_was_said_right_is_said_once() -> None:
    hearing, synthesizer = Hearing(hears=["hello my friend"]), Trying()
    levels, checks, notes = proved("Hello my friend.", hearing, synthesizer)
    assert levels == pytest.approx([0.1]) and not notes
    assert checks == [Checked(0, "hello my friend", 0.0, 1)]
    request = hearing.requests[0]
    assert (request.language, request.itn) == ("en", False)


def test_what_was_said_wrong_is_said_again_and_the_first_good_one_is_taken() -> None:
    synthesizer = Trying()
    levels, checks, _ = proved("Hello my friend.", Hearing(hears=["hello friend", "hello my friend"]), synthesizer)
    assert levels == pytest.approx([0.2]) and checks[0].tries == 2
    assert [request.seed for request in synthesizer.requests] == [0, 1]


def test_of_three_bad_ones_the_best_is_kept() -> None:
    hears = ["something else", "hello my", "nothing at all"]
    levels, checks, _ = proved("Hello my friend.", Hearing(hears=hears), Trying())
    assert levels == pytest.approx([0.2]) and (checks[0].heard, checks[0].tries) == ("hello my", 3)
    assert checks[0].wrong == pytest.approx(1 / 3)


def test_mumbled_words_are_said_again() -> None:
    _, checks, _ = proved("Hello.", Hearing(hears=["hello"] * 3, sure=0.2), Trying())
    assert (checks[0].wrong, checks[0].tries) == (0.0, 3)


def test_an_engine_without_a_seed_is_given_its_clauses_one_by_one() -> None:
    synthesizer = Trying(seeded=False)
    proved("Hello, friend.", Hearing(hears=["no", "hello friend"]), synthesizer)
    assert [request.text for request in synthesizer.requests] == ["Hello, friend.", "Hello,", "friend."]


def test_other_languages_are_spoken_and_said_to_be_unchecked() -> None:
    levels, checks, notes = proved("Привет.", Hearing(), Trying())
    assert len(levels) == 1 and not checks
    assert [note.key for note in notes] == ["proof_unchecked"]
