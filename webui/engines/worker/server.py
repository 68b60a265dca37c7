"""The worker's side: one engine, answering over sockets.

One connection is one request. Both sides first show that they know the token; then the client asks, and frames come
back until one says ``end`` or tells a failure, with a beat every second while there is nothing to say. A client that
goes away has cancelled: its work is stopped at once.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
import secrets
import select
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from webui.engines.worker import wire
from webui.engines.worker.frames import Frame, FrameError, receive, send
from webui.errors import AudioError, EngineError, UserError
from webui.types import SpeechChunk

log = logging.getLogger(__name__)

HANDSHAKE_S = 10.0
BEAT_S = 1.0
SEND_S = 600.0  # a client that reads nothing for so long is gone
MAX_HELLO = 4096


class EngineStuck(EngineError):  # noqa: N818  (says what is the matter with the engine)
    """Work that can only be ended with its process: the worker tells the client, then ends or starts anew."""


class Server:
    """Answers on ``listener`` for ``engine``, a ``Synthesizer`` and maybe a ``VoiceConverter``.

    Where an iterator of the engine's has a ``close`` that may be called from any thread, a cancelled request stops
    at once; a plain generator stops at its next piece. ``give_up`` ends the process.
    """

    def __init__(self, engine: Any, listener: socket.socket, token: str, give_up: Callable[[], object]) -> None:
        self._engine = engine
        self._listener = listener
        self._token = token
        self._give_up = give_up
        self._over = threading.Event()

    def run(self) -> None:
        """Accept until the engine is stuck and the process given up."""
        try:
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        except OSError:  # nobody else is let in: the last client is told why, then this process ends
            self._over.wait()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            peer = _Peer(connection)
            try:
                if self._admits(connection):
                    request = receive(connection)
                    if request is not None:
                        self._answer(peer, request)
            except (OSError, FrameError) as error:
                log.info("a connection ended: %s", error)

    def _admits(self, connection: socket.socket) -> bool:
        connection.settimeout(HANDSHAKE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        nonce = secrets.token_hex(16)
        send(connection, Frame({"worker": wire.VERSION, "nonce": nonce}))
        hello = receive(connection, MAX_HELLO, 0)
        given = str(hello.header.get("proof", "")) if hello else ""
        if not hmac.compare_digest(given.encode(), wire.proof(self._token, nonce).encode()):
            refusal = EngineError("worker_refused", "The speaking machine does not know this key; check it there.")
            send(connection, wire.error_frame(refusal))
            return False
        send(connection, Frame({"welcome": wire.VERSION}))
        connection.settimeout(SEND_S)
        return True

    def _answer(self, peer: _Peer, request: Frame) -> None:
        try:
            with peer.watched():
                for frame in self._frames(peer, request):
                    peer.send(frame)
            peer.send(Frame({"end": True}))
        except EngineStuck as error:
            log.error("the engine is stuck: %s", error)
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                peer.send(wire.error_frame(error))
            self._give_up()
            self._over.set()
        except UserError as error:
            peer.send(wire.error_frame(error))
        except (OSError, FrameError):
            raise
        except Exception:
            log.exception("a request failed")
            failure = EngineError("engine_failed", "The speech engine failed on this; the server's log says more.")
            peer.send(wire.error_frame(failure))

    def _frames(self, peer: _Peer, request: Frame) -> Iterator[Frame]:
        engine = self._engine
        match request.header.get("do"):
            case "info":
                yield wire.info_frame(engine.info, list(engine.voices()))
            case "load":
                engine.load()
                yield wire.info_frame(engine.info, list(engine.voices()))
            case "synthesize":
                yield from self._spoken(peer, engine.synthesize(wire.read_speech_request(request)))
            case "convert" if hasattr(engine, "convert"):
                yield from self._spoken(peer, engine.convert(*wire.read_conversion(request)))
            case other:
                raise AudioError("worker_cannot", f"The speaking machine cannot do that ({other}).", what=str(other))

    def _spoken(self, peer: _Peer, chunks: Iterator[SpeechChunk]) -> Iterator[Frame]:
        peer.on_leave(lambda: _stop(chunks))
        try:
            for chunk in chunks:
                if peer.left:
                    return
                yield wire.chunk_frame(chunk)
        finally:
            _stop(chunks)


class _Peer:
    """The client of one request: written to from two threads, and watched for its leaving."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._writing = threading.Lock()
        self._done = threading.Event()
        self._leave: Callable[[], object] = lambda: None
        self.left = False

    def send(self, frame: Frame) -> None:
        with self._writing:
            send(self._connection, frame)

    def on_leave(self, stop: Callable[[], object]) -> None:
        """Have ``stop`` called when the client leaves."""
        self._leave = stop
        if self.left:
            stop()

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        threading.Thread(target=self._watch, daemon=True).start()
        try:
            yield
        finally:
            self._done.set()

    def _watch(self) -> None:
        wake = BEAT_S / 10
        quiet = 0.0
        try:
            while not self._done.is_set():
                if select.select([self._connection], [], [], wake)[0] and not self._done.is_set():
                    raise ConnectionError("the client left")  # it has nothing more to say, whatever it sent
                quiet += wake
                if quiet >= BEAT_S:
                    self.send(Frame({"beat": True}))
                    quiet = 0.0
        except (OSError, ValueError):  # gone, or closed on our side
            self.left = True
            self._leave()


def _stop(chunks: Iterator[SpeechChunk]) -> None:
    with contextlib.suppress(ValueError):  # a generator in the middle of a piece is closed behind it
        chunks.close()  # type: ignore[attr-defined]
