"""What one server of OpenAI's protocol takes and what it refuses, found out by asking it, and remembered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from webui.engines.openai_wire import message_json, tool_json
from webui.engines.protocols import ChatRequest
from webui.engines.structured import told
from webui.errors import EngineError

# Small models fall into loops ("the fox said …" without end); free text is nudged out of them, JSON is not.
FREQUENCY_PENALTY = 0.4
# A model that cannot be kept from thinking gets this much on top, or its thoughts would leave nothing for the answer.
THINKING_TOKENS = 2048

# What can be left out of a request without changing what it means.
_DISPENSABLE = ("temperature", "frequency_penalty", "stream_options")
# How a model is asked not to think, from the most to the least common: by vLLM, SGLang and llama.cpp; by DashScope; by
# Ollama and OpenAI; by OpenAI for some models; and by Qwen's own switch, in the message.
_QUIET: tuple[Mapping[str, Any], ...] = (
    {},
    {"chat_template_kwargs": {"enable_thinking": False}},
    {"enable_thinking": False},
    {"reasoning_effort": "none"},
    {"reasoning_effort": "minimal"},
    {"/no_think": True},
)
_NO_THINK = "/no_think"
TOO_LONG = re.compile(
    r"context.?(length|size|window)|maximum context|input length|prompt is too long|too many (input )?tokens", re.I
)
_MORE_ROOM = re.compile(r"higher max_tokens|output limit was reached", re.I)  # thoughts took all that was allowed
_NO_MODEL = re.compile(
    r"model_not_found|model.{0,120}(not found|not exist|not available|unknown)|(unknown|invalid) model", re.I | re.S
)


@dataclass
class Dialect:
    """How a server wants to be spoken to. It changes as the server refuses things, and only towards simpler."""

    length: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    form: Literal["json_schema", "json_object", "text"] = "json_schema"
    """The strictest way to ask for JSON that it takes."""
    thinks: bool = False
    """Whether it thinks before it answers, whatever it is asked."""
    inside: bool = False
    """Whether its answers begin in mid-thought, without the tag."""
    tools: bool = True
    settled: bool = False
    """Whether it is known how to keep it from thinking."""
    _dropped: set[str] = field(default_factory=set)
    _quiet: int = 0

    def body(self, request: ChatRequest, model: str) -> dict[str, Any]:
        """The JSON body of a request."""
        if request.schema is not None and self.form != "json_schema":
            request = told(request)
        body: dict[str, Any] = {
            "model": model,
            "messages": [message_json(m) for m in request.messages],
            "stream": True,
            self.length: request.max_tokens + (THINKING_TOKENS if self.thinks else 0),
            "temperature": request.temperature,
            "frequency_penalty": FREQUENCY_PENALTY,
            "stream_options": {"include_usage": True},
        }
        if request.schema is not None:
            body["response_format"] = self._format(request.schema)
        if request.tools:
            body["tools"] = [tool_json(tool) for tool in request.tools]
        if request.schema is not None or request.tools:
            del body["frequency_penalty"]
        if self.form == "text":
            body.pop("response_format", None)
        body.update(_QUIET[self._quiet])
        if body.pop(_NO_THINK, False):
            last = next((m for m in reversed(body["messages"]) if m["role"] == "user"), body["messages"][-1])
            last["content"] += f" {_NO_THINK}"
        return {name: value for name, value in body.items() if name not in self._dropped}

    def learn(self, complaint: str, body: Mapping[str, Any]) -> bool:
        """Whether another attempt may go better, now that the server has refused ``body`` with ``complaint``."""
        if TOO_LONG.search(complaint) or _NO_MODEL.search(complaint):
            return False
        if "max_completion_tokens" in complaint and self.length in body and self.length == "max_tokens":
            self.length = "max_completion_tokens"
            return True
        if _MORE_ROOM.search(complaint) and not self.thinks:
            self.thinks = True
            return True
        named = [name for name in body if re.search(rf"\b{name}\b", complaint)]
        if dispensable := [name for name in named if name in _DISPENSABLE]:
            self._dropped.update(dispensable)
            return True
        quiet = _QUIET[self._quiet]
        if quiet and (any(name in named for name in quiet) or not self.settled):
            self.quieten()
            return True
        return "response_format" in body and not ("tools" in named and "response_format" not in named) and self.loosen()

    def quieten(self) -> bool:
        """Ask it in the next way not to think. Where no way is left it is let think: False."""
        if self.thinks:
            return False
        self._quiet = (self._quiet + 1) % len(_QUIET)
        self.thinks = self._quiet == 0
        return not self.thinks

    def loosen(self) -> bool:
        """Ask for JSON in the next simpler way; False where there is none."""
        if self.form == "text":
            return False
        self.form = "json_object" if self.form == "json_schema" else "text"
        return True

    def _format(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        if self.form == "json_schema":
            return {"type": "json_schema", "json_schema": {"name": "answer", "schema": dict(schema)}}
        return {"type": "json_object"}


def sentence(complaint: str, request: ChatRequest, model: str) -> EngineError | None:
    """What to tell a person of a refusal that is special to chat; None where it is like any other server's."""
    if TOO_LONG.search(complaint):
        return EngineError("chat_too_long", "That is too long for the language model. Say it in fewer words.")
    if _NO_MODEL.search(complaint):
        return EngineError(
            "chat_no_model",
            f"The language model's server has no model named {model}. Give the name of one that it has.",
            model=model,
        )
    if request.tools and re.search(r"\btools?\b", complaint):
        return EngineError("chat_no_tools", "This language model cannot use tools. Choose one that can.")
    return None
