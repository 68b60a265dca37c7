"""Whose turn it is, told by the real models: Silero hears that somebody speaks, Whisper what."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest

from bench.turntaking import Timed, talked_over, turn
from bench.turntaking_set import Item, in_room, trim
from tests.engines.spoken import RATE, say
from webui.config import ROOT, Settings
from webui.engines.smart_turn import SmartTurn
from webui.engines.store import ModelStore
from webui.engines.whisper import WhisperRecognizer

pytestmark = pytest.mark.engine

LATENCY = 0.4


@pytest.fixture(scope="module")
def recognise() -> Generator[Timed, None, None]:
    store = ModelStore(ROOT / "models")
    recognizer, turn_end = WhisperRecognizer(store, Settings()), SmartTurn(store)
    turn_end.load()
    yield Timed(recognizer, turn_end)
    recognizer.close()


def item(kind: str, language: str) -> Item:
    return Item(kind, language, (), held_out=False)


@pytest.mark.parametrize(
    ("language", "question"), [("en", "What is the capital of France?"), ("zh", "请问法国的首都是哪里？")]
)
def test_a_question_is_over_at_once(recognise: Timed, language: str, question: str) -> None:
    outcome = turn(item("finished", language), in_room(trim(say(question, language))), recognise, LATENCY)
    assert not outcome.wrong
    assert outcome.wait is not None and outcome.wait < 0.7


@pytest.mark.parametrize(
    ("language", "first", "rest"),
    [("en", "I would like to", "book a table for two."), ("zh", "我昨天去了商店，然后", "我买了一些牛奶。")],
)
def test_a_pause_in_a_sentence_is_not_its_end(recognise: Timed, language: str, first: str, rest: str) -> None:
    pause = np.zeros(RATE, np.float32)
    whole = in_room(np.concatenate((trim(say(first, language)), pause, trim(say(rest, language)))))
    assert not turn(item("paused", language), whole, recognise, LATENCY).wrong


@pytest.mark.parametrize(
    ("kind", "language", "text"),
    [
        ("backchannel", "en", "Okay."),
        ("backchannel", "zh", "嗯。"),
        ("interruption", "en", "Wait, stop."),
        ("interruption", "zh", "等一下。"),
    ],
)
def test_a_reply_is_interrupted_by_words_only(recognise: Timed, kind: str, language: str, text: str) -> None:
    assert not talked_over(item(kind, language), in_room(trim(say(text, language))), recognise, LATENCY).wrong
