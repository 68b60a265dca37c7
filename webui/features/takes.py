"""Takes: readings that are kept for a while, as far as they are made, and go on where they were stopped.

A take belongs to whoever has its id, which cannot be guessed. Its sound lies in the process's scratch folder.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock, Semaphore, Timer

import numpy as np

from webui.audio.convert import resample, to_float, to_pcm16
from webui.conversation.scope import Generations, TurnScope
from webui.conversation.scratch import scratch
from webui.errors import UserError
from webui.features.speak import Checked, Note, Part, Said, later
from webui.text.script import language_of
from webui.types import Audio, Samples, Segment, Transcript, Voice

MAX_TAKES = 48  # in the whole process; the one that nobody has used for longest makes room for another
MAX_BYTES = 4 * 1024**3  # of their sound on disk together: about 25 hours
KEPT_S = 3600.0  # after its last use
SWEEP_S = 60.0  # between two looks for takes that are too old
MAX_SPOKEN = 3  # takes that the engine works on at once, in turns; others wait
WAIT_S = 0.1  # between two looks whether one that waits is still wanted

Event = Said | Checked | Note
Work = Callable[[int, TurnScope], Generator[Event, None, None]]


@dataclass(frozen=True, eq=False)
class _Made:
    """A part on disk: its pieces, without their sound, the number of samples of each, and their rate in Hz."""

    pieces: tuple[Said, ...]
    lengths: tuple[int, ...]
    rate: int
    checked: Checked | None = None

    @property
    def duration(self) -> float:
        """Seconds."""
        return sum(self.lengths) / self.rate


class Take:
    """One reading in ``voice`` by ``engine``, which is a name for people.

    ``work(number, scope)`` makes its ``parts``, at least one, from that number on, in one of the ``places``.
    """

    def __init__(
        self, title: str, engine: str, voice: Voice, parts: Sequence[Part], work: Work, places: Semaphore
    ) -> None:
        self.id = secrets.token_urlsafe(24)
        self.title = title
        self.engine = engine
        self.voice = voice
        self.parts = tuple(parts)
        self.used = time.monotonic()
        self._folder = tempfile.TemporaryDirectory(dir=scratch(), ignore_cleanup_errors=True)
        self._work = work
        self._places = places
        self._made: list[_Made] = []
        self._readers = Generations()
        self._turn = Lock()  # held by the reader that works on it
        self._closed = False

    @property
    def paragraphs(self) -> int:
        """How many there are."""
        return self.parts[-1].paragraph + 1

    @property
    def duration(self) -> float:
        """Seconds that are made."""
        return sum(made.duration for made in self._made)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(2 * sum(made.lengths) for made in self._made)

    @property
    def busy(self) -> bool:
        """Whether somebody reads it now."""
        return self._turn.locked()

    def begin(self) -> TurnScope:
        """Let another reader in; the one before is stopped."""
        self.used = time.monotonic()
        return self._readers.begin()

    def events(self, start: int, scope: TurnScope) -> Generator[Event, None, None]:
        """The parts from number ``start`` on: those that are made, then the others as they are made.

        Each ``start`` is told in seconds from the beginning of the take. Raises ``Cancelled``, and ``UserError`` where
        the work fails.
        """
        try:
            with _held(self._turn, scope):
                at = 0.0
                for number, made in enumerate(self._made):
                    if number >= start:
                        yield from self._again(number, made, at)
                    at += made.duration
                if len(self._made) < len(self.parts):
                    with _held(self._places, scope):
                        yield from self._go_on(at, scope)
        finally:
            self.used = time.monotonic()
            self._delete_if_closed()

    def audio(self) -> Audio:
        """What is made of it, whole. Raises ``UserError`` where that is nothing."""
        self.used = time.monotonic()
        made = self._made[:]
        if not made:
            raise UserError("take_empty", "Nothing of this has been spoken yet: wait a moment, then save it.")
        rate = made[0].rate
        sounds = [resample(Audio(self._samples(number), part.rate), rate).samples for number, part in enumerate(made)]
        return Audio(np.concatenate(sounds), rate)

    def transcript(self) -> Transcript:
        """What is said when, sentence by sentence, as far as it is made."""
        segments = []
        at = 0.0
        for made in self._made:
            texts = [piece for piece in made.pieces if piece.text]
            ends = [*(piece.start for piece in texts[1:]), made.duration]
            for piece, end in zip(texts, ends, strict=False):
                words = later(piece.words, at + piece.start)
                start = words[0].start if words else at + piece.start
                segments.append(Segment(start, at + end, piece.text, language_of(piece.text), words=words))
            at += made.duration
        return Transcript(tuple(segments), at)

    def close(self) -> None:
        """Stop whoever reads it, and delete its sound."""
        self._closed = True
        self._readers.cancel()
        self._delete_if_closed()

    def _go_on(self, at: float, scope: TurnScope) -> Iterator[Event]:
        """Make what is not made yet; ``at``: where in the take that begins, in seconds."""
        pieces: list[Said] = []
        with closing(self._work(len(self._made), scope)) as events:
            for event in events:
                scope.check()
                if isinstance(event, Said):
                    pieces.append(event)
                    if event.last:
                        self._keep(pieces)
                    yield _shifted(event, at)
                    if event.last:
                        at += self._made[-1].duration
                        pieces = []
                    continue
                if isinstance(event, Checked):
                    self._made[-1] = replace(self._made[-1], checked=event)
                yield event

    def _keep(self, pieces: Sequence[Said]) -> None:
        sound = to_pcm16(np.concatenate([piece.audio.samples for piece in pieces]))
        self._path(len(self._made)).write_bytes(sound.tobytes())
        rate = pieces[0].audio.rate
        silent = [replace(piece, audio=Audio(np.zeros(0, np.float32), rate)) for piece in pieces]
        self._made.append(_Made(tuple(silent), tuple(len(piece.audio.samples) for piece in pieces), rate))

    def _again(self, number: int, made: _Made, at: float) -> Iterator[Event]:
        samples = self._samples(number)
        for piece, length in zip(made.pieces, made.lengths, strict=True):
            sound, samples = np.split(samples, [length])
            yield _shifted(replace(piece, audio=Audio(sound, made.rate)), at)
        if made.checked is not None:
            yield made.checked

    def _samples(self, number: int) -> Samples:
        return to_float(np.fromfile(self._path(number), np.int16))

    def _path(self, number: int) -> Path:
        return Path(self._folder.name) / f"{number}.pcm"

    def _delete_if_closed(self) -> None:
        """By whoever comes last: the one that closes it, or the reader that was stopped."""
        if self._closed and self._turn.acquire(blocking=False):
            self._folder.cleanup()
            self._turn.release()


class Takes:
    """All takes of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._takes: dict[str, Take] = {}
        self._places = Semaphore(MAX_SPOKEN)
        self._timer: Timer | None = None

    def add(self, title: str, engine: str, voice: Voice, parts: Sequence[Part], work: Work) -> Take:
        """Keep a new take, of which nothing is made yet; old ones make room for it."""
        take = Take(title, engine, voice, parts, work, self._places)
        with self._lock:
            idle = sorted((old for old in self._takes.values() if not old.busy), key=lambda old: old.used)
            while idle and not self._room():
                self._takes.pop(idle[0].id).close()
                del idle[0]
            self._takes[take.id] = take
            self._watch()
        return take

    def get(self, take_id: str) -> Take:
        """The take of that id. Raises ``UserError`` where it is deleted."""
        take = self._takes.get(take_id)
        if take is None:
            raise UserError("take_gone", "This take is deleted: speak the text again.")
        return take

    def close(self, take_id: str) -> None:
        """Delete the take, where there is one of that id."""
        with self._lock:
            take = self._takes.pop(take_id, None)
        if take is not None:
            take.close()

    def _room(self) -> bool:
        return len(self._takes) < MAX_TAKES and sum(take.size for take in self._takes.values()) < MAX_BYTES

    def _watch(self) -> None:
        """Have old takes deleted as long as there are any. Called with the lock held."""
        if self._timer is None and self._takes:
            self._timer = Timer(SWEEP_S, self._sweep)
            self._timer.daemon = True
            self._timer.start()

    def _sweep(self) -> None:
        now = time.monotonic()
        with self._lock:
            self._timer = None
            for take in [take for take in self._takes.values() if not take.busy and now - take.used > KEPT_S]:
                del self._takes[take.id]
                take.close()
            self._watch()


@contextmanager
def _held(place: Lock | Semaphore, scope: TurnScope) -> Iterator[None]:
    """``place``, as soon as it is free. Raises ``Cancelled`` where ``scope`` is cancelled before."""
    while not place.acquire(timeout=WAIT_S):
        scope.check()
    try:
        scope.check()
        yield
    finally:
        place.release()


def _shifted(piece: Said, seconds: float) -> Said:
    return replace(piece, start=piece.start + seconds)
