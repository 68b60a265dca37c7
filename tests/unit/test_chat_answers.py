"""What an answer is made of, however it is torn: thoughts, calls, JSON; and which Qwen fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.loopback import catalog, entry
from webui.config import Settings
from webui.engines.catalog import load_catalog
from webui.engines.llama import LlamaChat
from webui.engines.openai_wire import AnswerReader
from webui.engines.presets import gguf_for, torch_bytes, torch_for
from webui.engines.protocols import ChatRequest, Message, Tool, ToolCall
from webui.engines.store import ModelStore
from webui.engines.structured import Malformed, checked, told
from webui.engines.thinking import ThinkFilter
from webui.errors import ModelError

TOOL = Tool("look", "Looks")
CALL = '<tool_call>{"name": "look", "arguments": {}}</tool_call>'
PARTS = st.lists(
    st.sampled_from(["<think>", "</think>", "<thi", "nk>", "</", "<", "a", " b ", "\n", "你好"]), max_size=12
)
CUTS = st.lists(st.integers(1, 5), min_size=1, max_size=9)


def torn(text: str, cuts: list[int]) -> list[str]:
    out = []
    while text:
        cuts = [*cuts[1:], cuts[0]]
        out.append(text[: cuts[0]])
        text = text[cuts[0] :]
    return out


def words(pieces: list[str], inside: bool = False) -> tuple[str, bool]:
    heard = ThinkFilter(inside)
    out = "".join([*(heard.feed(piece) for piece in pieces), heard.flush()])
    return out, heard.thought


@given(PARTS.map("".join), CUTS)
def test_thoughts_are_left_out_however_they_are_torn(text: str, cuts: list[int]) -> None:
    whole, torn_ = words([text]), words(torn(text, cuts))
    assert whole == torn_
    assert "<think>" not in whole[0]
    assert "</think>" not in whole[0]


@pytest.mark.parametrize(
    ("text", "inside", "expected"),
    [
        ("<think>hm</think>\n\nYes.", False, ("Yes.", True)),
        ("<think>\n\n</think>\n\nYes.", False, ("Yes.", False)),
        ("hm</think>Yes.", True, ("Yes.", True)),
        ("<think>hm", False, ("", True)),
        ("1 <2 and </b>", False, ("1 <2 and </b>", False)),
    ],
)
def test_thoughts_and_words(text: str, inside: bool, expected: tuple[str, bool]) -> None:
    assert words([text], inside) == expected


@given(CUTS, st.sampled_from(["", "Wait. ", "a < b, "]), st.sampled_from(["", "\n"]), st.integers(1, 3))
def test_written_calls_are_found_however_they_are_torn(cuts: list[int], before: str, after: str, count: int) -> None:
    reader = AnswerReader((TOOL,))
    pieces: list[Any] = []
    for piece in torn(before + CALL * count + after, cuts):
        pieces += reader.add(piece)
    pieces += reader.finish()
    assert "".join(p for p in pieces if isinstance(p, str)) == before
    assert [p.name for p in pieces if isinstance(p, ToolCall)] == ["look"] * count


def test_calls_without_an_index_are_told_apart_by_their_ids() -> None:
    reader = AnswerReader((TOOL,))
    for call_id, said in (("a", '{"x":'), ("", "1}"), ("b", {"x": 2})):
        function = {"name": "look" if call_id else None, "arguments": said}
        reader.feed({"choices": [{"delta": {"tool_calls": [{"id": call_id, "function": function}]}}]})
    assert reader.finish() == [ToolCall("a", "look", '{"x":1}'), ToolCall("b", "look", '{"x": 2}')]


NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.mark.parametrize(
    "answer", ['{"n": 1}', ' {"n":1}\n', '```json\n{"n": 1}\n```', 'Sure: {"n": 1}. Anything else?', '```\n{"n":1}```']
)
def test_json_is_found_in_what_stands_around_it(answer: str) -> None:
    assert checked(answer, NUMBER) == '{"n":1}'


@pytest.mark.parametrize("answer", ["", "one", '{"n": "1"}', '{"m": 1}', '{"n": 1', "[1]"])
def test_json_that_is_not_of_the_form_is_told_from_that_which_is(answer: str) -> None:
    with pytest.raises(Malformed):
        checked(answer, NUMBER)


def test_a_schema_joins_the_words_that_the_model_is_told_first() -> None:
    for before in ((), (Message("system", "Be kind."),)):
        first, last = told(ChatRequest((*before, Message("user", "Hi")), schema=NUMBER)).messages
        assert first.role == "system"
        assert first.content.startswith("Be kind." if before else "Answer")
        assert '"integer"' in first.content
        assert last == Message("user", "Hi")


GB = 10**9


def test_more_memory_never_gets_a_smaller_model_and_every_preset_is_in_the_catalogue() -> None:
    known = load_catalog()
    for fitting in (gguf_for, torch_for):
        names = [fitting(gigabytes * GB) for gigabytes in range(100)]
        sizes = [known[name].size if name else 0 for name in names]
        assert sizes == sorted(sizes)
        assert names[0] == ""
        assert all(size < gigabytes * GB for gigabytes, size in enumerate(sizes) if size)
    assert gguf_for(8 * GB) == "qwen3-4b-instruct-2507-gguf"
    assert torch_for(24 * GB) == "qwen3-8b"
    assert torch_bytes("qwen3-8b") <= 24 * GB < torch_bytes("qwen3-30b-a3b-instruct-2507")
    assert torch_bytes("whisper-base") == 0


def store_with(folder: Path, *names: str) -> ModelStore:
    """A store that can fetch nothing, and has these; the catalogue has one more, ``big``."""
    gone = {"kind": "url", "url": "http://127.0.0.1:9"}
    content = {"model.gguf": b"GGUF"}
    for name in names:
        (folder / name).mkdir()
        (folder / name / "model.gguf").write_bytes(b"GGUF")
    return ModelStore(folder, catalog(*(entry(content, gone, model_id=name) for name in (*names, "big"))))


def test_a_model_that_cannot_be_had_gives_way_to_the_embedded_one_and_says_why(tmp_path: Path) -> None:
    store = store_with(tmp_path, "qwen2.5-coder-1.5b", "qwen2.5-coder-0.5b")
    engine = LlamaChat(store, Settings(_env_file=None, chat_model="big", small=True))  # type: ignore[call-arg]
    assert engine.info.name == "Big"
    found = engine._find()
    assert found.model_id == "qwen2.5-coder-0.5b"
    assert found.note.startswith("Big could not be fetched")


def test_the_name_of_a_servers_model_is_no_reason_to_fail_here(tmp_path: Path) -> None:
    store = store_with(tmp_path, "qwen2.5-coder-1.5b", "qwen2.5-coder-0.5b")
    settings = Settings(_env_file=None, chat_model="gpt-5", small=True)  # type: ignore[call-arg]
    with pytest.raises(ModelError) as caught:
        LlamaChat(store, settings)
    assert caught.value.key == "model_unknown"
    theirs = settings.model_copy(update={"chat_url": "http://127.0.0.1:9"})
    assert LlamaChat(store, theirs).info.name == "Qwen2.5-Coder-0.5B"
