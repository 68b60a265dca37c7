"""One response of the Realtime protocol: what a turn does, told as the protocol's events in their order."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from webui.api.items import item_json
from webui.api.wire import chunk_json
from webui.audio.formats import Encoder, WireFormat
from webui.conversation.session import new_id
from webui.engines.protocols import Message
from webui.features.chat import Called, Spoke, TurnEvent, Wrote
from webui.types import SpeechChunk


class Response:
    """Writes the events of one response through ``send(type, **fields)``, which may be called from any thread.

    ``open`` it before anything else, and ``close`` it.
    """

    def __init__(self, send: Callable[..., None], form: WireFormat, aloud: bool, after: str | None) -> None:
        """``form``: how its sound is written; ``aloud``: whether there is any; ``after``: the item it answers."""
        self.id = new_id("resp")
        self.item_id = new_id("item")
        self._send = send
        self._encoder = Encoder(form)
        self._kind = "output_audio_transcript" if aloud else "output_text"
        self._part = {"type": "audio", "transcript": ""} if aloud else {"type": "text", "text": ""}
        self._after = after
        self.aloud = False  # some of it was spoken
        self._begun = False
        self._text = ""
        self._output: list[dict[str, Any]] = []

    def open(self) -> None:
        """Say that there is a response."""
        self._send("response.created", response=self._json("in_progress"))

    def tell(self, event: TurnEvent) -> None:
        """Something happened in its turn."""
        if isinstance(event, Wrote):
            self._begin()
            self._text += event.text
            self._send(f"response.{self._kind}.delta", **self._place, delta=event.text)
        elif isinstance(event, Spoke):
            self._begin()
            self.aloud = True
            self._speak(self._encoder.feed(event.chunk.audio), event.chunk, event.style)
        elif isinstance(event, Called):
            self._call(event)

    def close(self, status: str, style: str, latency: dict[str, float], error: dict[str, Any] | None = None) -> None:
        """It is over: ``completed``, ``cancelled`` or ``failed`` with an ``error``."""
        if self._begun:
            self._end(status)
        about = {"type": status, "error": error} if status == "failed" else None
        self._send(
            "response.done",
            response={**self._json(status), "status_details": about},
            funaudio={"latency": latency, "style": style},
        )

    @property
    def _place(self) -> dict[str, Any]:
        return {"response_id": self.id, "item_id": self.item_id, "output_index": 0, "content_index": 0}

    def _json(self, status: str) -> dict[str, Any]:
        return {"object": "realtime.response", "id": self.id, "status": status, "output": list(self._output)}

    def _begin(self) -> None:
        """The first words: the message appears."""
        if self._begun:
            return
        self._begun = True
        item = item_json(self.item_id, Message("assistant", ""), "in_progress")
        self._send("response.output_item.added", response_id=self.id, output_index=0, item=item)
        self._send("conversation.item.added", previous_item_id=self._after, item=item)
        self._send("response.content_part.added", **self._place, part=self._part)

    def _speak(self, sound: bytes, chunk: SpeechChunk | None, style: str) -> None:
        more = {"funaudio": chunk_json(chunk, style)} if chunk else {}
        self._send("response.output_audio.delta", **self._place, delta=base64.b64encode(sound).decode(), **more)

    def _end(self, status: str) -> None:
        aloud = "transcript" in self._part
        if aloud:
            if status == "completed" and (rest := self._encoder.flush()):
                self._speak(rest, None, "")
            self._send("response.output_audio.done", **self._place)
        words = {"transcript" if aloud else "text": self._text.strip()}
        self._send(f"response.{self._kind}.done", **self._place, **words)
        self._send("response.content_part.done", **self._place, part={**self._part, **words})
        whole = "completed" if status == "completed" else "incomplete"
        item = item_json(self.item_id, Message("assistant", self._text.strip()), whole)
        self._output.insert(0, item)
        self._send("response.output_item.done", response_id=self.id, output_index=0, item=item)
        self._send("conversation.item.done", previous_item_id=self._after, item=item)

    def _call(self, called: Called) -> None:
        index = len(self._output) + (1 if self._begun else 0)
        place = {"response_id": self.id, "output_index": index}
        item = item_json(called.item_id, Message("assistant", "", tool_calls=(called.call,)))
        empty = {**item, "status": "in_progress", "arguments": ""}
        about = {"item_id": called.item_id, "call_id": called.call.id}
        self._send("response.output_item.added", **place, item=empty)
        self._send("conversation.item.added", previous_item_id=self._after, item=empty)
        arguments = called.call.arguments
        self._send("response.function_call_arguments.delta", **place, **about, delta=arguments)
        self._send(
            "response.function_call_arguments.done", **place, **about, name=called.call.name, arguments=arguments
        )
        self._output.append(item)
        self._send("response.output_item.done", **place, item=item)
        self._send("conversation.item.done", previous_item_id=self._after, item=item)
