"""What is read ahead: it helps the turn that comes, or it gives way."""

from __future__ import annotations

import threading

import pytest

from tests.scripted import ScriptedChat
from tests.waiting import wait_until
from webui.conversation.warming import Warming
from webui.engines.protocols import Message
from webui.errors import Cancelled

OPENING = (Message("system", "Be kind."),)


def reading(chat: ScriptedChat) -> tuple[Warming, threading.Thread]:
    warming = Warming()
    thread = threading.Thread(target=warming.read, args=(chat, OPENING))
    thread.start()
    wait_until(lambda: bool(chat.answers))
    return warming, thread


def test_a_turn_that_begins_so_waits_for_it() -> None:
    chat = ScriptedChat(hold_at=0)
    warming, thread = reading(chat)
    threading.Timer(0.1, chat.answers[0].released.set).start()
    warming.make_way((*OPENING, Message("user", "hi")), lambda: None)
    assert chat.answers[0].released.is_set()
    thread.join(5)
    assert not thread.is_alive()


def test_it_gives_way_to_another() -> None:
    chat = ScriptedChat(hold_at=0)
    warming, thread = reading(chat)
    warming.make_way((Message("system", "Be a cat."),), lambda: None)
    thread.join(5)
    assert chat.answers[0].closed.is_set() and not thread.is_alive()
    warming.make_way(OPENING, lambda: None)  # nothing is being read now


def test_a_turn_that_is_not_wanted_any_more_does_not_wait() -> None:
    chat = ScriptedChat(hold_at=0)
    warming, thread = reading(chat)

    def check() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        warming.make_way(OPENING, check)
    warming.stop()
    thread.join(5)
    assert not thread.is_alive()


def test_one_thing_is_read_at_a_time() -> None:
    chat = ScriptedChat(hold_at=0)
    warming, thread = reading(chat)
    warming.read(chat, OPENING)
    assert len(chat.answers) == 1
    warming.stop()
    thread.join(5)
