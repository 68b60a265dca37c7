"""A worker process of our own: started on first use, watched, ended when it hangs, started again when it died."""

from __future__ import annotations

import json
import logging
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from webui.config import ROOT
from webui.engines.worker.client import PATIENCE_S, Address, WorkerGone, ask
from webui.engines.worker.frames import Frame, FrameError
from webui.errors import EngineError, ModelError

log = logging.getLogger(__name__)

START_S = 120.0  # a busy machine may need long for an interpreter
LOAD_S = 600.0  # while a library builds its tables nothing beats
FIRST_REST_S, LONGEST_REST_S = 1.0, 60.0
KEPT_LINES = 40  # of what a worker said before it died
TOKEN = "FUNAUDIO_WORKER_TOKEN"  # noqa: S105  (the variable's name)


class WorkerProcess:
    """An engine (``MODULE:CLASS``, made with ``options``) in a process of Python ``python``.

    A worker that died is started again by the next request; one that dies again and again rests between, longer each
    time. ``environment`` is added to our own.
    """

    def __init__(
        self,
        python: Path,
        engine: str,
        options: Mapping[str, Any],
        environment: Mapping[str, str],
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._command = [
            str(python),
            "-m",
            "webui.engines.worker",
            "--engine",
            engine,
            "--options",
            json.dumps(options),
        ]
        self._environment = environment
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._loaded: subprocess.Popen[bytes] | None = None  # the one that has its engine in memory
        self._address = Address("127.0.0.1", 0, "")
        self._deaths = 0  # since the last request that went well
        self._rest_until = 0.0

    @property
    def pid(self) -> int | None:
        """The process, where one runs."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    def ask(self, request: Frame) -> Iterator[Frame]:
        """Yield the frames of the answer; closing the iterator cancels the work. Raises ``UserError``."""
        for last in (False, True):
            process, address = self._running()
            try:
                if request.header["do"] == "load":
                    yield from self._answer(address, request, LOAD_S)
                    self._loaded = process
                    return
                if process is not self._loaded:
                    deque(self._answer(address, Frame({"do": "load"}), LOAD_S), maxlen=0)
                    self._loaded = process
                yield from self._answer(address, request, self._patience_s)
                self._deaths = 0  # only now: it may load well and die at work
                return
            except WorkerGone as gone:
                self._bury(process, str(gone))
                if gone.asked or last:
                    raise _died() from gone
                # it was about to end when it was asked, and knows nothing of the request: a new one may have it

    def close(self) -> None:
        """End the process; a later request starts another."""
        with self._lock:
            if self._process:
                _kill(self._process)
            self._process = None
            self._deaths = 0
            self._rest_until = 0.0

    def _answer(self, address: Address, request: Frame, patience_s: float) -> Iterator[Frame]:
        try:
            yield from ask(address, request, patience_s)
        except FrameError as error:
            raise EngineError("request_too_long", "That is too much at once: use a shorter recording.") from error

    def _running(self) -> tuple[subprocess.Popen[bytes], Address]:
        with self._lock:
            if self._process and self._process.poll() is not None:
                self._died(f"it ended by itself ({self._process.returncode})")
            if self._process is None:
                rest = self._rest_until - time.monotonic()
                if rest > 0:
                    raise EngineError(
                        "worker_resting",
                        f"The speech engine stopped {self._deaths} times in a row; try again in {rest:.0f} seconds.",
                        times=self._deaths,
                        seconds=f"{rest:.0f}",
                    )
                self._start()
            assert self._process is not None
            return self._process, self._address

    def _start(self) -> None:
        token = secrets.token_urlsafe(32)
        path = os.pathsep.join(filter(None, [str(ROOT), self._environment.get("PYTHONPATH", "")]))
        process = subprocess.Popen(  # noqa: S603  (our own command, no shell)
            self._command,
            env={**_public(os.environ), **self._environment, "PYTHONPATH": path, TOKEN: token},
            cwd=ROOT,
            stdin=subprocess.PIPE,  # its end tells the worker that we are gone
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        said: deque[str] = deque(maxlen=KEPT_LINES)
        assert process.stdout and process.stderr
        threading.Thread(target=_keep, args=(process, process.stderr, said), daemon=True).start()
        port = _port(process.stdout)
        self._process = process
        if port is None:
            self._died("it could not be started")
            raise ModelError(
                "worker_not_started",
                "The speech engine's process could not be started; the server's log says why.",
            )
        self._address = Address("127.0.0.1", port, token)

    def _bury(self, process: subprocess.Popen[bytes], why: str) -> None:
        with self._lock:
            if self._process is process:
                self._died(why)

    def _died(self, why: str) -> None:
        """Make sure of it, and note how long the next one has to wait: nothing the first time."""
        assert self._process is not None
        log.error("worker %d is gone: %s", self._process.pid, why)
        _kill(self._process)
        self._process = None
        self._deaths += 1
        rest = 0.0 if self._deaths == 1 else min(FIRST_REST_S * 2 ** (self._deaths - 2), LONGEST_REST_S)
        self._rest_until = time.monotonic() + rest


def _public(environment: Mapping[str, str]) -> dict[str, str]:
    """Our environment without our own settings: there are keys among them."""
    return {name: value for name, value in environment.items() if not name.startswith("FUNAUDIO_")}


def _died() -> EngineError:
    return EngineError("worker_died", "The speech engine stopped in the middle; try again, it is started anew.")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started."""
    if sys.platform == "win32":
        process.kill()
    elif process.poll() is None:
        with suppress(ProcessLookupError):  # it ended, and another thread's poll saw it, since ours
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


def _port(stdout: IO[bytes]) -> int | None:
    """What the worker announces; None where it ends or is silent instead."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=lambda: lines.put(stdout.readline()), daemon=True).start()
    try:
        return int(json.loads(lines.get(timeout=START_S))["port"])
    except (queue.Empty, ValueError, KeyError, TypeError):
        return None


def _keep(process: subprocess.Popen[bytes], stderr: IO[bytes], said: deque[str]) -> None:
    """Read what a worker says, so that it never waits for us; tell the log of it if it dies of itself."""
    with stderr:
        for line in stderr:
            said.append(line.decode(errors="replace").rstrip())
    if process.wait() not in (0, -signal.SIGKILL):
        log.error("worker %d said at last:\n%s", process.pid, "\n".join(said))
