"""Takes: kept as far as they are made, gone on with, read by one at a time, and deleted."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.waiting import wait_until
from webui.conversation.scope import TurnScope
from webui.conversation.scratch import scratch
from webui.errors import Cancelled, EngineError, UserError
from webui.features import takes as module
from webui.features.speak import Checked, Note, Part, Said
from webui.features.takes import Event, Take, Takes
from webui.types import Audio, Voice, Word

VOICE = Voice("one", "One", ("en",))
RATE = 24_000
PARTS = [Part(f"Part {i}.", i // 2) for i in range(4)]


class Reader:
    """Makes parts of half a second, each of a level of its own; remembers from where it was asked to."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.fails_at: int | None = None
        self.rates = [RATE] * len(PARTS)
        self.waits = threading.Event()
        self.waits.set()
        self.closed = 0

    def __call__(self, start: int, scope: TurnScope) -> Generator[Event, None, None]:
        self.begun.append(start)
        try:
            for number in range(start, len(PARTS)):
                if number == self.fails_at:
                    raise EngineError("server_broke_off", "It broke off.")
                sound = Audio(np.full(self.rates[number] // 4, 0.1 * (number + 1), np.float32), self.rates[number])
                text = PARTS[number].text
                yield Said(number, 0.0, sound, text, (Word(text, 0.0, 0.25),))
                while not self.waits.wait(0.05):
                    scope.check()
                yield Said(number, 0.25, sound, last=True)
                yield Checked(number, text, 0.0, 1)
        finally:
            self.closed += 1


def keep(takes: Takes, reader: Reader, parts: Sequence[Part] = PARTS) -> Take:
    return takes.add("Title", "Engine", VOICE, parts, reader)


def read(take: Take, start: int = 0, scope: TurnScope | None = None) -> list[Event]:
    return list(take.events(start, scope or take.begin()))


def told(events: Sequence[Event]) -> list[tuple[type, int]]:
    return [(type(e), e.part) for e in events if not isinstance(e, Note)]


def cancelled(take: Take, scope: TurnScope | None = None) -> None:
    with pytest.raises(Cancelled):
        read(take, 0, scope)


def sound(events: Sequence[Event]) -> np.ndarray:
    return np.concatenate([e.audio.samples for e in events if isinstance(e, Said)])


def folders() -> set[Path]:
    return set(scratch().iterdir())


def test_it_is_made_once_and_then_read_again_from_disk() -> None:
    takes, reader = Takes(), Reader()
    take = keep(takes, reader)
    first, again = read(take), read(take)
    assert reader.begun == [0]
    assert told(first) == told(again)
    assert np.abs(sound(first) - sound(again)).max() < 2 / 32768
    assert [e.start for e in again if isinstance(e, Said)] == [i * 0.25 for i in range(8)]
    assert [e.words for e in first if isinstance(e, Said)] == [e.words for e in again if isinstance(e, Said)]
    assert take.duration == take.audio().duration == 2.0 and take.size == 2 * 2 * RATE
    assert {part for _, part in told(read(take, 2))} == {2, 3} and read(take, 9) == []
    takes.close(take.id)


def test_a_reader_that_stops_within_a_part_has_it_again_whole() -> None:
    takes, reader = Takes(), Reader()
    take = keep(takes, reader)
    events = take.events(0, take.begin())
    heard = [next(events) for _ in range(4)]  # the second part has begun
    events.close()
    assert reader.closed == 1 and take.duration == 0.5 and not take.busy
    rest = read(take, 1)
    assert reader.begun == [0, 1]
    assert [e.part for e in rest if isinstance(e, Said)] == [1, 1, 2, 2, 3, 3]
    assert isinstance(heard[3], Said) and heard[3].start == 0.5
    assert np.abs(sound([*heard[:3], *rest]) - take.audio().samples).max() < 2 / 32768
    takes.close(take.id)


def test_what_failed_is_tried_again() -> None:
    takes, reader = Takes(), Reader()
    take = keep(takes, reader)
    reader.fails_at = 2
    with pytest.raises(EngineError):
        read(take)
    assert take.duration == 1.0
    reader.fails_at = None
    assert [e.part for e in read(take, 2) if isinstance(e, Said)] == [2, 2, 3, 3]
    assert reader.begun == [0, 2]
    takes.close(take.id)


def test_subtitles_tell_every_word_in_its_time() -> None:
    takes = Takes()
    take = keep(takes, Reader())
    read(take)
    transcript = take.transcript()
    assert [(s.start, s.end, s.text) for s in transcript.segments] == [
        (i * 0.5, (i + 1) * 0.5, f"Part {i}.") for i in range(4)
    ]
    assert [w.start for s in transcript.segments for w in s.words] == [0.0, 0.5, 1.0, 1.5]
    takes.close(take.id)


def test_another_engine_in_the_middle_does_not_change_the_rate_of_the_whole() -> None:
    takes, reader = Takes(), Reader()
    reader.rates = [RATE, RATE, 16_000, 16_000]
    take = keep(takes, reader)
    read(take)
    assert (take.audio().rate, take.audio().duration, take.duration) == (RATE, 2.0, 2.0)
    takes.close(take.id)


def test_nothing_made_is_nothing_to_save() -> None:
    takes = Takes()
    take = keep(takes, Reader())
    with pytest.raises(UserError, match="Nothing of this"):
        take.audio()
    takes.close(take.id)


def test_a_second_reader_takes_over_from_the_first() -> None:
    takes, reader = Takes(), Reader()
    take = keep(takes, reader)
    reader.waits.clear()
    stopped = threading.Event()

    def first() -> None:
        with pytest.raises(Cancelled):
            read(take)
        stopped.set()

    thread = threading.Thread(target=first)
    thread.start()
    wait_until(lambda: reader.begun == [0])
    scope = take.begin()
    reader.waits.set()
    assert len(read(take, 0, scope)) == 12
    assert stopped.wait(5) and reader.closed == 2
    takes.close(take.id)


def test_only_so_many_are_spoken_at_once_and_one_that_waits_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SPOKEN", 1)
    takes, slow, other = Takes(), Reader(), Reader()
    slow.waits.clear()
    one, two = keep(takes, slow), keep(takes, other)
    threading.Thread(target=lambda: read(one), daemon=True).start()
    wait_until(lambda: slow.begun)
    scope = two.begin()
    waiting = threading.Thread(target=cancelled, args=(two, scope))
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive() and not other.begun
    scope.cancel()
    waiting.join(5)
    assert not waiting.is_alive() and not other.begun
    slow.waits.set()
    wait_until(lambda: not one.busy)
    assert len(read(two)) == 12
    takes.close(one.id)
    takes.close(two.id)


def test_a_deleted_take_stops_and_leaves_nothing() -> None:
    takes, reader = Takes(), Reader()
    before = folders()
    take = keep(takes, reader)
    reader.waits.clear()
    ended = threading.Event()

    def work() -> None:
        with pytest.raises(Cancelled):
            read(take)
        ended.set()

    threading.Thread(target=work).start()
    wait_until(lambda: reader.begun)
    assert folders() - before
    takes.close(take.id)
    assert ended.wait(5)
    assert not folders() - before
    with pytest.raises(UserError, match="deleted"):
        takes.get(take.id)
    takes.close(take.id)


def test_the_longest_unused_makes_room_but_none_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TAKES", 2)
    takes, reader = Takes(), Reader()
    reader.waits.clear()
    one = keep(takes, reader)
    threading.Thread(target=cancelled, args=(one,), daemon=True).start()
    wait_until(lambda: one.busy)
    two = keep(takes, Reader())
    three = keep(takes, Reader())
    assert takes.get(one.id) is one and takes.get(three.id) is three
    with pytest.raises(UserError):
        takes.get(two.id)
    takes.close(one.id)
    takes.close(three.id)


def test_sound_on_disk_has_a_limit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100_000)
    takes = Takes()
    one = keep(takes, Reader())
    read(one)
    assert one.size < module.MAX_BYTES
    two = keep(takes, Reader())
    read(two)
    three = keep(takes, Reader())
    assert takes.get(two.id) is two and takes.get(three.id) is three
    with pytest.raises(UserError):
        takes.get(one.id)
    takes.close(two.id)
    takes.close(three.id)


def test_an_hour_after_its_last_use_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_S", 0.3)
    monkeypatch.setattr(module, "SWEEP_S", 0.05)
    before = folders()
    takes, reader = Takes(), Reader()
    reader.waits.clear()
    read_now, left = keep(takes, reader), keep(takes, Reader())
    thread = threading.Thread(target=read, args=(read_now,))
    thread.start()
    wait_until(lambda: left.id not in takes._takes, 5)
    assert takes.get(read_now.id) is read_now
    reader.waits.set()
    thread.join(5)
    wait_until(lambda: not takes._takes, 5)
    assert not folders() - before
