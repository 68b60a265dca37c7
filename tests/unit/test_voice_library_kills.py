"""Two processes change one library at random and are killed again and again: what was acknowledged is there, whole.

A kill at a random moment would nearly always hit one at which nothing is at stake. These processes end themselves by
SIGKILL, just before or just after they touch the disk.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import random
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

from webui.types import Audio, Voice
from webui.voices.library import VoiceLibrary
from webui.voices.saved import Consent, SavedVoice, made
from webui.voices.voicefile import RATE, SUFFIX, unpack

OPERATIONS = 1000
KEPT = 8  # voices of each process: enough to choose from
DEADLY = 4  # one in so many operations ends in a kill, unless it is done sooner
DISK = "flock mkdir open write flush fsync rename replace unlink remove rmdir".split()
TOUCHES = 28  # of these in an operation at most, counted before and after; the kill comes at one of them
FORK = multiprocessing.get_context("fork")  # starts in milliseconds

Label = tuple[str, tuple[str, ...], str]  # name, tags and what the clip is grown from
Shelf = dict[str, Label]


def noise(seed: str) -> Audio:
    """A clip that only ``seed`` makes."""
    samples = np.random.default_rng(int(seed)).uniform(-0.5, 0.5, RATE // 10)
    return Audio((np.round(samples * 32768) / 32768).astype(np.float32), RATE)


def new_voice(owner: str, dice: random.Random) -> SavedVoice:
    seed = str(dice.randrange(10**9))
    voice = Voice("", f"voice {seed}", ("en",), kind="cloned", sample=noise(seed), sample_text=seed)
    consent = Consent("Read me.", "read me", 0.0, 0.9, "2026-01-01T00:00:00+00:00", noise(seed))
    return made(voice, ["new"], owner, consent)


def label(saved: SavedVoice) -> Label:
    """What tells a voice from others; its sounds must be those that it was saved with."""
    seed = saved.voice.sample_text
    assert saved.voice.sample is not None
    assert saved.consent is not None and saved.consent.recording is not None
    for sound in (saved.voice.sample, saved.consent.recording):
        assert np.array_equal(sound.samples, noise(seed).samples)
    return saved.name, saved.tags, seed


@dataclass
class Worker:
    """One process after another that works on voices of its own, which are marked by their engine."""

    name: str
    library: VoiceLibrary
    shelf: Shelf = field(default_factory=dict)  # what was acknowledged
    pending: Shelf | None = None  # what was begun since
    done: int = 0
    kills: int = 0
    process: BaseProcess | None = None
    reports: Connection | None = None

    def start(self, seed: int) -> None:
        self.reports, there = FORK.Pipe(duplex=False)
        self.process = FORK.Process(target=work, args=(self.library, self.name, dict(self.shelf), seed, there))
        self.process.start()
        there.close()

    def hear(self) -> None:
        """Note what the process has reported so far."""
        assert self.reports
        while not self.reports.closed and self.reports.poll():
            try:
                kind, shelf = self.reports.recv()
            except EOFError:
                self.reports.close()
            else:
                if kind == "done":
                    self.shelf, self.pending = shelf, None
                    self.done += 1
                else:
                    self.pending = shelf

    def settle(self) -> None:
        """See that all that the dead process had done is there, and of what it was at, all or nothing."""
        assert self.process
        self.process.join()
        assert self.process.exitcode == -signal.SIGKILL
        self.kills += 1
        self.hear()
        there = {v.id: label(self.library.get(v.id)) for v in self.library.list() if v.engine == self.name}
        unknown = list(there.keys() - self.shelf.keys())
        if self.pending and "imported" in self.pending and len(unknown) == 1:  # its id was told to nobody
            self.pending[unknown[0]] = self.pending.pop("imported")
        assert there in (self.shelf, self.pending)
        self.shelf, self.pending = there, None


def work(library: VoiceLibrary, name: str, shelf: Shelf, seed: int, reports: Connection) -> None:
    """Change voices, and say before and after each change what is then there, until the kill."""
    dice = random.Random(seed)
    exported = library.export(next(iter(shelf))) if shelf else b""
    while True:
        known = list(shelf)
        kind = dice.choice(["save", "rename", "tag", "delete", "import", "export"] if known else ["save"])
        if len(known) >= KEPT and kind in ("save", "import"):
            kind = "delete"
        chosen = dice.choice(known) if known else ""
        after = dict(shelf)
        change: Callable[[], Any]
        if kind == "save":
            saved = new_voice(name, dice)
            after[saved.id] = label(saved)
            change = lambda: library.save(saved)  # noqa: B023,E731
        elif kind == "import" and exported:
            after["imported"] = label(unpack(exported))
            change = lambda: library.import_(exported)  # noqa: B023,E731
        elif kind == "rename":
            after[chosen] = (f"renamed {dice.random()}", *shelf[chosen][1:])
            change = lambda: library.rename(chosen, after[chosen][0])  # noqa: B023,E731
        elif kind == "tag":
            after[chosen] = (shelf[chosen][0], (str(dice.random()),), shelf[chosen][2])
            change = lambda: library.tag(chosen, after[chosen][1])  # noqa: B023,E731
        elif kind == "delete":
            del after[chosen]
            change = lambda: library.delete(chosen)  # noqa: B023,E731
        else:
            exported = library.export(chosen)
            assert label(unpack(exported)) == shelf[chosen]
            change = lambda: None  # noqa: E731
        reports.send(("doing", after))
        if dice.randrange(DEADLY) == 0:
            sys.setprofile(sentence(dice.randrange(1, TOUCHES)))
        result = change()
        sys.setprofile(None)
        if "imported" in after:
            after[result.id] = after.pop("imported")
        shelf = after
        reports.send(("done", shelf))


def sentence(touches: int) -> Any:
    """A profile function that ends the process when it has touched the disk so many times, counted twice each."""
    left = touches

    def profile(_: Any, event: str, function: Any) -> None:
        nonlocal left
        if event in ("c_call", "c_return") and touches_disk(function):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    return profile


def touches_disk(function: Any) -> bool:
    """Whether a built-in function is one of ``DISK``, of the system or of a file."""
    if function.__name__ not in DISK:
        return False
    whose = getattr(function, "__self__", None)
    of_file = isinstance(whose, io.IOBase) and not isinstance(whose, io.BytesIO)
    return of_file or function.__module__ in ("posix", "fcntl", "_io", "io")


def test_a_thousand_changes_and_many_kills_lose_nothing(tmp_path: Path) -> None:
    library = VoiceLibrary(tmp_path / "home")
    workers = [Worker("one", library), Worker("two", library)]
    dice = random.Random(2026)
    for worker in workers:
        worker.start(dice.randrange(10**9))
    try:
        while sum(worker.done for worker in workers) < OPERATIONS:
            if voices := list((tmp_path / "home").glob(f"*{SUFFIX}")):
                whole(dice.choice(voices))  # a reader sees whole voices at any time
            for worker in workers:
                worker.hear()
            for sentinel in wait([w.process.sentinel for w in workers if w.process], timeout=0.01):
                (worker,) = (w for w in workers if w.process and w.process.sentinel == sentinel)
                worker.settle()
                worker.start(dice.randrange(10**9))
    finally:
        for worker in workers:
            assert worker.process
            worker.process.kill()
            worker.process.join()
    assert sum(worker.kills for worker in workers) > 50
    library.delete(library.list()[0].id)
    left = {path.name for path in (tmp_path / "home").iterdir() if path.suffix != SUFFIX}
    assert left == {".lock"}, "the next write clears up after a killed one"


def whole(path: Path) -> None:
    try:
        label(unpack(path.read_bytes()))
    except FileNotFoundError:
        return  # deleted a moment ago
