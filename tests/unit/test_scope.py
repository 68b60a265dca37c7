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
