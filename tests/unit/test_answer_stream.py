"""An answer that is closed says nothing more, whatever had been written by then."""

from __future__ import annotations

import queue
import threading

from webui.engines.answers import AnswerStream, Pieces


def test_what_was_written_and_not_read_is_dropped_when_the_answer_is_closed() -> None:
    pieces: Pieces = queue.SimpleQueue()
    stopped = threading.Event()
    for piece in ("one ", "two ", "three "):
        pieces.put(piece)
    answer = AnswerStream(pieces, stopped.set)
    assert next(answer) == "one "
    answer.close()
    assert stopped.is_set()
    assert list(answer) == []


def test_a_reader_that_waits_wakes_up_when_the_answer_is_closed() -> None:
    answer = AnswerStream(queue.SimpleQueue(), lambda: None)
    read: list[object] = []
    reader = threading.Thread(target=lambda: read.append(list(answer)))
    reader.start()
    answer.close()
    reader.join(5)
    assert read == [[]]
