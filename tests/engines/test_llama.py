import json
import threading

import pytest

from webui.config import ROOT, Settings
from webui.engines.llama import LlamaChat
from webui.engines.protocols import ChatRequest, Message
from webui.engines.store import ModelStore

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def chat():
    engine = LlamaChat(ModelStore(ROOT / "models"), Settings(small=True))
    engine.load()
    yield engine
    engine.close()
    assert not engine.info.loaded


def ask(*content: str, **options) -> ChatRequest:
    return ChatRequest(tuple(Message("user", c) for c in content), **options)


def test_it_answers_piece_by_piece(chat: LlamaChat) -> None:
    pieces = list(chat.chat(ask("What is the capital of France? Answer in one short sentence.", temperature=0.0)))
    assert len(pieces) > 3
    assert "Paris" in "".join(pieces)


def test_a_schema_is_kept_to(chat: LlamaChat) -> None:
    schema = {
        "type": "object",
        "properties": {"mood": {"enum": ["happy", "sad"]}, "number": {"type": "integer"}},
        "required": ["mood", "number"],
        "additionalProperties": False,
    }
    answer = "".join(chat.chat(ask("I lost my dog and I am 8 years old. Tag it.", schema=schema, temperature=0.0)))
    assert json.loads(answer).keys() == {"mood", "number"}


def test_closing_from_another_thread_wakes_the_reader_and_frees_the_model(chat: LlamaChat) -> None:
    stream = chat.chat(ask("Write a very long story about the sea.", max_tokens=2000))
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.extend(stream))
    reader.start()
    while not read:
        reader.join(0.01)
    stream.close()
    reader.join(2)
    assert not reader.is_alive()
    assert len(read) < 500
    # Both slots are free again: two more answers are not kept waiting behind the story.
    for _ in range(2):
        assert list(chat.chat(ask("Say hi.", max_tokens=3)))


def test_a_question_beyond_the_context_is_refused_in_one_sentence(chat: LlamaChat) -> None:
    from webui.errors import EngineError

    with pytest.raises(EngineError) as caught:
        list(chat.chat(ask("word " * 6000)))
    assert caught.value.key == "chat_too_long"


def test_tokens_are_counted(chat: LlamaChat) -> None:
    assert 2 <= chat.count_tokens("hello there, you") <= 5
