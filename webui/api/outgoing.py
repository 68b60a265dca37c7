"""What goes out over one socket: events in their order, from any thread, by the names that the client knows."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from webui.conversation.session import new_id
from webui.errors import UserError

log = logging.getLogger(__name__)

# A client that takes nothing for so long has gone, whatever its network says.
SEND_TIMEOUT_S = 30.0
# The protocol's beta had other names.
_BETA = {
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "conversation.item.added": "conversation.item.created",
}


class Outgoing:
    """The sending side of a socket. ``run`` it as a task."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._names = _BETA if "realtime=v1" in socket.headers.get("openai-beta", "") else {}
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[str] = asyncio.Queue()

    def send(self, kind: str, **fields: Any) -> None:
        """Send one event; from any thread."""
        event = {"type": self._names.get(kind, kind), "event_id": new_id("event"), **fields}
        self._loop.call_soon_threadsafe(self._queue.put_nowait, json.dumps(event, ensure_ascii=False))

    def fail(self, error: UserError, event_id: str | None = None) -> None:
        """Tell what went wrong, in one sentence; ``event_id``: the client's event that it came of."""
        self.send("error", error={**error_json(error), "event_id": event_id})

    def stage(self, stage: str, **more: Any) -> None:
        """Tell what the program is busy with."""
        self.send("funaudio.stage", stage=stage, **more)

    async def run(self) -> None:
        """Send until the client has gone, or reads nothing any more."""
        try:
            while True:
                event = await self._queue.get()
                await asyncio.wait_for(self._socket.send_text(event), SEND_TIMEOUT_S)
        # RuntimeError: the socket was closed while something was sent
        except (WebSocketDisconnect, RuntimeError, asyncio.TimeoutError):
            log.debug("a client went while it was being told something")


def error_json(error: UserError) -> dict[str, Any]:
    """An error as the protocol writes it; its code is a key of the label table, ``values`` fill its blanks."""
    return {"type": "invalid_request_error", "code": error.key, "message": error.message, "values": error.values}
