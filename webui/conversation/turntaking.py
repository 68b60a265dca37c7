"""Whose turn it is: when somebody stirs, begins to speak, pauses, goes on, has finished, from frames of a microphone.

Pure: it is fed the probability of speech of each frame, and how the words end that were recognised in a pause; clocks
and models are elsewhere. Times are seconds from the beginning of the stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from webui.conversation.endings import Ending

STIR = 0.064  # seconds: two frames of Silero's are the least that is not a click
DIP = 0.032  # seconds of doubt that a beginning survives
HYSTERESIS = 0.15  # speech goes on at a lower probability than it begins at
DOUBT = 0.65  # Silero lets go of a voice over two or three frames: below this one it may be falling silent
# What OpenAI calls eagerness, as a factor on the silence that is waited for.
_EAGERNESS = {"low": 1.6, "medium": 1.0, "auto": 1.0, "high": 0.75}


@dataclass(frozen=True)
class TurnTaking:
    """When a turn begins and ends. ``start`` and ``stop`` are probabilities, 0 to 1; the rest is in seconds, from 0.

    Speech begins once ``onset`` seconds of frames reached ``start``; a frame below ``stop`` is silent. After ``look``
    of silence the words so far are wanted. The turn ends after as much silence as the ending of its words asks for
    (``finished``, ``open`` or ``trailing``), and after ``unknown`` where nobody told how they end. ``insist`` of
    speech is more than a back-channel.
    """

    start: float = 0.5
    stop: float = 0.5 - HYSTERESIS
    onset: float = 0.1
    look: float = 0.06
    finished: float = 0.45
    open: float = 1.0
    trailing: float = 1.8
    unknown: float = 1.0
    insist: float = 1.2

    @classmethod
    def silence_only(cls, threshold: float = 0.5, silence: float = 0.5) -> TurnTaking:
        """Every turn ends after ``silence`` seconds, whatever was said; speech begins at ``threshold`` (0 to 1)."""
        return cls(
            start=threshold,
            stop=max(threshold - HYSTERESIS, threshold / 2),
            finished=silence,
            open=silence,
            trailing=silence,
            unknown=silence,
        )

    @classmethod
    def eager(cls, eagerness: str) -> TurnTaking:
        """``low`` waits longer than ``medium`` (or ``auto``), ``high`` less. Raises ``ValueError`` for another."""
        if eagerness not in _EAGERNESS:
            raise ValueError(f"eagerness is one of {', '.join(_EAGERNESS)}, not {eagerness!r}")
        usual, factor = cls(), _EAGERNESS[eagerness]
        return replace(
            usual,
            finished=usual.finished * factor,
            open=usual.open * factor,
            trailing=usual.trailing * factor,
            unknown=usual.unknown * factor,
        )

    def patience(self, ending: Ending | None) -> float:
        """Seconds of silence that end a turn whose words end so; None where that is not known."""
        if ending is None:
            return self.unknown
        return {Ending.FINISHED: self.finished, Ending.OPEN: self.open, Ending.TRAILING: self.trailing}[ending]


@dataclass(frozen=True)
class Stirred:
    """Somebody may be speaking, since ``at``. ``Settled`` or ``Began`` follows."""

    at: float


@dataclass(frozen=True)
class Settled:
    """It was nothing."""


@dataclass(frozen=True)
class Began:
    """Somebody speaks, since ``at``."""

    at: float


@dataclass(frozen=True)
class Insisted:
    """So much was said in this turn that it is no back-channel. Once a turn."""


@dataclass(frozen=True)
class Faltered:
    """The voice may be falling silent. ``Recovered`` or ``Paused`` follows."""


@dataclass(frozen=True)
class Recovered:
    """It was not."""


@dataclass(frozen=True)
class Paused:
    """Silence since ``at``: what was said until then is worth recognising. ``number`` counts the turn's pauses."""

    at: float
    number: int


@dataclass(frozen=True)
class WentOn:
    """The turn goes on after a pause: what was begun on the pause's account is to be thrown away."""


@dataclass(frozen=True)
class Ended:
    """The turn is over; its speech ended ``at``."""

    at: float


Happening = Stirred | Settled | Began | Insisted | Faltered | Recovered | Paused | WentOn | Ended


@dataclass
class _Rise:
    """Frames that may be the beginning of speech: since when, until when, and how many seconds of them are voiced."""

    since: float
    until: float
    voiced: float = 0.0


@dataclass
class TurnTaker:
    """Follows the turns of one microphone."""

    options: TurnTaking = field(default_factory=TurnTaking)
    _now: float = 0.0
    _rise: _Rise | None = None  # before the turn, or in one of its pauses
    _stirred: bool = False
    _speaking: bool = False
    _spoke: float = 0.0  # when the turn's speech was last heard
    _voiced: float = 0.0  # seconds of speech in the turn
    _number: int = 0  # of the turn's last pause
    _faltering: bool = False
    _paused: bool = False
    _ending: Ending | None = None

    @property
    def speaking(self) -> bool:
        """Whether a turn is under way: between ``Began`` and ``Ended``."""
        return self._speaking

    @property
    def voiced(self) -> float:
        """Seconds of speech in the turn that is under way, or in the last one."""
        return self._voiced

    def reset(self) -> None:
        """Forget the turn that is under way, for instance because it was a back-channel. The stream's clock goes on."""
        self._rise, self._stirred, self._speaking, self._paused, self._faltering = None, False, False, False, False

    def feed(self, probability: float, seconds: float) -> Iterator[Happening]:
        """Take the next frame's ``probability`` of speech and length in ``seconds``. Times are met to half a frame."""
        self._now += seconds
        if not self._speaking:
            yield from self._listen(probability, seconds)
        elif self._paused:
            yield from self._wait(probability, seconds)
        else:
            yield from self._follow(probability, seconds)

    def heard(self, number: int, ending: Ending) -> None:
        """How the words end that were recognised in pause ``number``; of an earlier pause it says nothing any more."""
        if self._paused and number == self._number:
            self._ending = ending

    def _listen(self, probability: float, seconds: float) -> Iterator[Happening]:
        rise = self._climb(probability, seconds)
        if rise is None:
            if self._stirred:
                self._stirred = False
                yield Settled()
            return
        if not self._stirred and rise.voiced >= STIR - seconds / 2:
            self._stirred = True
            yield Stirred(rise.since)
        if rise.voiced >= self.options.onset - seconds / 2:
            self._speaking, self._stirred = True, False
            self._voiced, self._number = 0.0, 0
            yield Began(rise.since)
            yield from self._speak(rise.voiced)

    def _follow(self, probability: float, seconds: float) -> Iterator[Happening]:
        if self._faltering != (probability < DOUBT):
            self._faltering = not self._faltering
            yield Faltered() if self._faltering else Recovered()
        if probability >= self.options.stop:
            yield from self._speak(seconds)
        elif self._now - self._spoke >= self.options.look - seconds / 2:
            self._paused, self._ending, self._faltering = True, None, False
            self._number += 1
            yield Paused(self._spoke, self._number)

    def _wait(self, probability: float, seconds: float) -> Iterator[Happening]:
        rise = self._climb(probability, seconds)
        if rise is not None and rise.voiced >= STIR - seconds / 2:
            self._paused = False
            yield WentOn()
            yield from self._speak(rise.voiced)
        elif rise is None and self._now - self._spoke >= self.options.patience(self._ending) - seconds / 2:
            self.reset()
            yield Ended(self._spoke)

    def _climb(self, probability: float, seconds: float) -> _Rise | None:
        """The rise that this frame belongs to; one dip does not end it."""
        if probability >= self.options.start:
            self._rise = self._rise or _Rise(self._now - seconds, self._now)
            self._rise.until = self._now
            self._rise.voiced += seconds
        elif self._rise is not None and self._now - self._rise.until > DIP + seconds / 2:
            self._rise = None
        return self._rise

    def _speak(self, seconds: float) -> Iterator[Insisted]:
        """So much more was said, until now."""
        self._rise, self._spoke = None, self._now
        before, self._voiced = self._voiced, self._voiced + seconds
        if before < self.options.insist <= self._voiced:
            yield Insisted()
