"""JSON from a model that nothing forces to write it: how it is asked for, and how the answer is checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from webui.engines.protocols import ChatRequest, Message
from webui.errors import EngineError

_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)
_LONGEST_REASON = 300


class Malformed(Exception):  # noqa: N818  (an answer to be corrected, not a failure)
    """The answer is not JSON of the schema's form; the text says what is wrong with it, for the model."""


def told(request: ChatRequest) -> ChatRequest:
    """The same request with its schema in the prompt, in words, for a server that cannot be given it."""
    assert request.schema is not None
    order = (
        "Answer with one JSON value that is valid against this JSON Schema, and with nothing else: no explanation, "
        f"no code fence.\n{json.dumps(dict(request.schema), ensure_ascii=False)}"
    )
    first, *rest = request.messages
    if first.role == "system":
        return replace(request, messages=(Message("system", f"{first.content}\n\n{order}"), *rest))
    return replace(request, messages=(Message("system", order), *request.messages))


def checked(answer: str, schema: Mapping[str, Any]) -> str:
    """The JSON value in ``answer``, as compact JSON text. Raises ``Malformed``."""
    import jsonschema

    value = _value(answer)
    try:
        jsonschema.validate(value, dict(schema))
    except jsonschema.ValidationError as error:
        where = "/".join(map(str, error.absolute_path)) or "the whole"
        raise Malformed(f"{error.message[:_LONGEST_REASON]} (at {where})") from error
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def corrected(request: ChatRequest, answer: str, problem: Malformed) -> ChatRequest:
    """The request asked again, with what was wrong with the first ``answer``."""
    complaint = f"That was not what was asked for: {problem}. Answer again, with the corrected JSON and nothing else."
    return replace(
        request, messages=(*request.messages, Message("assistant", answer), Message("user", complaint)), temperature=0.0
    )


def no_json() -> EngineError:
    """What is said when the second answer is wrong too."""
    return EngineError(
        "chat_no_json",
        "The language model did not keep to the form that was asked for. Try again, or use a larger model.",
    )


def _value(answer: str) -> Any:
    """The JSON value: the whole answer, what stands in a code fence, or the first object or list in it."""
    text = answer.strip()
    if fence := _FENCE.search(text):
        text = fence[1].strip()
    try:
        return json.loads(text)
    except ValueError:
        start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    if start < 0:
        raise Malformed("there is no JSON in it")
    try:
        return json.JSONDecoder().raw_decode(text[start:])[0]
    except ValueError as error:
        raise Malformed(f"it is not valid JSON: {error}") from error
