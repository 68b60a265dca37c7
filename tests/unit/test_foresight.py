"""Where hearing takes nothing from this machine, the answer is begun as soon as the voice falters."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.waiting import finish
from webui.conversation.turntaking import Began, Ended, Faltered, Happening, Paused, Recovered, TurnTaking, WentOn
from webui.features.ear import Noticed
from webui.features.hearing import Utterance
from webui.features.live import Live
from webui.types import Audio, Segment, Transcript

EARLY, LATE = 1.0, 1.064  # seconds of sound where the voice falters, and in the pause
QUESTION = "What is the capital of France?"


@dataclass
class Listening:
    """Who is told: hears ``early`` in what ends where the voice falters and ``late`` in what ends in the pause."""

    early: str = QUESTION
    late: str = QUESTION
    foresees: bool = True
    reply: Any = None
    asked: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    released: list[str] = field(default_factory=list)

    async def understand(self, sound: Audio, *, brief: bool = False, finality: bool = True) -> Utterance:
        assert finality is (sound.duration > LATE - 0.01)
        text = self.early if sound.duration < LATE - 0.01 else self.late
        return Utterance(sound, Transcript((Segment(0, 1, text, "en"),), sound.duration), 0.9)

    def answer(self, item: str, utterance: Utterance, began: float, tentative: bool) -> Any:
        said = utterance.transcript.text
        self.asked.append(said)
        return SimpleNamespace(said=said, cancel=lambda: self.stopped.append(said))

    def release(self, reply: Any) -> None:
        self.released.append(reply.said)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name in ("speech_started", "partial", "ended", "ignored", "failed"):
            return lambda *_, **__: None
        raise AttributeError(name)


def heard(audience: Listening, *happenings: Happening) -> Listening:
    """One turn of these happenings, with time for what each begins."""

    async def turn() -> None:
        live = Live(audience, TurnTaking())
        for happening in (Began(0.0), *happenings):
            seconds = EARLY if isinstance(happening, Faltered) else LATE
            live._notice(Noticed(happening, seconds, 1.0, Audio(np.zeros(round(seconds * 16000), np.float32), 16000)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        live.close()

    work: Awaitable[None] = turn()
    finish(work)  # type: ignore[arg-type]
    return audience


@pytest.mark.parametrize("early", [QUESTION, "what is the capital of France"])
def test_the_answer_stands_where_the_words_stay_the_same(early: str) -> None:
    found = heard(Listening(early=early), Faltered(), Paused(EARLY, 1), Ended(EARLY))
    assert (found.asked, found.stopped, found.released) == ([early], [], [early])


def test_words_that_lacked_their_end_are_not_answered() -> None:
    found = heard(Listening(early="What is the cap"), Faltered(), Paused(EARLY, 1), Ended(EARLY))
    assert (found.asked, found.stopped, found.released) == (
        ["What is the cap", QUESTION],
        ["What is the cap"],
        [QUESTION],
    )


def test_the_answer_is_thrown_away_where_the_voice_recovers() -> None:
    found = heard(Listening(), Faltered(), Recovered())
    assert (found.asked, found.stopped, found.released) == ([QUESTION], [QUESTION], [])


def test_the_answer_is_thrown_away_where_the_turn_goes_on() -> None:
    found = heard(Listening(), Faltered(), Paused(EARLY, 1), WentOn())
    assert (found.asked, found.stopped, found.released) == ([QUESTION], [QUESTION], [])


def test_a_turn_that_trails_off_is_not_answered_ahead() -> None:
    found = heard(Listening(early="I went there and", late="I went there and"), Faltered(), Paused(EARLY, 1))
    assert (found.asked, found.stopped) == (["I went there and"], ["I went there and"])


def test_nothing_is_recognised_early_on_our_own_processor() -> None:
    found = heard(Listening(early="Never heard", foresees=False), Faltered(), Paused(EARLY, 1), Ended(EARLY))
    assert (found.asked, found.released) == ([QUESTION], [QUESTION])
