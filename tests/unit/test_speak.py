"""How a text becomes parts, and what is made of what an engine gives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest

from tests.scripted import RATE, ScriptedEngines, ScriptedSynthesizer, tone
from webui.conversation.scope import TurnScope
from webui.engines.protocols import EngineInfo, SpeechRequest
from webui.engines.registry import Engines
from webui.errors import Cancelled, EngineError, UserError
from webui.features.speak import FIRST, MAX_CHARACTERS, Note, Part, Said, Script, plan, said, speak
from webui.text.pieces import LONGEST, width
from webui.types import Audio, SpeechChunk, Voice, Word

VOICE = Voice("one", "One", ("en", "zh"))
LONG = "Of all the things that he had ever seen, and he had seen a lot, this was the one that he would never forget. "


def script(text: str, proof: bool = False) -> Script:
    return Script(text, VOICE, proof=proof)


def over(synthesizer: ScriptedSynthesizer) -> Engines:
    return cast(Engines, ScriptedEngines(synthesizer=synthesizer))


def texts(text: str) -> list[tuple[str, int, float]]:
    return [(part.text, part.paragraph, part.pause) for part in plan(script(text))]


@dataclass
class Giving(ScriptedSynthesizer):
    """Gives these sounds, whatever it is asked, and then fails where it is told to."""

    sounds: list[np.ndarray] = field(default_factory=list)
    fails: bool = False
    capabilities: dict[str, bool | str] = field(default_factory=dict)

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("Giving", ("en",), self.capabilities, "CPU", "", True)

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        self.requests.append(request)
        for i, samples in enumerate(self.sounds):
            audio = Audio(samples.astype(np.float32), RATE)
            yield SpeechChunk(audio, f"word{i}", (Word(f"word{i}", 0.0, audio.duration),))
        if self.fails:
            raise EngineError("server_broke_off", "It broke off.")


def spoken(synthesizer: ScriptedSynthesizer, text: str = "Hello.") -> list[Said]:
    it = script(text)
    return [e for e in speak(over(synthesizer), it, plan(it)) if isinstance(e, Said)]


def whole(pieces: list[Said]) -> np.ndarray:
    return np.concatenate([piece.audio.samples for piece in pieces])


def test_parts_end_with_paragraphs_and_pauses() -> None:
    assert texts("One is. Two is.\n\n\nThree [pause 0.5] goes on.\n[pause 2]") == [
        ("One is. Two is.", 0, 0.0),
        ("Three", 1, 0.4),
        ("goes on.", 1, 0.5),
        ("", 1, 2.0),
    ]


def test_a_pause_at_the_beginning_and_two_in_a_row_are_all_waited_for() -> None:
    assert texts("[pause 1] Now. [pause 0.5][pause 2]\nThen.") == [("Now.", 0, 1.0), ("Then.", 1, 2.5)]


def test_the_first_part_is_a_clause_and_later_ones_whole_sentences() -> None:
    parts = [text for text, _, _ in texts(LONG * 4)]
    assert parts[0] == "Of all the things that he had ever seen,"
    assert parts[1] == "and he had seen a lot,"
    assert parts[-1].endswith(LONG.strip()) and all(width(text) <= LONGEST for text in parts)
    assert " ".join(parts) == (LONG * 4).strip()
    assert width(texts("Well, well, well, that is what he said to me.")[0][0]) <= FIRST


def test_marks_stay_whole_and_a_reading_alone_is_something_to_say() -> None:
    assert texts("{重庆|chong2 qing4}。") == [("{重庆|chong2 qing4}。", 0, 0.0)]
    parts = texts(f"<strong>{LONG}{LONG}</strong>")
    assert len(parts) > 1 and all(text.startswith("<strong>") and text.endswith("</strong>") for text, _, _ in parts)


def test_code_is_not_read_aloud_and_cannot_open_a_paragraph() -> None:
    assert texts("Look:\n```\nx = 1\n\ny = 2\n```\nThat is all.") == [("Look:", 0, 0.0), ("That is all.", 1, 0.4)]


@pytest.mark.parametrize("text", ["", " \n\t", "…!?", "[pause 1]", "```code```", "😀", "\U000f0000"])
def test_nothing_to_say_is_said(text: str) -> None:
    with pytest.raises(UserError, match="nothing to say"):
        plan(script(text))


@pytest.mark.parametrize(
    ("text", "key"), [("a" * (MAX_CHARACTERS + 1), "text_too_long"), ("Wait [pause 9] here.", "pause_wrong")]
)
def test_what_cannot_be_planned_is_one_sentence(text: str, key: str) -> None:
    with pytest.raises(UserError) as caught:
        plan(script(text))
    assert caught.value.key == key


@pytest.mark.parametrize(
    "text",
    [
        ("银行里有很多人。" * 2500)[:MAX_CHARACTERS],
        "word " * (MAX_CHARACTERS // 5),
        "x" * MAX_CHARACTERS,
        "a\n" * (MAX_CHARACTERS // 2),
        "{" * 10_000 + "a|" * 5_000,
        ("<strong>" * 2_400 + "a")[:MAX_CHARACTERS],
        "\x00\u202e\ud800a" * 1_000,
    ],
)
def test_the_longest_and_strangest_texts_are_planned(text: str) -> None:
    try:
        parts = plan(script(text))
    except UserError as error:
        assert error.key == "reading_wrong"
    else:
        assert parts and all(width(part.text) <= LONGEST * 2 for part in parts)


def test_a_part_begins_and_ends_in_silence_and_never_leaves_the_scale() -> None:
    step = np.full(RATE // 10, 3.0)
    step[7], step[8] = np.nan, np.inf
    sound = whole(spoken(Giving(sounds=[step, -step])))
    assert len(sound) == 2 * RATE // 10 and np.isfinite(sound).all()
    assert np.abs(sound).max() <= 1.0
    assert abs(sound[0]) < 0.01 and abs(sound[-1]) < 0.01


def test_words_are_told_from_where_their_sound_begins() -> None:
    pieces = spoken(Giving(sounds=[np.full(RATE // 2, 0.1), np.full(RATE // 4, 0.1)]), "[pause 1] Hello.")
    assert [piece.text for piece in pieces] == ["word0", "word1", ""]
    assert [piece.start for piece in pieces] == pytest.approx([0.0, 1.49, 1.74])
    starts = [piece.start + word.start for piece in pieces for word in piece.words]
    assert starts == pytest.approx([1.0, 1.5])
    assert not whole(pieces)[:RATE].any()
    assert [piece.last for piece in pieces] == [False, False, True]


def test_two_requests_of_a_part_fade_into_each_other() -> None:
    up, down = Giving(sounds=[np.full(RATE, 0.5)]), Giving(sounds=[np.full(RATE, -0.5)])
    request = SpeechRequest("Hello.", VOICE)
    pieces = list(said(0, 0.0, (one.synthesize(request) for one in (up, down)), TurnScope(0)))
    sound = whole(pieces)
    assert len(sound) == 2 * RATE - RATE // 100
    assert np.abs(np.diff(sound)).max() < 0.02


def test_only_the_first_part_is_hurried() -> None:
    synthesizer = ScriptedSynthesizer()
    spoken(synthesizer, "One here.\nTwo there.\nThree.")
    assert [request.eager for request in synthesizer.requests] == [True, False, False]


def test_a_part_that_an_engine_says_nothing_for_is_silence() -> None:
    pieces = spoken(Giving(), "Hello.\nThere.")
    assert [(piece.part, piece.last, len(piece.audio.samples)) for piece in pieces] == [
        (0, True, 0),
        (1, True, round(0.4 * RATE)),
    ]


def test_tokens_that_the_engine_lacks_are_told_once() -> None:
    synthesizer = Giving(sounds=[tone(0.1).samples], capabilities={"tokens": True, "token_mn": "It has no mm."})
    it = script("A [breath] b.\nC [mn] d. [mn] e.")
    notes = [e for e in speak(over(synthesizer), it, plan(it)) if isinstance(e, Note)]
    assert [(note.key, note.values["tokens"]) for note in notes] == [("tokens_left_out", "mn")]


def test_it_goes_on_where_it_is_told_to_and_sounds_the_same() -> None:
    it = script("One here.\nTwo there.\nThree.")
    engines = over(ScriptedSynthesizer())
    all_of_it = [e for e in speak(engines, it, plan(it)) if isinstance(e, Said)]
    rest = [e for e in speak(engines, it, plan(it), start=1) if isinstance(e, Said)]
    assert (whole([e for e in all_of_it if e.part > 0]) == whole(rest)).all()


def test_an_engine_that_fails_fails_the_part() -> None:
    it = script("One here.\nTwo there.")
    events = speak(over(Giving(sounds=[tone(1).samples], fails=True)), it, plan(it))
    assert next(events).part == 0  # type: ignore[union-attr]
    with pytest.raises(EngineError, match="broke off"):
        list(events)


@dataclass
class Endless(ScriptedSynthesizer):
    """Speaks until it is closed."""

    closed: threading.Event = field(default_factory=threading.Event)

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        try:
            while True:
                yield SpeechChunk(tone(0.1), "la")
        finally:
            self.closed.set()


def test_closing_it_stops_the_engine() -> None:
    synthesizer = Endless()
    it = script("La la la.")
    with closing(speak(over(synthesizer), it, plan(it))) as events:
        next(events)
        assert not synthesizer.closed.is_set()
    assert synthesizer.closed.is_set()


@dataclass
class Mute(ScriptedSynthesizer):
    """As a server that does not answer: only ``close``, from another thread, wakes who waits for it."""

    asked: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        return self

    def __iter__(self) -> Iterator[SpeechChunk]:
        return self

    def __next__(self) -> SpeechChunk:
        self.asked.set()
        assert self.closed.wait(10)
        raise StopIteration

    def close(self) -> None:
        self.closed.set()


def test_cancelling_wakes_who_waits_for_a_silent_engine() -> None:
    synthesizer, scope = Mute(), TurnScope(0)
    it = script("Hello.")
    ended: list[type[BaseException]] = []

    def work() -> None:
        try:
            list(speak(over(synthesizer), it, plan(it), scope=scope))
        except Cancelled as error:
            ended.append(type(error))

    thread = threading.Thread(target=work)
    thread.start()
    assert synthesizer.asked.wait(5)
    scope.cancel()
    thread.join(5)
    assert ended == [Cancelled]


def test_a_part_without_words_is_only_its_pause() -> None:
    pieces = list(said(3, 0.5, (), TurnScope(0)))
    assert [(piece.part, piece.last, piece.audio.duration) for piece in pieces] == [(3, True, 0.5)]
    assert Part("", 0).pause == 0.0
