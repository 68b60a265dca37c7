"""A watch inside CosyVoice: what its threads raise is told, its work can be stopped, and a hang is seen.

The library makes speech tokens in a thread of its own. When that thread fails, the other waits for ever; when nobody
listens any more, it goes on to the end; and whatever a failed request leaves behind stays in its dictionaries.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_STATE = ("tts_speech_token_dict", "llm_end_dict", "hift_cache_dict", "mel_overlap_dict", "flow_cache_dict")


class Stopped(Exception):  # noqa: N818  (a signal, not an error)
    """The work was stopped from outside."""


class _Turn:
    """One piece of work. ``thread_ended`` is set while the library's own thread is not at work."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self.over = False
        self.failure: BaseException | None = None
        self.thread_ended = threading.Event()
        self.thread_ended.set()

    def check(self) -> None:
        if self.failure is not None:
            raise self.failure
        if self.over or self._stop.is_set():
            raise Stopped


class Guard:
    """Put around the library's inner ``model`` once. Work goes one piece at a time, through ``turn``."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._turn: _Turn | None = None
        self._last = 0.0
        self._hop = getattr(model, "token_hop_len", None)
        self._inference, self._job, self._token2wav = model.llm.inference, model.llm_job, model.token2wav
        model.llm.inference, model.llm_job, model.token2wav = self._counted, self._caught, self._checked
        estimator: Any = getattr(getattr(getattr(model, "flow", None), "decoder", None), "estimator", None)
        if hasattr(estimator, "register_forward_hook"):
            estimator.register_forward_hook(lambda *_: self._tick())

    @contextmanager
    def turn(self, stop: threading.Event) -> Iterator[None]:
        """Have the model alone, as it was when it was loaded; setting ``stop`` ends the work with ``Stopped``."""
        with self._lock:
            turn = _Turn(stop)
            self._clear()
            self._tick()
            self._turn = turn
            try:
                turn.check()
                yield
            except BaseException as error:
                raise turn.failure or error from error
            finally:
                turn.over = True
                turn.thread_ended.wait()  # it notices at its next token; if it never does, ``stalled`` tells
                self._turn = None
                self._clear()

    def stalled(self, seconds: float) -> bool:
        """Whether somebody's work has made no progress for so long."""
        return self._turn is not None and time.monotonic() - self._last > seconds

    def _tick(self) -> None:
        self._last = time.monotonic()

    def _clear(self) -> None:
        for name in _STATE:
            getattr(self._model, name, {}).clear()
        if self._hop is not None:
            self._model.token_hop_len = self._hop  # it grows while streaming, and the library leaves it so

    def _current(self) -> _Turn:
        assert self._turn is not None, "the model works outside of a turn"
        return self._turn

    def _counted(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        turn = self._current()
        for token in self._inference(*args, **kwargs):
            turn.check()
            self._tick()
            yield token

    def _caught(self, *args: Any) -> None:
        """The library's thread: its last argument is the request's id."""
        turn = self._current()
        turn.thread_ended.clear()
        try:
            self._job(*args)
        except BaseException as error:  # noqa: BLE001  (raised again where somebody listens)
            turn.failure = error
        finally:
            self._model.llm_end_dict[args[-1]] = True
            turn.thread_ended.set()

    def _checked(self, *args: Any, **kwargs: Any) -> Any:
        self._current().check()
        self._tick()
        return self._token2wav(*args, **kwargs)
