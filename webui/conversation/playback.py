"""How far a reply has been heard: where its player is by our own clock, and which words that makes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from webui.types import SpeechChunk, Word

# What lies between our sending and the player's playing: the way there and the player's own reserve.
LAG_S = 0.1


class Playback:
    """Where somebody is who plays what they are sent as soon as it comes. Times are in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._played = 0.0  # at ``_since``
        self._sent = 0.0
        self._since = 0.0
        self._held = False

    @property
    def position(self) -> float:
        """Seconds of the reply that were heard."""
        self._advance()
        return self._played

    @property
    def playing(self) -> bool:
        """Whether something is left to be heard, held or not."""
        self._advance()
        return self._played < self._sent

    def add(self, seconds: float) -> None:
        """So much more was sent."""
        self._advance()
        if self._played >= self._sent:
            self._since = self._clock() + LAG_S
        self._sent += seconds

    def hold(self) -> None:
        """The player fell silent, and keeps its place."""
        self._advance()
        self._held = True

    def resume(self) -> None:
        """The player goes on."""
        self._advance()
        self._held = False

    def stop(self) -> float:
        """The player throws away the rest. Returns the position where it stopped."""
        self._advance()
        self._sent = self._played
        return self._played

    def _advance(self) -> None:
        now = self._clock()
        if now > self._since:
            if not self._held:
                self._played = min(self._sent, self._played + now - self._since)
            self._since = now


@dataclass(frozen=True)
class Said:
    """A piece of speech without its sound: its text, its words' times from its start, and its length in seconds."""

    text: str
    words: tuple[Word, ...]
    seconds: float

    @classmethod
    def of(cls, chunk: SpeechChunk) -> Said:
        """What ``chunk`` says."""
        return cls(chunk.text, chunk.words, chunk.audio.duration)


def heard_of(pieces: Sequence[Said], seconds: float) -> str:
    """The words of a reply that were begun within its first ``seconds``."""
    heard = []
    for piece in pieces:
        if seconds < piece.seconds:
            heard.append(_begun(piece, seconds))
            break
        heard.append(piece.text.strip())
        seconds -= piece.seconds
    return " ".join(filter(None, heard))


def _begun(piece: Said, seconds: float) -> str:
    if not piece.words:  # an engine without word times: as much of the text as of the sound
        part = piece.text[: int(len(piece.text) * seconds / piece.seconds)]
        return part.rpartition(" ")[0] if " " in piece.text else part
    end = 0
    for word in piece.words:
        if word.start >= seconds:
            break
        at = piece.text.find(word.text, end)
        end = at + len(word.text) if at >= 0 else end
    return piece.text[:end].strip()
