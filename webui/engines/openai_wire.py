"""OpenAI's chat-completions protocol as it comes over the wire, with the habits of those who imitate it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any

from webui.engines.protocols import Message, Tool, ToolCall
from webui.engines.thinking import ThinkFilter

DONE = "[DONE]"
_CALL_MARKS = re.compile(r"```(?:json|xml)?|</?tool_call>|</?tools>")
_CALL_TAG = re.compile(r"<(?:tool_call>|tools>|[tol_cas]{0,9}$)")
_BARE_CALL = re.compile(r"\s*(?:[{`]|$)")


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
    """The data of each server-sent event, whose lines are put together; comments and other fields are passed over.

    Lines end with LF or CRLF and with nothing else: U+2028 and its like, at which ``str.splitlines`` breaks, may stand
    in a JSON string as they are.
    """
    held = b""
    data: list[bytes] = []
    async for chunk in chunks:
        *lines, held = (held + chunk).split(b"\n")
        for line in map(bytes.strip, lines):
            if line.startswith(b"data:"):
                data.append(line[5:].strip())
            elif not line and data:
                yield b"\n".join(data).decode()
                data = []
    if held.startswith(b"data:"):  # a server that closes right after its last line
        data.append(held[5:].strip())
    if data:
        yield b"\n".join(data).decode()


class AnswerReader:
    """Puts an answer together: chunks in, text and whole tool calls out, thoughts left out.

    ``tools``: those that were offered; where none were, whatever looks like a call is dropped. ``inside``: as
    ``ThinkFilter``'s.
    """

    def __init__(self, tools: Sequence[Tool] = (), inside: bool = False) -> None:
        self.begun = False
        """Whether anything has been given out."""
        self.cut_short = False
        """Whether the answer reached the limit of its length."""
        self._offered = {tool.name for tool in tools}
        self._filter = ThinkFilter(inside)
        self._reasoned = False
        self._calls: list[dict[str, Any]] = []
        self._held = ""

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
        text = ""
        for choice in chunk.get("choices") or ():
            # One that does not stream sends a message where the others send a delta.
            delta = choice.get("delta") or choice.get("message") or {}
            self._reasoned |= bool(delta.get("reasoning_content") or delta.get("reasoning"))
            text += delta.get("content") or ""
            for part in delta.get("tool_calls") or ():
                self._add(part)
            self.cut_short |= choice.get("finish_reason") == "length"
        return self.add(text)

    def add(self, text: str) -> list[str | ToolCall]:
        """What a piece of bare text adds, for a model that sends no chunks."""
        return self._given(self._past_calls(self._filter.feed(text)))

    def finish(self) -> list[str | ToolCall]:
        """What remains once the last chunk has come."""
        words = self._held + self._filter.flush()
        calls = [ToolCall(c["id"] or f"call_{n}", c["name"], c["said"] or "{}") for n, c in enumerate(self._calls)]
        if self._offered and not calls:
            calls = written_calls(words, self._offered)
            words = "" if calls else words
        return [*self._given(words), *(calls if self._offered else ())]

    def _given(self, words: str) -> list[str | ToolCall]:
        self.begun |= bool(words)
        return [words] if words else []

    def _past_calls(self, words: str) -> str:
        """``words`` up to where a call may be written out; from there all is held to the end.

        That is at a tag, or at the very beginning where an answer begins as a bare or a fenced call does.
        """
        if not self._offered:
            return words
        text = self._held + words
        begins = len(text) - len(text.lstrip()) if not self.begun and _BARE_CALL.match(text) else len(text)
        if tag := _CALL_TAG.search(text):
            begins = min(begins, tag.start())
        self._held = text[begins:]
        return text[:begins]

    def _add(self, part: Mapping[str, Any]) -> None:
        """A piece of a call: of the last one, unless its index or its id says that another begins."""
        function = part.get("function") or {}
        last = self._calls[-1] if self._calls else None
        index, call_id = part.get("index"), part.get("id") or ""
        if last is None or index != last["index"] or (call_id and last["id"] and call_id != last["id"]):
            last = {"index": index, "id": "", "name": "", "said": ""}
            self._calls.append(last)
        last["id"] = last["id"] or call_id
        last["name"] = last["name"] or function.get("name") or ""
        said = function.get("arguments") or ""
        last["said"] += said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)


def written_calls(words: str, offered: Collection[str]) -> list[ToolCall]:
    """The calls that an answer consists of where a model writes them as text, of the tools ``offered`` only.

    Qwen's form, ``{"name": …, "arguments": {…}}``, bare, fenced or between tags: its Coder models forget the tags by
    which servers know a call. Empty where the answer is anything else.
    """
    calls = []
    rest = _CALL_MARKS.sub(" ", words).strip()
    while rest:
        try:
            value, end = json.JSONDecoder().raw_decode(rest)
        except ValueError:
            return []
        if not isinstance(value, dict) or value.get("name") not in offered or "arguments" not in value:
            return []
        said = value["arguments"]
        calls.append((value["name"], said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)))
        rest = rest[end:].lstrip()
    return [ToolCall(f"call_{n}", name, said) for n, (name, said) in enumerate(calls)]


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
