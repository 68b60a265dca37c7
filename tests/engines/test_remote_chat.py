"""``RemoteChat`` against chat servers of every kind: what it asks of them, what it makes of their answers."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import Any

import pytest
import stamina
from pydantic import SecretStr

from tests import chat_servers as foreign
from tests.chat_servers import KEY, WORDS, Server, chunk, models, refusal, stream, usage, words
from tests.speech_server import Reply, SpeechServer, as_json, speaking, torn, until
from webui.config import ROOT, Settings
from webui.engines.openai_chat import UNSTATED_CONTEXT_TOKENS, RemoteChat
from webui.engines.protocols import ChatRequest, Message, Tool, ToolCall
from webui.engines.store import ModelStore
from webui.errors import EngineError

TIME = Tool("get_time", "The time in a city", {"type": "object", "properties": {"city": {"type": "string"}}})
MOOD = {"type": "object", "properties": {"mood": {"enum": ["happy", "sad"]}}, "required": ["mood"]}
QWEN = {"id": "Qwen/Qwen3-8B", "object": "model", "owned_by": "vllm", "max_model_len": 1024}


@pytest.fixture(autouse=True)
def patient() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):  # tries again without the waits
        yield


def ask(text: str = "Hi", **options: Any) -> ChatRequest:
    return ChatRequest((Message("user", text),), **options)


@contextmanager
def talking(server: Server, path: str = "/v1", **settings: Any) -> Iterator[tuple[RemoteChat, SpeechServer]]:
    with speaking(server.routes()) as state:
        given = {"chat_url": state.url + path, "chat_key": SecretStr(server.key), **settings}
        chat = RemoteChat(ModelStore(ROOT / "models"), Settings(_env_file=None, **given))
        try:
            yield chat, state
        finally:
            chat.close()


def body(state: SpeechServer) -> dict[str, Any]:
    """What was asked last."""
    return state.questions()[-1].body


def failure(chat: RemoteChat, request: ChatRequest | None = None) -> EngineError:
    with pytest.raises(EngineError) as caught:
        list(chat.chat(request or ask()))
    return caught.value


SERVERS = {
    "vllm": (Server(foreign.vllm, models(QWEN)), "/v1", "", 1024),
    "ollama": (Server(foreign.ollama, models({"id": "qwen3:4b"})), "", "", UNSTATED_CONTEXT_TOKENS),
    "dashscope": (
        Server(foreign.dashscope, models(), "/compatible-mode/v1", KEY),
        "/compatible-mode/v1/",
        "qwen-plus",
        UNSTATED_CONTEXT_TOKENS,
    ),
    "openai": (Server(foreign.openai, models({"id": "gpt-5-mini"}), key=KEY), "/v1/chat/completions", "", 4096),
    "llama.cpp": (
        Server(foreign.llama_cpp, models({"id": "a.gguf", "meta": {"n_ctx": 2048, "n_ctx_train": 32768}})),
        "/v1",
        "",
        2048,
    ),
    "thinks between tags": (Server(foreign.think_tags, models({"id": "m", "context_length": 9000})), "", "m", 9000),
    "thinks without a tag": (Server(foreign.deepseek_template, models({"id": "r1"})), "", "", 4096),
}


@pytest.mark.parametrize("name", SERVERS)
def test_every_server_answers_and_no_thought_is_heard(name: str) -> None:
    server, path, model, context = SERVERS[name]
    with talking(server, path, chat_model=model) as (chat, state):
        assert not chat.info.loaded
        assert "".join(map(str, chat.chat(ask()))) == "".join(WORDS)
        assert chat.context_tokens == context
        assert chat.info.loaded
        asked = len(state.questions())
        assert "".join(map(str, chat.chat(ask()))) == "".join(WORDS)
        assert len(state.questions()) == asked + 1, "what was found out is remembered"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vllm", {"chat_template_kwargs": {"enable_thinking": False}}),
        ("dashscope", {"enable_thinking": False}),
        ("ollama", {"reasoning_effort": "none"}),
        ("openai", {"reasoning_effort": "minimal", "max_completion_tokens": 50}),
        ("llama.cpp", {"max_tokens": 50, "temperature": 0.7, "frequency_penalty": 0.4}),
    ],
)
def test_each_is_asked_not_to_think_in_its_own_way(name: str, expected: dict[str, Any]) -> None:
    server, path, model, _ = SERVERS[name]
    with talking(server, path, chat_model=model) as (chat, state):
        list(chat.chat(ask(max_tokens=50)))
        said = body(state)
        assert expected.items() <= said.items()
        quiet = {"chat_template_kwargs", "enable_thinking", "reasoning_effort"}
        assert quiet & said.keys() == quiet & expected.keys()
        assert chat.info.capabilities["prompt"] is True


def test_openais_refusals_are_heeded_one_by_one() -> None:
    server, path, model, _ = SERVERS["openai"]
    with talking(server, path, chat_model=model) as (chat, state):
        list(chat.chat(ask()))
        assert not {"max_tokens", "temperature", "frequency_penalty"} & body(state).keys()
        assert list(chat.chat(ask(max_tokens=1))), "what is too little for its thoughts is made more"


def test_what_two_are_refused_at_once_is_learnt_for_both() -> None:
    both = threading.Barrier(2, timeout=20)

    def chat_(asked: dict[str, Any]) -> Reply:
        if "temperature" in asked and len(asked["messages"]) > 1:
            both.wait()
            return refusal(400, "Unsupported value: 'temperature'", param="temperature", code="unsupported_value")
        return stream(words(*WORDS))

    with talking(Server(chat_, models({"id": "m"}))) as (chat, _):
        request = ChatRequest((Message("system", "Be kind."), Message("user", "Hi")))
        for answer in [chat.chat(request), chat.chat(request)]:
            assert "".join(map(str, answer)) == "".join(WORDS)


def test_a_model_that_cannot_be_kept_from_thinking_gets_room_for_it() -> None:
    server, path, model, _ = SERVERS["thinks without a tag"]
    with talking(server, path, chat_model=model) as (chat, state):
        list(chat.chat(ask(max_tokens=100)))
        assert body(state)["max_tokens"] > 1000
        assert isinstance(chat.info.capabilities["prompt"], str)


def test_a_template_that_answers_to_no_think_is_told_so_in_the_message() -> None:
    server, path, model, _ = SERVERS["thinks between tags"]
    with talking(server, path, chat_model=model) as (chat, state):
        list(chat.chat(ask("Hi")))
        assert body(state)["messages"][-1]["content"] == "Hi /no_think"


@pytest.mark.parametrize("name", ["ollama", "dashscope"])
def test_tool_calls_are_put_together(name: str) -> None:
    server, path, model, _ = SERVERS[name]
    with talking(server, path, chat_model=model) as (chat, state):
        calls = list(chat.chat(ask(tools=(TIME,))))
        assert all(isinstance(call, ToolCall) and call.name == "get_time" and call.id for call in calls)
        cities = [json.loads(call.arguments)["city"] for call in calls if isinstance(call, ToolCall)]
        assert cities == (["Paris"] if name == "ollama" else ["Paris", "北京"])
        assert body(state)["tools"][0]["function"]["parameters"] == TIME.parameters
        answered = (Message("user", "Hi"), Message("assistant", "", tuple(calls)), Message("tool", "noon", (), calls[0].id))  # type: ignore[arg-type, union-attr]  # fmt: skip
        list(chat.chat(ChatRequest(answered)))
        _, assistant, tool = body(state)["messages"]
        assert assistant["tool_calls"][0]["function"]["name"] == "get_time"
        assert tool == {"role": "tool", "content": "noon", "tool_call_id": calls[0].id}  # type: ignore[union-attr]


def test_a_call_that_was_not_offered_is_not_passed_on() -> None:
    call = {"index": 0, "id": "1", "function": {"name": "rm", "arguments": "{}"}}
    server = Server(lambda _: stream([chunk({"tool_calls": [call]}), *words("Yes.")]), models({"id": "m"}))
    with talking(server) as (chat, _):
        assert list(chat.chat(ask())) == ["Yes."]


@pytest.mark.parametrize(
    "said",
    [
        '{"name": "get_time", "arguments": {"city": "Paris"}}',
        '```json\n{"name": "get_time", "arguments": {"city": "Paris"}}\n```',
        '<tool_call>\n{"name": "get_time", "arguments": {"city": "Paris"}}\n</tool_call>',
        'I will look.<tool_call>{"name": "get_time", "arguments": {"city": "Paris"}}</tool_call>',
    ],
)
def test_a_call_that_is_written_as_text_is_a_call(said: str) -> None:
    server = Server(lambda _: stream(words(*said)), models({"id": "m"}))
    with talking(server) as (chat, _):
        *before, call = list(chat.chat(ask(tools=(TIME,))))
        assert isinstance(call, ToolCall)
        assert json.loads(call.arguments) == {"city": "Paris"}
        assert "".join(map(str, before)) == said.partition("<tool_call>")[0] * said.startswith("I")


@pytest.mark.parametrize("said", ['{"a": 1} is JSON.', "1 < 2, and <b>", "```python\nprint()\n```", " plain"])
def test_other_text_stays_text_when_tools_are_offered(said: str) -> None:
    server = Server(lambda _: stream(words(*said)), models({"id": "m"}))
    with talking(server) as (chat, _):
        assert "".join(map(str, chat.chat(ask(tools=(TIME,))))) == said.strip()


def test_tools_that_a_model_cannot_use_are_named_as_the_reason() -> None:
    def chat_(asked: dict[str, Any]) -> Reply:
        if "tools" in asked:
            return refusal(400, "registry.ollama.ai/library/gemma:2b does not support tools")
        return stream(words(*WORDS))

    with talking(Server(chat_, models({"id": "m"}))) as (chat, _):
        assert failure(chat, ask(tools=(TIME,))).key == "chat_no_tools"
        assert isinstance(chat.info.capabilities["tools"], str)
        assert list(chat.chat(ask()))


def json_server(*takes: str, heeds: bool = True) -> Server:
    """Takes these kinds of ``response_format``; where it does not heed a schema, only a prompt with it helps."""

    def chat_(asked: dict[str, Any]) -> Reply:
        kind = asked.get("response_format", {}).get("type", "text")
        if kind not in (*takes, "text"):
            return refusal(400, f"This response_format type is unavailable now: {kind}", param="response_format")
        prompted = "JSON Schema" in asked["messages"][0]["content"]
        if (kind == "json_schema" and heeds) or prompted:
            return stream(words('Here it is:\n```json\n{"mo', 'od": "sad"}\n```'))
        return stream(words("You sound sad."))

    return Server(chat_, models({"id": "m"}))


@pytest.mark.parametrize(
    ("server", "kinds"),
    [
        (json_server("json_schema"), ["json_schema", "json_schema"]),
        (json_server("json_object"), ["json_schema", "json_object", "json_object"]),
        (json_server(), ["json_schema", "json_object", None, None]),
        (json_server("json_schema", "json_object", heeds=False), ["json_schema", "json_object", "json_object"]),
    ],
)
def test_json_is_asked_for_as_strictly_as_the_server_takes_it_and_always_checked(
    server: Server, kinds: list[str | None]
) -> None:
    with talking(server) as (chat, state):
        chat.load()
        first = len(state.questions())
        for _ in range(2):
            assert list(chat.chat(ask("My dog is gone.", schema=MOOD))) == ['{"mood":"sad"}']
        asked = [q.body.get("response_format", {}).get("type") for q in state.questions()[first:]]
        assert asked == kinds


def test_json_that_is_wrong_is_asked_for_once_more_with_the_reason() -> None:
    answers = ['{"mood": "blue"}', '{"mood": "sad"}']

    def chat_(asked: dict[str, Any]) -> Reply:
        return stream(words(answers.pop(0) if "response_format" in asked else "yes"))

    with talking(Server(chat_, models({"id": "m"}))) as (chat, state):
        assert list(chat.chat(ask(schema=MOOD))) == ['{"mood":"sad"}']
        *_, told = body(state)["messages"]
        assert "'blue' is not one of ['happy', 'sad']" in told["content"]
        answers.extend(["no", "never"])
        assert failure(chat, ask(schema=MOOD)).key == "chat_no_json"


@pytest.mark.parametrize("cut", ["events", "bytes", "no space", "no end", "all at once", "line separator"])
def test_an_answer_survives_how_it_is_sent(cut: str) -> None:
    text = "Grüße,\u2028你好!" if cut == "line separator" else "Grüße, 你好!"

    def chat_(_: dict[str, Any]) -> Reply:
        whole = stream([*words(*text), usage()], space="" if cut == "no space" else " ")
        if cut == "bytes":
            return Reply(torn(b"".join(whole.blocks), (1, 3, 2)), whole.content_type)
        if cut == "no end":
            return Reply([b"".join(whole.blocks).removesuffix(b"data: [DONE]\n\n").rstrip()], whole.content_type)
        if cut == "all at once":
            return as_json({"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]})
        return whole

    with talking(Server(chat_, models({"id": "m"}))) as (chat, _):
        assert "".join(map(str, chat.chat(ask()))) == text


@pytest.mark.parametrize("closes", ["answer", "engine"])
def test_pieces_come_while_the_server_still_writes_and_closing_hangs_up(closes: str) -> None:
    released = threading.Event()

    def chat_(asked: dict[str, Any]) -> Reply:
        if asked["messages"][0]["content"] != "Long":
            return stream(words("yes"))
        first = f"data: {json.dumps(chunk({'content': 'One'}))}\n\n".encode()
        return Reply(until(released, [first], lambda: repeat(b": still here\n\n" * 1000)), "text/event-stream")

    with talking(Server(chat_, models({"id": "m"}))) as (chat, state):
        answer = chat.chat(ask("Long"))
        assert next(answer) == "One"
        rest: list[Any] = []
        reader = threading.Thread(target=lambda: rest.extend(answer))
        reader.start()
        (answer if closes == "answer" else chat).close()
        reader.join(5)
        assert not reader.is_alive()
        assert rest == []
        released.set()
        assert state.gone.wait(10)


@pytest.mark.parametrize(
    ("server", "settings", "key"),
    [
        (SERVERS["openai"][0], {"chat_key": SecretStr("sk-wrong-one")}, "server_key"),
        (SERVERS["openai"][0], {"chat_key": SecretStr("sk-with\nnewline")}, "server_key"),
        (SERVERS["openai"][0], {"chat_key": SecretStr("密钥")}, "server_key"),
        (SERVERS["vllm"][0], {"chat_model": "gpt-5"}, "chat_no_model"),
        (SERVERS["ollama"][0], {"chat_model": "llama9"}, "chat_no_model"),
        (Server(foreign.vllm, models()), {}, "chat_unnamed"),
        (Server(foreign.vllm, Reply([b"<html>"], "text/html")), {}, "server_path"),
        (Server(lambda _: Reply([b"<html>"], "text/html", 404), models({"id": "m"})), {}, "server_path"),
        (Server(lambda _: refusal(429, "Rate limit reached"), models({"id": "m"})), {}, "server_busy"),
        (Server(lambda _: refusal(503, "Loading model"), models({"id": "m"})), {}, "server_failed"),
        (SERVERS["vllm"][0], {"chat_url": "http://127.0.0.1:9/v1"}, "server_unreachable"),
        (SERVERS["vllm"][0], {"chat_url": "localhost:8000"}, "server_address"),
        (SERVERS["vllm"][0], {"chat_url": f"http://me:{KEY}@127.0.0.1:9"}, "server_address"),
    ],
)
def test_what_a_person_can_mend_is_said_in_one_sentence_and_the_key_nowhere(
    server: Server, settings: dict[str, Any], key: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), talking(server, **settings) as (chat, _):
        error = failure(chat)
        logging.getLogger("test").error("failed", exc_info=error)
    assert error.key == key
    assert error.key in json.loads((ROOT / "assets" / "i18n.json").read_text("utf-8"))["zh"]
    for secret in (KEY, "sk-wrong-one", "sk-with", "密钥"):
        assert secret not in caplog.text + error.message + repr(error.values)


@pytest.mark.parametrize(("name", "length"), [("vllm", 2000), ("llama.cpp", 2000), ("llama.cpp", 5000)])
def test_a_chat_beyond_the_context_is_told_so(name: str, length: int) -> None:
    server, path, model, _ = SERVERS[name]
    with talking(server, path, chat_model=model) as (chat, state):
        chat.load()
        stamina.set_testing(True, attempts=1)
        assert failure(chat, ask("word " * length)).key == "chat_too_long"
        asked = len(state.questions())
        assert failure(chat, ask("word " * length, schema=MOOD)).key == "chat_too_long"
        assert len(state.questions()) == asked + 1, "a text that is too long is no reason to ask for JSON otherwise"


def test_a_busy_server_is_asked_again_until_a_word_has_come() -> None:
    ready = words("yes")
    answers = [refusal(429, "Rate limit reached"), stream(ready), stream([chunk({"content": "Hel"}), {"error": {"message": "CUDA error"}}])]  # fmt: skip
    with talking(Server(lambda _: answers.pop(0), models({"id": "m"}))) as (chat, state):
        chat.load()
        assert len(state.questions()) == 2
        answer = chat.chat(ask())
        assert next(answer) == "Hel"
        with pytest.raises(EngineError) as caught:
            next(answer)
        assert caught.value.key == "server_broke_off"
        assert len(state.questions()) == 3


def test_closing_forgets_the_connection_and_the_next_question_makes_another() -> None:
    server, path, model, _ = SERVERS["vllm"]
    with talking(server, path, chat_model=model) as (chat, _):
        chat.load()
        chat.close()
        assert not chat.info.loaded
        assert "".join(map(str, chat.chat(ask()))) == "".join(WORDS)
