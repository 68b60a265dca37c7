from collections.abc import Iterator

import pytest

from webui.conversation.scope import Generations
from webui.errors import Cancelled


def test_a_new_turn_makes_the_one_before_it_stale() -> None:
    generations = Generations()
    first = generations.begin()
    second = generations.begin()
    assert first.stale and not second.stale
    assert second.generation == first.generation + 1
    with pytest.raises(Cancelled):
        first.check()
    second.check()


def test_what_a_turn_left_to_be_stopped_is_stopped_once() -> None:
    generations = Generations()
    scope = generations.begin()
    stopped: list[str] = []
    scope.on_cancel(lambda: stopped.append("early"))
    generations.cancel()
    generations.cancel()
    scope.on_cancel(lambda: stopped.append("late"))
    assert stopped == ["early", "late"]


class Closable(Iterator[int]):
    """Counts how often it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def __next__(self) -> int:
        return 1

    def close(self) -> None:
        self.closed += 1


def test_work_is_closed_when_the_turn_is_cancelled_or_when_it_is_done() -> None:
    scope = Generations().begin()
    done, cancelled = Closable(), Closable()
    with scope.stopping(done) as numbers:
        assert next(numbers) == 1
        counts = [done.closed]
    counts.append(done.closed)
    with scope.stopping(cancelled):
        scope.cancel()
        assert cancelled.closed == 1
    assert [*counts, done.closed] == [0, 1, 1]


def test_a_generator_that_works_is_closed_at_its_next_yield() -> None:
    scope = Generations().begin()
    ended: list[bool] = []

    def work() -> Iterator[int]:
        try:
            scope.cancel()  # as another thread may, just now
            yield 1
        finally:
            ended.append(True)

    with scope.stopping(work()) as numbers:
        assert next(numbers) == 1 and not ended
    assert ended
