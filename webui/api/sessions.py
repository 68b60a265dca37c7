"""Who may talk now: so many conversations, a queue before them, and the way back after a lost connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from webui.api.origin import same_origin
from webui.api.realtime import MAX_FRAME_CHARS, TAKEN_UP, RealtimeSession
from webui.conversation.session import Conversation
from webui.engines.registry import Engines

log = logging.getLogger(__name__)

FOREIGN, FULL = 4403, 4429  # WebSocket close codes of our own
KEPT_SECONDS = 30.0  # a conversation outlives a lost connection by so much
MAX_EARLY = 50  # messages that a client may send while it waits
# How a connection ends that was closed on purpose: by the client, or because its page has gone.
_ON_PURPOSE = (1000, 1001)


@dataclass(eq=False)
class _Place:
    """One conversation and the socket it has now, if any; ``leaving`` ends it when that socket does not come back."""

    conversation: Conversation
    session: RealtimeSession | None = None
    leaving: asyncio.TimerHandle | None = None


class Sessions:
    """The conversations of this process, by their unguessable ids."""

    def __init__(self, engines: Engines, limit: int) -> None:
        self._engines = engines
        self._limit = limit
        self._places: dict[str, _Place] = {}
        self._queue: list[asyncio.Future[None]] = []
        self._promised = 0  # places that are free for somebody who has waited, and has not taken his yet

    def __iter__(self) -> Iterator[RealtimeSession]:
        return iter([place.session for place in self._places.values() if place.session is not None])

    def __len__(self) -> int:
        return len(self._places)

    def conversation(self, name: str) -> Conversation | None:
        """The conversation of that id, as long as it lasts."""
        place = self._places.get(name)
        return place.conversation if place else None

    async def serve(self, socket: WebSocket) -> None:
        """Everything about one socket, from its opening to its end."""
        if not same_origin(socket):
            await socket.close(FOREIGN)
            return
        await socket.accept(subprotocol="realtime" if "realtime" in socket.scope.get("subprotocols", ()) else None)
        early: list[str] = []
        place = await self._take_up(socket.query_params.get("session", ""))
        if place is None:
            place = await self._wait(socket, early)
        if place is None:
            return
        session = place.session = RealtimeSession(socket, self._engines, place.conversation)
        code = _ON_PURPOSE[0]
        try:
            code = await session.run(early)
        finally:
            if place.session is session:  # it was not taken up by another socket
                place.session = None
                seconds = 0.0 if code in _ON_PURPOSE else KEPT_SECONDS
                place.leaving = asyncio.get_running_loop().call_later(seconds, self._leave, place)

    async def _take_up(self, name: str) -> _Place | None:
        """The place of a client that comes back."""
        place = self._places.get(name)
        if place is None:
            return None
        if place.leaving is not None:
            place.leaving.cancel()
            place.leaving = None
        if place.session is not None:
            before, place.session = place.session, None
            await before.end(TAKEN_UP)
        return place

    async def _wait(self, socket: WebSocket, early: list[str]) -> _Place | None:
        """A new place, when there is one; None for a client that has gone, or that the queue has no room for."""
        if len(self._places) + self._promised >= self._limit:
            if len(self._queue) >= self._limit:
                await socket.close(FULL)
                return None
            turn = asyncio.get_running_loop().create_future()
            self._queue.append(turn)
            stays = False
            try:
                stays = await self._queued(socket, turn, early)
            finally:
                if turn in self._queue:
                    self._queue.remove(turn)
                elif not stays:
                    self._promised -= 1
                    self._hand_over()
            if not stays:
                return None
            self._promised -= 1
        conversation = Conversation()
        place = self._places[conversation.id] = _Place(conversation)
        return place

    async def _queued(self, socket: WebSocket, turn: asyncio.Future[None], early: list[str]) -> bool:
        """Tell the client its position until it is its turn; what it sends meanwhile is kept. False: it has gone."""
        told = 0
        reading = asyncio.ensure_future(socket.receive_text())
        try:
            while not turn.done():
                position = self._queue.index(turn) + 1
                if position != told:
                    told = position
                    await socket.send_text(json.dumps({"type": "funaudio.queue", "position": position}))
                waiting: set[asyncio.Future[Any]] = {turn, reading}
                await asyncio.wait(waiting, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
                if reading.done():
                    frame = reading.result()
                    if len(early) >= MAX_EARLY or len(frame) > MAX_FRAME_CHARS:
                        await socket.close(FULL)
                        return False
                    early.append(frame)
                    reading = asyncio.ensure_future(socket.receive_text())
        except (WebSocketDisconnect, RuntimeError, KeyError):
            log.debug("a client has left the queue")
            return False
        finally:
            if not reading.done():
                reading.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await reading
        return True

    def _leave(self, place: _Place) -> None:
        del self._places[place.conversation.id]
        place.conversation.close()
        self._hand_over()

    def _hand_over(self) -> None:
        """A place is free: it is for who has waited longest."""
        if self._queue:
            self._promised += 1
            self._queue.pop(0).set_result(None)
