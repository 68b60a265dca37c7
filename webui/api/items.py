"""Items of a conversation as the Realtime protocol writes them, and the messages that they are to the model."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from webui.audio.formats import WireFormat
from webui.engines.protocols import Message, ToolCall
from webui.errors import UserError
from webui.features.chat import MAX_TEXT_CHARS, typed
from webui.types import Audio


def message_of(item: Mapping[str, Any]) -> Message:
    """The message that a client's text item, function call or its result is. Raises ``UserError`` and ``KeyError``."""
    kind = item.get("type", "message")
    if kind == "function_call_output":
        return Message("tool", _limited(str(item["output"])), tool_call_id=str(item["call_id"]))
    if kind == "function_call":
        call = ToolCall(str(item["call_id"]), str(item["name"]), _limited(str(item["arguments"])))
        return Message("assistant", "", tool_calls=(call,))
    role = item.get("role", "user")
    if kind != "message" or role not in ("user", "assistant", "system"):
        raise UserError("unknown_item", "This server does not know that kind of item.")
    parts = [str(p.get("text") or p.get("transcript") or "") for p in item["content"] if p["type"] != "input_image"]
    return Message(role, typed("\n".join(filter(None, parts))))


def sound_of(item: Mapping[str, Any], form: WireFormat) -> Audio | None:
    """The recording in a client's item, None where it is text."""
    pieces = [base64.b64decode(p["audio"], validate=True) for p in item.get("content", ()) if p.get("audio")]
    return Audio(form.decode(b"".join(pieces)), form.rate) if pieces else None


def item_json(item_id: str, message: Message, status: str = "completed") -> dict[str, Any]:
    """A message as an item. Sound is not kept, so there is none in it."""
    about = {"id": item_id, "object": "realtime.item", "status": status}
    if message.tool_call_id:
        return {
            **about,
            "type": "function_call_output",
            "call_id": message.tool_call_id,
            "output": message.content,
        }
    if message.tool_calls:
        call = message.tool_calls[0]
        return {
            **about,
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }
    part = (
        {"type": "output_audio", "transcript": message.content}
        if message.role == "assistant"
        else {"type": "input_text", "text": message.content}
    )
    return {
        **about,
        "type": "message",
        "role": message.role,
        "content": [part] if message.content else [],
    }


def spoken_json(item_id: str, transcript: str | None) -> dict[str, Any]:
    """What the person said aloud, as an item; ``transcript`` is None until it is understood."""
    part = {"type": "input_audio", "transcript": transcript}
    about = {"id": item_id, "object": "realtime.item", "status": "completed"}
    return {**about, "type": "message", "role": "user", "content": [part]}


def _limited(text: str) -> str:
    if len(text) > MAX_TEXT_CHARS:
        raise UserError("text_too_long", f"Keep it under {MAX_TEXT_CHARS} characters.", limit=MAX_TEXT_CHARS)
    return text
