"""A real language model gives its memory back when another engine takes over, and finishes its answer before."""

from __future__ import annotations

import psutil
import pytest

from tests.scripted import ScriptedChat
from webui.config import ROOT, Settings
from webui.engines import registry
from webui.engines.protocols import ChatRequest, Message, words
from webui.engines.registry import Engines
from webui.engines.store import ModelStore

pytestmark = pytest.mark.engine
COUNT = ChatRequest((Message("user", "Count from one to twenty in words."),), max_tokens=60, temperature=0.0)


class Scripted(ScriptedChat):
    def __init__(self, store: ModelStore, settings: Settings) -> None:
        super().__init__()


def test_the_old_engine_answers_to_the_end_and_then_frees_its_memory(monkeypatch):
    monkeypatch.setitem(registry.BUILT_IN["chat"], "scripted", f"{__name__}:Scripted")
    memory = psutil.Process().memory_info
    settings = Settings(_env_file=None, profile="embedded", small=True)  # type: ignore[call-arg]
    engines = Engines(settings, ModelStore(ROOT / "models"))
    before = memory().rss
    whole = "".join(words(engines.chat.chat(COUNT)))
    answer = words(engines.chat.chat(COUNT))
    begun = next(answer)
    loaded = memory().rss
    seat = engines._seats["chat"]
    engines.switch("chat", "scripted")
    assert "".join(words(engines.chat.chat(COUNT))).endswith("Tell me more.")
    assert not seat.closed.is_set()
    assert begun + "".join(answer) == whole
    assert seat.closed.wait(30)
    after = memory().rss
    print(f"before {before / 1e6:.0f} MB, loaded {loaded / 1e6:.0f} MB, after the switch {after / 1e6:.0f} MB")
    weights = engines.store.entry("qwen2.5-coder-0.5b").size
    assert loaded - before > weights
    assert loaded - after > weights
