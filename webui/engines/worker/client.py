"""The asking side of the worker's protocol: one call, one connection, frames as they come."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from webui.engines.worker import wire
from webui.engines.worker.frames import Frame, FrameError, receive, send
from webui.errors import EngineError

CONNECT_S = 10.0
PATIENCE_S = 30.0  # beats come every second: a worker that is silent for so long hangs


class WorkerGone(Exception):  # noqa: N818  (it may well have been meant to go)
    """The worker cannot be reached, went away in the middle, or hangs. ``asked``: it had been given the request."""

    def __init__(self, why: str, asked: bool) -> None:
        super().__init__(why)
        self.asked = asked


@dataclass(frozen=True)
class Address:
    """Where a worker listens, and the secret that lets us in."""

    host: str
    port: int
    token: str = field(repr=False)


def ask(address: Address, request: Frame, patience_s: float = PATIENCE_S) -> Iterator[Frame]:
    """Yield the frames of the answer. Closing the iterator cancels the work.

    Raises the ``UserError`` that the worker tells, and ``WorkerGone``.
    """
    with closing(_admitted(address)) as connection:
        connection.settimeout(patience_s)
        try:
            send(connection, request)
            while not (frame := _next(connection)).header.get("end"):
                if "error" in frame.header:
                    raise wire.read_error(frame)
                if "beat" not in frame.header:
                    yield frame
        except TimeoutError as error:
            raise WorkerGone(f"no sign of life for {patience_s:g} s", asked=True) from error
        except OSError as error:
            raise WorkerGone(str(error), asked=True) from error


def _admitted(address: Address) -> socket.socket:
    """A connection on which both sides have shown who they are."""
    try:
        connection = socket.create_connection((address.host, address.port), CONNECT_S)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            greeting = _next(connection).header
            if greeting.get("worker") != wire.VERSION:
                raise FrameError("another version of the protocol")
            send(connection, Frame({"proof": wire.proof(address.token, str(greeting.get("nonce")))}))
            answer = _next(connection)
            if "error" in answer.header:
                raise wire.read_error(answer)
        except BaseException:
            connection.close()
            raise
        return connection
    except (OSError, FrameError) as error:
        raise WorkerGone(str(error), asked=False) from error


def _next(connection: socket.socket) -> Frame:
    frame = receive(connection)
    if frame is None:
        raise ConnectionError("the worker closed the connection")
    return frame


class RemoteWorker:
    """A worker on another machine, by its address ``tcp://HOST:PORT``; ``key`` is the token it was started with."""

    def __init__(self, url: str, key: str) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or not port:
            raise EngineError("worker_address", "Write the speaking machine's address as tcp://HOST:PORT.")
        self._address = Address(host, port, key)

    def ask(self, request: Frame) -> Iterator[Frame]:
        """Yield the frames of the answer. Raises ``UserError``."""
        try:
            yield from ask(self._address, request)
        except (WorkerGone, FrameError) as error:
            raise EngineError(
                "worker_unreachable",
                "The speaking machine does not answer; check its address, and that the worker runs there.",
            ) from error

    def close(self) -> None:
        """Nothing of it is here."""
