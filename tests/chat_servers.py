"""Other people's chat servers on the loopback address, each with the habits of its public contract."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.speech_server import Asked, Reply, as_json

WORDS = ["Hello", " there", "!"]
THOUGHTS = ["The user", " wants", " a greeting."]
KEY = "sk-secret-of-mine"


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def usage(reasoning: int = 0) -> dict[str, Any]:
    """The last chunk, of no choice, where usage was asked for."""
    return {
        "id": "c1",
        "choices": [],
        "usage": {"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": reasoning}},
    }


def words(*texts: str) -> list[dict[str, Any]]:
    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": text}) for text in texts),
        chunk({}, "stop"),
    ]


def stream(chunks: Iterable[dict[str, Any]], end: str = "\n\n", comment: str = "", space: str = " ") -> Reply:
    """Server-sent events, as one block for each and a ``[DONE]``; characters beyond ASCII as they are."""
    events = [f"data:{space}{json.dumps(c, ensure_ascii=False)}{end}" for c in chunks] + [f"data:{space}[DONE]{end}"]
    return Reply([(comment + event).encode() for event in events], "text/event-stream")


def refusal(status: int, message: str, **fields: Any) -> Reply:
    return as_json({"error": {"message": message, "type": "invalid_request_error", **fields}}, status)


def models(*entries: dict[str, Any]) -> Reply:
    return as_json({"object": "list", "data": list(entries)})


Chat = Callable[[dict[str, Any]], Reply]


@dataclass
class Server:
    """The routes of a server whose chat is ``chat``; asked for with a wrong key it says so in OpenAI's words."""

    chat: Chat
    listed: Reply
    root: str = "/v1"
    key: str = ""

    def routes(self) -> dict[str, Any]:
        return {
            f"{self.root}/models": self._guarded(lambda _: self.listed),
            f"{self.root}/chat/completions": self._guarded(self.chat),
        }

    def _guarded(self, answer: Chat) -> Callable[[Asked], Reply]:
        def reply(asked: Asked) -> Reply:
            given = asked.headers.get("Authorization", "")
            if self.key and given != f"Bearer {self.key}":
                said = f"Incorrect API key provided: {given.removeprefix('Bearer ')}."
                return refusal(401, said, param=None, code="invalid_api_key")
            return answer(asked.body)

        return reply


def vllm(body: dict[str, Any]) -> Reply:
    """Thinks in ``reasoning_content`` unless its template is told not to; sends usage in a chunk of no choice."""
    if body["model"] != "Qwen/Qwen3-8B":
        said = f"The model `{body['model']}` does not exist."
        return as_json({"error": {"message": said, "type": "NotFoundError", "param": "model", "code": 404}}, 404)
    if sum(len(m["content"]) for m in body["messages"]) > 4000:
        said = "This model's maximum context length is 1024 tokens. However, you requested 1340 tokens (1100 in the messages, 240 in the completion). Please reduce the length of the messages or completion."
        return as_json({"error": {"message": said, "type": "BadRequestError", "param": None, "code": 400}}, 400)
    thinks = body.get("chat_template_kwargs", {}).get("enable_thinking", True)
    thoughts = [chunk({"reasoning_content": text}) for text in THOUGHTS] if thinks else []
    return stream([*thoughts, *words(*WORDS), usage()])


def ollama(body: dict[str, Any]) -> Reply:
    """Takes any field, heeds ``reasoning_effort`` only, thinks in ``reasoning``, lists no context."""
    if body["model"] != "qwen3:4b":
        return refusal(404, f"model '{body['model']}' not found", type="not_found_error", param=None, code=None)
    thoughts = (
        []
        if body.get("reasoning_effort") == "none"
        else [chunk({"content": "", "reasoning": text}) for text in THOUGHTS]
    )
    if "tools" in body:
        call = {
            "index": 0,
            "id": "call_x1",
            "type": "function",
            "function": {"name": "get_time", "arguments": '{"city":"Paris"}'},
        }
        return stream(
            [
                *thoughts,
                chunk({"role": "assistant", "content": "", "tool_calls": [call]}),
                chunk({"content": ""}, "tool_calls"),
            ]
        )
    return stream([*thoughts, *words(*WORDS)])


def dashscope(body: dict[str, Any]) -> Reply:
    """Ends its lines with CRLF, keeps alive with comments, fills what it does not say with null or nothing."""
    if "chat_template_kwargs" in body:
        return refusal(400, "Unknown parameter: chat_template_kwargs", param=None, code="invalid_parameter_error")
    thinks = body.get("enable_thinking", True)
    thoughts = [chunk({"content": None, "reasoning_content": text}) for text in THOUGHTS] if thinks else []
    if "tools" in body:
        parts = [("call_a", "get_time", '{"ci'), ("", None, 'ty": "Pa'), ("", "", 'ris"}'), ("", None, None)]
        second = [("call_b", "get_time", ""), ("", "", '{"city": "北京"}')]
        calls = [
            chunk({"content": None, "tool_calls": [{"index": i, "id": id_, "type": "function", "function": {"name": name, "arguments": said}}]})
            for i, group in enumerate((parts, second))
            for id_, name, said in group
        ]  # fmt: skip
        return stream([*thoughts, *calls, chunk({"content": None}, "tool_calls")], "\r\n\r\n", ": keep-alive\r\n\r\n")
    answer = [chunk({"content": text, "reasoning_content": None}) for text in WORDS]
    return stream([*thoughts, *answer, chunk({"content": ""}, "stop"), usage()], "\r\n\r\n", ": keep-alive\r\n\r\n")


def openai(body: dict[str, Any]) -> Reply:
    """Refuses what its newer models do not take, one thing at a time, and thinks without showing it."""
    if "max_tokens" in body:
        said = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        return refusal(400, said, param="max_tokens", code="unsupported_parameter")
    if body.get("temperature", 1) != 1:
        said = "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is supported."
        return refusal(400, said, param="temperature", code="unsupported_value")
    for name in ("frequency_penalty", "chat_template_kwargs", "enable_thinking"):
        if name in body:
            return refusal(400, f"Unrecognized request argument supplied: {name}", param=None, code=None)
    effort = body.get("reasoning_effort", "medium")
    if effort == "none":
        said = "Unsupported value: 'reasoning_effort' does not support 'none' with this model. Supported values are: 'minimal', 'low', 'medium', and 'high'."
        return refusal(400, said, param="reasoning_effort", code="unsupported_value")
    if body["max_completion_tokens"] < 16:
        said = "Could not finish the message because max_tokens or model output limit was reached. Please try again with higher max_tokens."
        return refusal(400, said, param=None, code=None)
    return stream([*words(*WORDS), usage(0 if effort == "minimal" else 64)])


def llama_cpp(body: dict[str, Any]) -> Reply:
    """Speaks of a context that is too small in its own ways: as a refusal, and as a failure of its own."""
    if sum(len(m["content"]) for m in body["messages"]) > 20_000:
        return as_json(
            {"error": {"code": 500, "message": "Context size has been exceeded.", "type": "server_error"}}, 500
        )
    if sum(len(m["content"]) for m in body["messages"]) > 4000:
        said = "the request exceeds the available context size. try increasing the context size or enable context shift"
        return as_json(
            {
                "error": {
                    "code": 400,
                    "message": said,
                    "type": "exceed_context_size_error",
                    "n_prompt_tokens": 5000,
                    "n_ctx": 4096,
                }
            },
            400,
        )
    return stream([*words(*WORDS), usage()])


def deepseek_template(body: dict[str, Any]) -> Reply:
    """A thinking model behind a server that parses no thoughts, and whose prompt has opened the tag already."""
    return stream(words("The user wants", " a greeting.</thi", "nk>\n\n", *WORDS))


def think_tags(body: dict[str, Any]) -> Reply:
    """Thinks between tags, torn over chunks, unless the message itself asks it not to."""
    if body["messages"][-1]["content"].endswith("/no_think"):
        return stream(words("<think>\n\n</think>\n\n", *WORDS))
    return stream(words("<th", "ink>The user", " wants</", "think>", "\n\n", *WORDS))
