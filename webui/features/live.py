"""A conversation that listens while it speaks: who has the floor, and what is begun before that is certain.

``Live`` runs on an event loop: an ``Ear`` tells it what the microphone does, and it tells its ``Audience`` what that
means. All of it happens on the loop, one thing after the other; recognition and replies work in threads.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from webui.conversation.backchannels import confidence, is_backchannel
from webui.conversation.endings import Ending, ending, judged
from webui.conversation.session import new_id
from webui.conversation.turntaking import (
    Began,
    Ended,
    Faltered,
    Insisted,
    Paused,
    Recovered,
    Settled,
    Stirred,
    TurnTaking,
    WentOn,
)
from webui.errors import UserError
from webui.features.ear import Ear, Noticed
from webui.features.hearing import MAX_TURN_SECONDS, Utterance
from webui.features.replies import Reply
from webui.types import Audio, Samples

log = logging.getLogger(__name__)

# Recognitions at once: what was said up to now need not wait for what was said up to the pause before.
AT_ONCE = 2


@dataclass(eq=False)
class Speech:
    """Something that is being said; ``item`` is its id in the conversation.

    ``began`` and ``ended`` are seconds of the stream, ``voiced`` how many of them were speech. ``granted``: it has the
    floor. What is said while a reply is heard has to earn it: a back-channel does not.
    """

    item: str
    began: float
    granted: bool = False
    voiced: float = 0.0
    sound: Audio | None = None  # up to the last pause
    before: Speech | None = None  # what it goes on from: a turn that seemed over, and was not
    pause: int = 0  # which pause it is in, 0 for none
    silent_since: float = 0.0  # on the monotonic clock
    ended: float | None = None
    heard: Utterance | UserError | None = None  # up to this pause
    hunch: object = None  # the recognition begun where the voice falters, for as long as it has not recovered
    guess: Reply | None = None  # made ahead, on account of what was heard
    guessed: str = ""  # the words that it answers

    @property
    def words(self) -> str:
        """What was recognised up to this pause."""
        return self.heard.transcript.text if isinstance(self.heard, Utterance) else ""

    @property
    def misheard(self) -> bool:
        """Whether the guess answers other words than were said; their marks count for nothing."""
        said, guessed = ("".join(filter(str.isalnum, words)).lower() for words in (self.words, self.guessed))
        return said != guessed

    @property
    def whole(self) -> Audio:
        """Its sound, with that of what it goes on from."""
        assert self.sound is not None
        if self.before is None:
            return self.sound
        return Audio(np.concatenate((self.before.whole.samples, self.sound.samples)), self.sound.rate)

    @property
    def slight(self) -> bool:
        """Whether it is no more than a noise or a back-channel."""
        if not isinstance(self.heard, Utterance) or not self.words:
            return True
        return is_backchannel(self.words, self.voiced, confidence(self.heard.transcript))


class Audience(Protocol):
    """Who is told what happens, on the event loop, and does what has to be done about it."""

    @property
    def reply(self) -> Reply | None:
        """The reply that is being made or heard, whoever asked for it."""
        ...

    @property
    def foresees(self) -> bool:
        """Whether recognising more often than needed takes nothing from what else this machine does."""
        ...

    def understand(self, sound: Audio, *, brief: bool = False, finality: bool = True) -> Awaitable[Utterance]:
        """Recognise what was said so far. Raises ``UserError``.

        ``brief``: it may be a back-channel, too short to tell its language. ``finality``: that is wanted, too.
        """
        ...

    def answer(self, item: str, utterance: Utterance, began: float, tentative: bool) -> Reply:
        """Begin a reply. ``began``: when the person fell silent, on the monotonic clock."""
        ...

    def release(self, reply: Reply) -> None:
        """The tentative reply is certain: it is told."""
        ...

    def speech_started(self, speech: Speech, interrupts: bool) -> None:
        """Somebody speaks and has the floor; where this ``interrupts``, the reply is over."""
        ...

    def take_back(self, item: str, reply: Reply) -> None:
        """The turn of that item was not over, and nobody has heard the reply: both never were."""
        ...

    def hold(self, reply: Reply) -> None:
        """Somebody stirs: the player falls silent, and keeps its place."""
        ...

    def resume(self, reply: Reply) -> None:
        """It was nothing: the player goes on."""
        ...

    def partial(self, item: str, utterance: Utterance) -> None:
        """What was understood so far."""
        ...

    def ended(self, speech: Speech, utterance: Utterance) -> None:
        """The turn is over; this is what was said in it."""
        ...

    def ignored(self, speech: Speech) -> None:
        """What was heard is not taken for a turn: it has no words, or is a back-channel."""
        ...

    def failed(self, speech: Speech, error: UserError) -> None:
        """The turn is over, and what was said cannot be recognised."""
        ...


class Live:
    """One open microphone."""

    def __init__(
        self, audience: Audience, options: TurnTaking, *, answers: bool = True, interrupts: bool = True
    ) -> None:
        """``answers``: whether the end of a turn begins a reply; ``interrupts``: whether speech ends one."""
        self._audience = audience
        self._answers = answers
        self._interrupts = interrupts
        loop = asyncio.get_running_loop()
        self._ear = Ear(options, MAX_TURN_SECONDS, lambda noticed: loop.call_soon_threadsafe(self._notice, noticed))
        self._speech: Speech | None = None
        self._held: Reply | None = None
        self._last: tuple[Speech, Reply] | None = None  # the last turn, and its reply
        self._wanted: dict[Speech, int] = {}  # to be recognised next, up to which pause
        self._recognizing: set[asyncio.Task[None]] = set()
        self._foreseeing: set[asyncio.Task[None]] = set()

    def feed(self, samples: Samples) -> None:
        """The next samples (n,) at 16 kHz."""
        self._ear.feed(samples)

    def forget(self) -> None:
        """What is being said does not count: the client has thrown it away, or commits it itself."""
        self._ear.forget()
        self._drop()

    def close(self) -> None:
        """Stop listening."""
        self._ear.close()
        self._drop()
        for task in self._recognizing | self._foreseeing:
            task.cancel()

    def _drop(self) -> None:
        if self._speech is not None:
            self._unguess(self._speech)
        self._speech = None
        self._wanted.clear()
        self._resume()

    # -- what the ear notices ------------------------------------------------------------------------------------

    def _notice(self, noticed: Noticed) -> None:
        happening, speech = noticed.happening, self._speech
        if isinstance(happening, Stirred):
            self._hold()
        elif isinstance(happening, Settled):
            self._resume()
        elif isinstance(happening, Began):
            self._speech = Speech(new_id("item"), happening.at)
            if self._contested is None or not self._interrupts:
                self._grant(self._speech)
        elif speech is None:
            return  # what the ear noticed before it was told to forget
        elif isinstance(happening, Insisted):
            self._grant(speech)
        elif isinstance(happening, Faltered) and noticed.sound is not None:
            self._foresee(speech, noticed.sound)
        elif isinstance(happening, Recovered):
            self._unguess(speech)
        elif isinstance(happening, Paused) and noticed.sound is not None:
            speech.silent_since = time.monotonic() - (noticed.now - happening.at)
            speech.pause, speech.voiced = happening.number, noticed.voiced
            self._recognize(speech, noticed.sound)
        elif isinstance(happening, WentOn):
            speech.pause, speech.heard = 0, None
            self._unguess(speech)
            if not speech.granted:
                self._hold()
        elif isinstance(happening, Ended) and noticed.sound is not None:
            self._speech, speech.ended = None, happening.at
            if speech.heard is not None:
                self._conclude(speech)
            elif not speech.pause:  # it was cut off: nobody may speak for ever
                speech.silent_since, speech.pause = time.monotonic(), -1
                self._recognize(speech, noticed.sound)

    # -- what was said -------------------------------------------------------------------------------------------

    def _foresee(self, speech: Speech, sound: Audio) -> None:
        """Begin the answer two frames before it is certain that there is a pause, on what can be heard by now.

        The last word may lack its tail: what is recognised in the pause decides whether the answer stands.
        """
        able = self._answers and speech.granted and self._contested is None and self._audience.foresees
        if able and len(self._foreseeing) < AT_ONCE:
            speech.sound, speech.silent_since = sound, time.monotonic()
            speech.hunch = object()
            task = asyncio.create_task(self._guess_ahead(speech, speech.hunch, speech.whole))
            self._foreseeing.add(task)
            task.add_done_callback(self._foreseeing.discard)

    async def _guess_ahead(self, speech: Speech, hunch: object, sound: Audio) -> None:
        try:
            heard = await self._audience.understand(sound, finality=False)
        except UserError as error:
            log.info("nothing could be foreseen: %s", error.message)
            return
        if speech.hunch is hunch and speech.heard is None and heard.transcript.text and not self._contested:
            self._guess(speech, heard)

    def _guess(self, speech: Speech, heard: Utterance) -> None:
        speech.guessed = heard.transcript.text
        speech.guess = self._audience.answer(speech.item, heard, speech.silent_since, tentative=True)

    def _recognize(self, speech: Speech, sound: Audio) -> None:
        """Have it recognised, beside what was wanted before and is not any more, or as soon as some of that is done."""
        speech.sound = sound
        self._wanted[speech] = speech.pause
        if len(self._recognizing) < AT_ONCE:
            task = asyncio.create_task(self._recognize_all())
            self._recognizing.add(task)
            task.add_done_callback(self._recognizing.discard)

    async def _recognize_all(self) -> None:
        while self._wanted:
            speech, pause = next(iter(self._wanted.items()))
            del self._wanted[speech]
            heard: Utterance | UserError
            try:
                heard = await self._audience.understand(speech.whole, brief=not speech.granted)
            except UserError as error:
                heard = error
            if speech.pause != pause:
                continue  # more was said in the meantime
            speech.heard = heard
            if speech.ended is not None:
                self._conclude(speech)
            elif speech is self._speech:
                self._consider(speech)

    def _consider(self, speech: Speech) -> None:
        """In a pause: does it deserve the floor, how long should be waited, can the answer be begun?"""
        if not speech.granted:
            self._judge(speech)
            return
        if not isinstance(speech.heard, Utterance) or not speech.words:
            self._unguess(speech)
            return
        self._audience.partial(speech.item, speech.heard)
        how = judged(ending(speech.words, speech.heard.transcript.language), speech.heard.finality)
        self._ear.told(speech.pause, how)
        if how is Ending.TRAILING or speech.misheard:
            self._unguess(speech)
        if self._answers and how is not Ending.TRAILING and self._contested is None and speech.guess is None:
            self._guess(speech, speech.heard)

    def _judge(self, speech: Speech) -> None:
        """While a reply is heard: is it an interruption? If so, all of it is worth understanding."""
        if speech.slight:
            self._resume()
        else:
            self._grant(speech)
            assert speech.sound is not None
            self._recognize(speech, speech.sound)

    def _conclude(self, speech: Speech) -> None:
        """The turn is over, and it is known what was said."""
        if not speech.words:
            self._unguess(speech)
        if not speech.granted and not speech.slight:
            self._judge(speech)  # and then it is concluded
        elif isinstance(speech.heard, UserError) and speech.granted and speech.heard.key not in _NOTHING:
            self._audience.failed(speech, speech.heard)
        elif not speech.granted or not isinstance(speech.heard, Utterance) or not speech.words:
            self._resume()
            self._audience.ignored(speech)
        else:
            self._audience.ended(speech, speech.heard)
            if speech.misheard:
                self._unguess(speech)
            reply = speech.guess
            if reply is not None:
                self._audience.release(reply)
            elif self._answers and self._contested is None:
                reply = self._audience.answer(speech.item, speech.heard, speech.silent_since, tentative=False)
            self._last = (speech, reply) if reply is not None else None

    # -- the floor -----------------------------------------------------------------------------------------------

    @property
    def _contested(self) -> Reply | None:
        """The reply that has the floor."""
        reply = self._audience.reply
        return reply if reply is not None and reply.active else None

    def _grant(self, speech: Speech) -> None:
        """It is a turn: a reply that is being made or heard gives way.

        Where nothing of that reply was heard yet, the turn that it answers was not over: this is the rest of it.
        """
        if speech.granted:
            return
        speech.granted, self._held = True, None
        contested, last = self._contested, self._last
        unheard = contested is not None and contested.playback.position == 0
        self._audience.speech_started(speech, interrupts=self._interrupts)
        if self._interrupts and unheard and last is not None and last[1] is contested:
            speech.before = last[0]
            self._audience.take_back(last[0].item, last[1])
        self._last = None

    def _unguess(self, speech: Speech) -> None:
        speech.hunch = None
        if speech.guess is not None:
            speech.guess.cancel()
            speech.guess = None

    def _hold(self) -> None:
        if self._interrupts and self._held is None and self._contested is not None:
            self._held = self._contested
            self._audience.hold(self._held)

    def _resume(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            self._audience.resume(held)


# What a recognizer says where there is nothing to recognise.
_NOTHING = {"silent", "empty", "no_speech"}
