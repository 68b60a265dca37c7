"""``LlamaChat`` as it is, and ``RemoteChat`` over its llama.cpp server, reached by its address as any other."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from webui.config import ROOT, Settings
from webui.engines.llama import LlamaChat
from webui.engines.openai_chat import RemoteChat, tokens_at_most
from webui.engines.protocols import ChatModel, ChatRequest, Message, Tool, ToolCall
from webui.engines.store import ModelStore
from webui.errors import EngineError

pytestmark = pytest.mark.engine
STORE = ModelStore(ROOT / "models")
TIME = Tool(
    "get_time",
    "Tells the time of day in a city",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
TEXTS = (
    "The quick brown fox jumps over the lazy dog, and nobody in the whole village has ever asked it why.",
    "Pneumonoultramicroscopicsilicovolcanoconiosis; Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch!",
    "3.14159265358979323846264338327950288, 2026-11-21T17:17:08Z, +44 (0)20 7946 0958",
    'def f(x: int) -> dict[str, int]:\n    return {"x": x ** 2}  # squared\n' * 3,
    "今天我拿到录取通知了！真是太好了，我们去吃火锅吧。锲而不舍，金石可镂。",
    "春はあけぼの。やうやう白くなりゆく山ぎは、すこしあかりて、紫だちたる雲のほそくたなびきたる。",
    "동해 물과 백두산이 마르고 닳도록 하느님이 보우하사 우리나라 만세.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich; où est l'œuf naïf?",
    "😀🎉👩‍👩‍👧‍👦🏳️‍🌈",
    "صِف خَلقَ خَودِ كَمِثلِ الشَمسِ إِذ بَزَغَت",
)


@pytest.fixture(scope="module")
def llama() -> Iterator[LlamaChat]:
    engine = LlamaChat(STORE, Settings(_env_file=None, small=True))  # type: ignore[call-arg]
    engine.load()
    yield engine
    engine.close()
    assert not engine.info.loaded


def connected(llama: LlamaChat, **settings: Any) -> RemoteChat:
    assert llama._client is not None
    key = llama._client._client.headers["Authorization"].removeprefix("Bearer ")
    given = {"chat_url": llama._server.listening_address, "chat_key": SecretStr(key), **settings}
    return RemoteChat(STORE, Settings(_env_file=None, **given))


@pytest.fixture(scope="module")
def remote(llama: LlamaChat) -> Iterator[RemoteChat]:
    engine = connected(llama)
    yield engine
    engine.close()
    assert not engine.info.loaded


@pytest.fixture(params=["llama", "remote"])
def chat(request: pytest.FixtureRequest) -> ChatModel:
    engine: ChatModel = request.getfixturevalue(request.param)
    return engine


def ask(content: str, **options: Any) -> ChatRequest:
    return ChatRequest((Message("user", content),), **{"temperature": 0.0, **options})


def test_it_answers_piece_by_piece(chat: ChatModel) -> None:
    pieces = list(chat.chat(ask("What is the capital of France? Answer in one short sentence.")))
    assert len(pieces) > 3
    assert "Paris" in "".join(map(str, pieces))
    assert chat.context_tokens == 4096


def test_a_server_says_what_it_is(remote: RemoteChat) -> None:
    assert "qwen2.5-coder-0.5b" in remote.info.name
    assert remote.info.capabilities["prompt"] is True


def test_a_schema_is_kept_to(chat: ChatModel) -> None:
    schema = {
        "type": "object",
        "properties": {"mood": {"enum": ["happy", "sad"]}, "number": {"type": "integer"}},
        "required": ["mood", "number"],
        "additionalProperties": False,
    }
    answer = "".join(map(str, chat.chat(ask("I lost my dog and I am 8 years old. Tag it.", schema=schema))))
    assert json.loads(answer).keys() == {"mood", "number"}


def test_a_tool_is_called_and_its_result_is_taken(chat: ChatModel) -> None:
    question = Message("user", "Use the tool get_time to find the time in Tokyo.")
    (call,) = chat.chat(ChatRequest((question,), temperature=0.0, tools=(TIME,)))
    assert isinstance(call, ToolCall)
    assert call.name == "get_time"
    assert json.loads(call.arguments) == {"city": "Tokyo"}
    told = (question, Message("assistant", "", (call,)), Message("tool", "It is 21:37 in Tokyo.", (), call.id))
    assert list(chat.chat(ChatRequest(told, temperature=0.0))), "so small a model makes little of it, but is given it"


def test_closing_from_another_thread_wakes_the_reader_and_frees_the_model(chat: ChatModel) -> None:
    stream = chat.chat(ask("Write a very long story about the sea.", max_tokens=2000))
    read: list[Any] = []
    reader = threading.Thread(target=lambda: read.extend(stream))
    reader.start()
    while not read:
        reader.join(0.01)
    stream.close()
    reader.join(5)
    assert not reader.is_alive()
    assert len(read) < 500
    for _ in range(2):  # both slots are free again: neither waits behind the story
        assert list(chat.chat(ask("Say hi.", max_tokens=3)))


def test_a_question_beyond_the_context_is_refused_in_one_sentence(chat: ChatModel) -> None:
    with pytest.raises(EngineError) as caught:
        list(chat.chat(ask("word " * 6000)))
    assert caught.value.key == "chat_too_long"


def test_a_wrong_key_is_told(llama: LlamaChat) -> None:
    with pytest.raises(EngineError) as caught:
        connected(llama, chat_key=SecretStr("wrong")).load()
    assert caught.value.key == "server_key"


def test_tokens_are_counted(llama: LlamaChat) -> None:
    assert 2 <= llama.count_tokens("hello there, you") <= 5


@pytest.mark.parametrize("text", TEXTS)
def test_the_estimate_of_tokens_is_high_and_not_wild(llama: LlamaChat, text: str) -> None:
    counted = llama.count_tokens(text)
    assert counted <= tokens_at_most(text) <= 3 * counted + 3
