"""Engines that take over from each other: built from made-up adapters, lent, relieved, closed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.loopback import entry
from tests.scripted import ScriptedChat, ScriptedRecognizer, ScriptedSynthesizer
from webui.config import Settings
from webui.engines import registry
from webui.engines.choosing import Sentence
from webui.engines.probe import Probe
from webui.engines.protocols import ChatRequest, EngineInfo, Message, RecognitionRequest
from webui.engines.registry import Engines, check_names
from webui.engines.store import ModelStore
from webui.errors import Cancelled, EngineError, ModelError
from webui.types import Audio

REQUEST = ChatRequest((Message("user", "Hello."),))


@dataclass
class Watched:
    """What happened to the engines of one test."""

    loaded: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    error: BaseException | None = None


class _Watched:
    """An engine that tells ``watched`` of its loading and closing."""

    watched = Watched()
    fails = False

    def __init__(self, store: ModelStore, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.ready = False

    @property
    def info(self) -> EngineInfo:
        return EngineInfo(type(self).__name__, ("en",), {}, "CPU", "Apache-2.0", self.ready)

    def load(self) -> None:
        if self.fails and self.watched.error:
            raise self.watched.error
        if not self.ready:
            self.watched.loaded.append(type(self).__name__)
        self.ready = True

    def close(self) -> None:
        self.watched.closed.append(type(self).__name__)


class OneChat(_Watched, ScriptedChat): ...


class OtherChat(_Watched, ScriptedChat): ...


class BadChat(OtherChat):
    fails = True


class Ears(_Watched, ScriptedRecognizer): ...


class BetterEars(Ears):
    fails = True


class Mouth(_Watched, ScriptedSynthesizer): ...


@pytest.fixture
def watched(monkeypatch) -> Watched:
    here = __name__
    names = {
        "recognizer": {"whisper": f"{here}:Ears", "sensevoice": f"{here}:BetterEars"},
        "chat": {"llama": f"{here}:OneChat", "openai": f"{here}:OtherChat", "bad": f"{here}:BadChat"},
        "synthesizer": {"kokoro": f"{here}:Mouth"},
    }
    monkeypatch.setattr(registry, "BUILT_IN", names)
    watched = Watched()
    monkeypatch.setattr(_Watched, "watched", watched)
    return watched


def house(tmp_path, probe: Probe | None = None, **given: Any) -> Engines:
    settings = Settings(_env_file=None, **{"profile": "auto", **given})  # type: ignore[arg-type]
    return Engines(settings, ModelStore(tmp_path, {}), lambda *_: probe or Probe())


def closing(engines: Engines, job: str) -> threading.Event:
    return engines._seats[job].closed


def test_a_switch_takes_effect_at_once_and_closes_the_old_one(tmp_path, watched):
    engines = house(tmp_path)
    heard = []
    engines.changed = lambda: heard.append(engines.get("chat").info.name)
    assert list(engines.chat.chat(REQUEST))
    old = closing(engines, "chat")
    engines.switch("chat", "openai")
    assert engines.get("chat").info.name == "OtherChat" and engines.get("chat").info.loaded
    assert [(c.name, c.why) for c in engines.choices if c.job == "chat"] == [("openai", Sentence("why_switched"))]
    assert heard == ["OtherChat"]
    assert old.wait(5)
    assert watched.closed == ["OneChat"]


def test_what_is_under_way_is_finished_on_the_old_one(tmp_path, watched):
    engines = house(tmp_path)
    stream = engines.chat.chat(REQUEST)
    pieces = iter(stream)
    first = next(pieces)
    old = closing(engines, "chat")
    engines.switch("chat", "openai")
    assert not old.wait(0.2)
    assert "".join([first, *pieces]) == "<sad> I am sorry. Tell me more."
    assert old.wait(5)


def test_between_two_sentences_a_turn_keeps_its_engine(tmp_path, watched):
    engines = house(tmp_path)
    recognizer = engines.recognizer
    request = RecognitionRequest(Audio.__new__(Audio))
    list(recognizer.transcribe(request))
    old = closing(engines, "recognizer")
    watched.error = None
    engines.switch("recognizer", "sensevoice")
    assert not old.wait(0.2)
    list(recognizer.transcribe(request))
    del recognizer
    assert old.wait(5)


@pytest.mark.parametrize("how", ["closed", "dropped"])
def test_a_stream_that_is_not_read_to_its_end_holds_nobody(tmp_path, watched, how):
    engines = house(tmp_path)
    stream: Any = engines.chat.chat(REQUEST)
    next(iter(stream))
    old = closing(engines, "chat")
    engines.switch("chat", "openai")
    if how == "closed":
        stream.close()
    else:
        del stream
    assert old.wait(5)


def test_a_failed_load_keeps_the_old_one_and_says_why(tmp_path, watched):
    engines = house(tmp_path)
    engines.load()
    watched.error = ModelError("disk_full", "There is no room.", name="It")
    with pytest.raises(ModelError, match="no room"):
        engines.switch("chat", "bad")
    watched.error = RuntimeError("libcublas is missing")
    with pytest.raises(EngineError, match="bad does not start") as caught:
        engines.switch("chat", "bad")
    assert caught.value.key == "engine_broken"
    assert engines.get("chat").info.name == "OneChat"
    assert watched.closed == ["BadChat", "BadChat"]
    assert list(engines.chat.chat(REQUEST))


def test_settings_can_be_replaced_with_the_engine_that_needs_them(tmp_path, watched):
    engines = house(tmp_path)
    changed = engines.settings.model_copy(update={"chat_url": "http://127.0.0.1:9"})
    engines.switch("chat", "openai", changed)
    assert engines.settings is changed
    assert engines.get("chat").settings is changed  # type: ignore[attr-defined]
    before = engines.get("chat")
    engines.switch("chat", "openai")  # it is that already
    assert engines.get("chat") is before
    watched.error = RuntimeError()
    with pytest.raises(EngineError):
        engines.switch("chat", "bad", changed.model_copy(update={"chat_url": "http://127.0.0.1:8"}))
    assert engines.settings is changed


def test_who_takes_over_gets_the_model_that_fits(tmp_path, watched):
    engines = house(tmp_path, Probe(memory=16 << 30, hub="modelscope"), chat="openai")
    engines.switch("chat", "llama")
    assert engines.get("chat").settings.chat_model == "qwen3-4b-instruct-2507-gguf"  # type: ignore[attr-defined]
    assert engines.settings.chat_model == ""


def test_the_embedded_engine_stands_in_and_says_so(tmp_path, watched, caplog):
    probe = Probe(packages=frozenset({"sherpa_onnx"}), hub="modelscope")
    engines = house(tmp_path, probe)
    assert engines.choices[0].name == "sensevoice"
    watched.error = ModelError("model_unavailable", "It could not be fetched.", name="SenseVoice", tried="hub")
    told = threading.Event()
    engines.changed = told.set
    engines.load()
    choice = engines.choices[0]
    assert (choice.name, choice.why.key) == ("whisper", "why_stands_in")
    assert choice.missing == Sentence("model_unavailable", {"name": "SenseVoice", "tried": "hub"})
    assert told.is_set()
    assert choice.why.values == {"engine": "BetterEars"}
    assert "whisper stands in for sensevoice: It could not be fetched." in caplog.text
    assert list(engines.recognizer.transcribe(RecognitionRequest(Audio.__new__(Audio))))


def test_a_smaller_model_that_stands_in_is_told(tmp_path, watched, caplog):
    engines = house(tmp_path, Probe(memory=16 << 30, hub="modelscope"))
    model = "qwen3-4b-instruct-2507-gguf"
    engines.store.catalog[model] = entry({"a": b"a"}, {"kind": "url", "url": "http://x"}, model_id=model)
    engines.load()
    seat, choice = engines.get("chat"), engines.choices[1]
    assert seat.info.name == "OneChat"  # not the title of that model
    assert choice.why == Sentence("why_stands_in", {"engine": model.title()})
    assert choice.missing == Sentence("model_unavailable", {"name": model.title()})
    assert "OneChat stands in for" in caplog.text
    assert engines.get("chat") is seat and watched.closed == []


def test_the_larger_model_that_came_is_left_alone(tmp_path, watched):
    engines = house(tmp_path, Probe(memory=16 << 30, hub="modelscope"))
    model = "qwen3-4b-instruct-2507-gguf"
    came = entry({"a": b"a"}, {"kind": "url", "url": "http://x"}, model_id=model)
    engines.store.catalog[model] = came.model_copy(update={"title": "OneChat"})
    engines.load()
    assert engines.choices[1].why.key == "why_hub"


def test_it_stands_in_without_being_preloaded_and_for_a_broken_library(tmp_path, watched):
    engines = house(tmp_path, Probe(packages=frozenset({"sherpa_onnx"}), hub="modelscope"))
    watched.error = ImportError("libsherpa.so")
    assert engines.recognizer.info.name == "Ears"
    assert engines.choices[0].missing == Sentence("engine_broken", {"name": "sensevoice"})


def test_nobody_stands_in_for_an_engine_that_was_asked_for(tmp_path, watched):
    engines = house(tmp_path, recognizer="sensevoice")
    watched.error = ModelError("model_unavailable", "It could not be fetched.")
    with pytest.raises(ModelError):
        engines.load()
    assert engines.get("recognizer").info.name == "BetterEars"


def test_a_cancelled_load_is_no_failure(tmp_path, watched):
    engines = house(tmp_path, Probe(packages=frozenset({"sherpa_onnx"}), hub="modelscope"))
    watched.error = Cancelled()
    with pytest.raises(Cancelled):
        engines.load()
    assert engines.choices[0].name == "sensevoice"


def test_a_profile_that_needs_no_probe_waits_for_none(tmp_path, watched):
    done = threading.Event()

    def slow(*_: Any) -> Probe:
        done.wait(10)
        return Probe()

    settings = Settings(_env_file=None, profile="embedded")  # type: ignore[call-arg]
    engines = Engines(settings, ModelStore(tmp_path, {}), slow)
    assert [choice.name for choice in engines.choices] == ["whisper", "llama", "kokoro"]
    done.set()


def test_a_probe_that_fails_leaves_the_embedded_engines(tmp_path, watched, caplog):
    def broken(*_: Any) -> Probe:
        raise RuntimeError

    engines = Engines(Settings(_env_file=None, profile="auto"), ModelStore(tmp_path, {}), broken)  # type: ignore[call-arg]
    assert [choice.name for choice in engines.choices] == ["whisper", "llama", "kokoro"]


def test_an_unknown_name_is_said_before_anything_starts(watched):
    with pytest.raises(EngineError, match="no engine named gpt; choose one of llama, openai, bad"):
        check_names(Settings(_env_file=None, chat="gpt"))  # type: ignore[call-arg]


def test_two_who_switch_at_once_end_with_one_engine(tmp_path, watched):
    engines = house(tmp_path)
    engines.load()
    threads = [threading.Thread(target=engines.switch, args=("chat", name)) for name in ("openai", "bad", "openai")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alive = len([name for name in watched.loaded if name.endswith("Chat")]) - len(watched.closed)
    for _ in range(50):
        if alive == 1:
            break
        threading.Event().wait(0.1)
        alive = len([name for name in watched.loaded if name.endswith("Chat")]) - len(watched.closed)
    assert alive == 1


def test_without_the_model_of_turns_everything_else_is_loaded(tmp_path, watched, monkeypatch, caplog):
    engines = house(tmp_path)
    sought = []

    def load() -> None:
        sought.append(engines.turn_end)
        raise ModelError("model_unavailable", "It could not be fetched.")

    monkeypatch.setattr(engines.turn_end, "load", load)
    engines.load()
    engines.load()
    assert watched.loaded == ["Ears", "OneChat", "Mouth"] and not engines.turn_end.loaded
    assert caplog.text.count("told by its words alone: It could not be fetched.") == len(sought) == 1
