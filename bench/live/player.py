"""A loudspeaker in mind only: it plays what arrives, at once and in real time, and notes when it ran dry."""

from __future__ import annotations

from dataclasses import dataclass, field

LEAD_S = 0.02  # of silence before a first piece, as on our page


@dataclass(frozen=True)
class Underrun:
    """Silence inside one response: since ``at``, for ``gap`` seconds."""

    at: float
    gap: float


@dataclass
class Player:
    """Times are seconds of one clock and never go back."""

    underruns: list[Underrun] = field(default_factory=list)
    held: bool = False
    _left: float = 0.0  # seconds that are still to be played
    _now: float = 0.0
    _dry_since: float = 0.0
    _response: str = ""  # whose sound came last

    def take(self, at: float, response: str, seconds: float) -> None:
        """A piece of ``response``, so many seconds long, arrives."""
        self._advance(at)
        dry = not self._left and not self.held
        if dry and response == self._response and at > self._dry_since:
            self.underruns.append(Underrun(self._dry_since, at - self._dry_since))
        self._response = response
        self._left += seconds + (LEAD_S if dry else 0.0)

    def hold(self, at: float) -> None:
        """Fall silent and keep the place."""
        self._advance(at)
        self.held = True

    def resume(self, at: float) -> None:
        """Go on after ``hold``."""
        self._advance(at)
        self.held = False
        self._dry_since = max(self._dry_since, at)

    def stop(self, at: float) -> None:
        """Throw away what is not played."""
        self._advance(at)
        self._left, self._response, self.held = 0.0, "", False

    def sounding(self, at: float) -> bool:
        """Whether something is heard now."""
        return self.left(at) > 0 and not self.held

    def left(self, at: float) -> float:
        """Seconds that are still to be played."""
        self._advance(at)
        return self._left

    def _advance(self, at: float) -> None:
        if not self.held and self._left:
            played = min(self._left, at - self._now)
            self._left -= played
            self._dry_since = self._now + played
            if self._left < 1e-9:
                self._left = 0.0
        self._now = at
