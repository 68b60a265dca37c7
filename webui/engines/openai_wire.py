"""OpenAI's chat-completions protocol as it comes over the wire, with the habits of those who imitate it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from webui.engines.protocols import Message, Tool, ToolCall
from webui.engines.thinking import ThinkFilter

DONE = "[DONE]"


class BrokenAnswerError(Exception):
    """The server began to answer and then told of a failure; the text is what it says."""


def message_json(message: Message) -> dict[str, Any]:
    """A message as it is sent."""
    out: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        out["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        out["tool_call_id"] = message.tool_call_id
    return out


def tool_json(tool: Tool) -> dict[str, Any]:
    """A tool as it is offered."""
    parameters = dict(tool.parameters) or {"type": "object", "properties": {}}
    about = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": about}


async def event_data(chunks: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The data of each server-sent event; comments and other fields are passed over.

    Lines end with LF or CRLF and with nothing else: U+2028 and its like, at which ``str.splitlines`` breaks, may stand
    in a JSON string as they are.
    """
    held = b""
    async for chunk in chunks:
        *lines, held = (held + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip().decode()
    if held.startswith(b"data:"):  # a server that closes right after its last line
        yield held[5:].strip().decode()


class AnswerReader:
    """Puts an answer together: chunks in, text and whole tool calls out, thoughts left out.

    ``calls``: whether tools were offered; where none were, whatever looks like a call is dropped. ``inside``: as
    ``ThinkFilter``'s.
    """

    def __init__(self, calls: bool = False, inside: bool = False) -> None:
        self.begun = False
        """Whether anything has been given out."""
        self.cut_short = False
        """Whether the answer reached the limit of its length."""
        self._wants_calls = calls
        self._filter = ThinkFilter(inside)
        self._reasoned = False
        self._calls: list[dict[str, Any]] = []

    @property
    def thought(self) -> bool:
        """Whether the model has thought before it answered, aloud or not."""
        return self._reasoned or self._filter.thought

    @property
    def unopened(self) -> bool:
        """Whether a thought ended that nothing had begun."""
        return self._filter.unopened

    def feed(self, chunk: Mapping[str, Any]) -> list[str | ToolCall]:
        """What a chunk adds. Raises ``BrokenAnswerError`` where it tells of a failure."""
        if chunk.get("error") or chunk.get("object") == "error":
            raise BrokenAnswerError(json.dumps(chunk.get("error") or chunk, ensure_ascii=False))
        self._reasoned |= _reasoning_tokens(chunk) > 0
        out: list[str | ToolCall] = []
        for choice in chunk.get("choices") or ():
            # One that does not stream sends a message where the others send a delta.
            delta = choice.get("delta") or choice.get("message") or {}
            self._reasoned |= bool(delta.get("reasoning_content") or delta.get("reasoning"))
            if words := self._filter.feed(delta.get("content") or ""):
                out.append(words)
            for part in delta.get("tool_calls") or ():
                self._add(part)
            self.cut_short |= choice.get("finish_reason") == "length"
        self.begun |= bool(out)
        return out

    def finish(self) -> list[str | ToolCall]:
        """What remains once the last chunk has come."""
        out: list[str | ToolCall] = []
        if words := self._filter.flush():
            out.append(words)
        if self._wants_calls:
            out += [ToolCall(c["id"] or f"call_{n}", c["name"], c["said"] or "{}") for n, c in enumerate(self._calls)]
        self.begun |= bool(out)
        return out

    def _add(self, part: Mapping[str, Any]) -> None:
        """A piece of a call: of the last one, unless its index or its id says that another begins."""
        function = part.get("function") or {}
        last = self._calls[-1] if self._calls else None
        index, name_id = part.get("index"), part.get("id") or ""
        if last is None or index != last["index"] or (name_id and last["id"] and name_id != last["id"]):
            last = {"index": index, "id": "", "name": "", "said": ""}
            self._calls.append(last)
        last["id"] = last["id"] or name_id
        last["name"] = last["name"] or function.get("name") or ""
        said = function.get("arguments") or ""
        last["said"] += said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)


def context_tokens(listed: Mapping[str, Any]) -> int:
    """How much a model holds, by its entry in the list of models; 0 where the entry does not say."""
    sources = (listed, listed.get("meta") or {})
    # vLLM and SGLang; llama.cpp's slot; OpenRouter and others; Groq; LM Studio.
    names = ("max_model_len", "n_ctx", "context_length", "context_window", "max_context_length")
    return next((int(s[n]) for n in names for s in sources if isinstance(s.get(n), int) and s[n] > 0), 0)


def models_listed(answer: Any) -> Sequence[Mapping[str, Any]]:
    """The entries of an answer to ``GET models``."""
    data = answer.get("data") if isinstance(answer, dict) else None
    return [entry for entry in data or () if isinstance(entry, dict) and isinstance(entry.get("id"), str)]


def _reasoning_tokens(chunk: Mapping[str, Any]) -> int:
    details = (chunk.get("usage") or {}).get("completion_tokens_details") or {}
    return int(details.get("reasoning_tokens") or 0)
