"""Speech from another machine: what goes wrong, stopping, shaping, and what a person is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from tests.engines.speech_asking import (
    CLIP,
    CLONED,
    SOUND,
    cosyvoice,
    error_of,
    heard,
    openai,
    remote,
    same,
    wav,
)
from tests.scripted import ScriptedChat, ScriptedEngines
from tests.speech_server import Asked, Reply, as_json, pcm, speaking, torn, until
from webui.audio.convert import to_pcm16
from webui.config import Settings
from webui.conversation.session import Conversation
from webui.engines import http, speech_http
from webui.engines.protocols import SpeechRequest
from webui.engines.speech_remote import RemoteSynthesizer
from webui.engines.store import ModelStore
from webui.errors import Cancelled, EngineError
from webui.features.chat import Finished, Spoke, Turn, TurnSettings, Unspoken
from webui.types import Audio, Style


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_WAIT_S", "LONGEST_WAIT_S", "JITTER_S"):
        monkeypatch.setattr(http, name, 0.001)


# --- what goes wrong


@pytest.mark.parametrize(
    ("reply", "key"),
    [
        (as_json({"url": "somewhere"}), "speech_not_sound"),
        (Reply([b'{"url": "somewhere"}']), "speech_not_sound"),
        (Reply([b"<!DOCTYPE html><html>Welcome</html>"]), "speech_not_sound"),
        (Reply([b"hello, this is no sound"], "text/plain"), "speech_not_sound"),
        (Reply([b"\xff\xfbnot really"], "audio/mpeg"), "speech_not_sound"),
        (Reply([wav(SOUND, 3)], "audio/wav"), "speech_not_sound"),
        (Reply([b"data: {]\n\n"], "text/event-stream"), "speech_not_sound"),
        (Reply([wav(SOUND, 24_000, 2 * len(SOUND) + 2)], "audio/wav"), "server_broke_off"),
        (Reply([bytes(4000)], "audio/pcm"), "speech_silent"),
        (Reply([], "audio/pcm"), "speech_silent"),
        (as_json({"error": {"message": "bad key sk-1"}}, 401), "server_key"),
        (as_json({"error": {"message": "no such speaker, sk-1"}}, 400), "server_refused"),
        (Reply(status=500), "server_failed"),
        (Reply(status=429), "server_busy"),
    ],
)
def test_what_is_no_speech_is_one_sentence(reply: Reply, key: str) -> None:
    with speaking(openai(reply)) as server:
        assert error_of(remote(server)).key == key


@pytest.mark.parametrize("failures", [[Reply(status=429)], [Reply(status=500)] * 3, [Reply(cut=True)]])
def test_what_was_not_begun_is_tried_again(failures: list[Reply]) -> None:
    with speaking(openai([*failures, Reply([pcm(SOUND)])])) as server:
        assert same(heard(remote(server)), SOUND)
    assert len(server.questions()) == len(failures) + 1


def test_what_was_begun_is_not_tried_again_and_what_came_is_kept() -> None:
    with speaking(openai(Reply([pcm(SOUND[:6000])], cut=True))) as server, closing(remote(server)) as engine:
        chunks = []
        with pytest.raises(EngineError) as caught:
            for chunk in engine.synthesize(SpeechRequest("Hello.", engine.voices()[0])):
                chunks.append(chunk.audio.samples)
        assert same(Audio(np.concatenate(chunks), 24_000), SOUND[:6000])
        assert caught.value.key == "server_broke_off"
    assert len(server.questions()) == 1


def test_a_mute_server_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_http, "READ_S", 0.2)
    never = threading.Event()
    with speaking(openai(lambda asked: Reply(until(never, [], lambda: [])))) as server:
        assert error_of(remote(server)).key == "server_silent"
        never.set()


def test_nobody_there_and_no_address() -> None:
    with speaking({}) as server:
        pass
    engine = remote(server)
    assert [voice.name for voice in engine.voices()] == ["Default"]
    assert error_of(engine).key == "server_unreachable"
    engine = RemoteSynthesizer(ModelStore(Settings().models_dir), Settings(synthesizer_url=""))
    assert [voice.name for voice in engine.voices()] == ["Default"]
    assert engine.info.device == ""
    assert error_of(engine).key == "speech_address"


@pytest.mark.parametrize(
    ("url", "key"),
    [("tcp://nowhere", "worker_address"), ("there:8000", "server_address"), ("http://a b:x", "server_address")],
)
def test_an_address_that_is_none(url: str, key: str) -> None:
    engine = RemoteSynthesizer(ModelStore(Settings().models_dir), Settings(synthesizer_url=url))
    assert not engine.info.loaded
    assert error_of(engine).key == key


@pytest.mark.parametrize(
    ("text", "more", "key"), [("x" * 20_001, {}, "text_too_long"), ("x", {"speed": 3.0}, "factor_out_of_range")]
)
def test_too_much_is_asked(text: str, more: dict[str, Any], key: str) -> None:
    with speaking(openai(Reply([pcm(SOUND)]))) as server, closing(remote(server)) as engine:
        with pytest.raises(EngineError) as caught:
            engine.synthesize(SpeechRequest(text, engine.voices()[0], **more))
        assert caught.value.key == key
        assert list(engine.synthesize(SpeechRequest("… !", engine.voices()[0]))) == []
    assert server.questions() == []


# --- streaming, stopping, shaping


def test_the_first_sound_is_given_out_at_once() -> None:
    released = threading.Event()
    blocks = until(released, [pcm(SOUND[:1000])], lambda: [pcm(SOUND[1000:])])
    with speaking(openai(lambda asked: Reply(blocks))) as server, closing(remote(server)) as engine:
        speech = engine.synthesize(SpeechRequest("Hello.", engine.voices()[0]))
        first = next(speech)
        assert same(first.audio, SOUND[:1000])
        released.set()
        rest = [chunk.audio.samples for chunk in speech]
    assert same(Audio(np.concatenate(rest), 24_000), SOUND[1000:])


def endless() -> Iterator[bytes]:
    while True:
        yield pcm(SOUND)
        time.sleep(0.01)


def test_closing_the_iterator_stops_the_server() -> None:
    with speaking(openai(lambda asked: Reply(endless()))) as server, closing(remote(server)) as engine:
        speech = engine.synthesize(SpeechRequest("Hello.", engine.voices()[0]))
        next(speech)
        speech.close()  # type: ignore[attr-defined]
        assert server.gone.wait(10)
        assert list(speech) == []
        dropped = engine.synthesize(SpeechRequest("Hello.", engine.voices()[0]))
        next(dropped)
        server.gone.clear()
        del dropped
        assert server.gone.wait(10), "one that nobody holds any more is closed as well"


def test_closing_wakes_a_reader_that_waits_for_a_mute_server() -> None:
    released, asked = threading.Event(), threading.Event()

    def reply(_: Asked) -> Reply:
        asked.set()
        return Reply(until(released, [], endless))

    with speaking(openai(reply)) as server, closing(remote(server)) as engine:
        speech = engine.synthesize(SpeechRequest("Hello.", engine.voices()[0]))
        chunks: list[Any] = []
        reader = threading.Thread(target=lambda: chunks.extend(speech))
        reader.start()
        assert asked.wait(10)
        speech.close()  # type: ignore[attr-defined]
        reader.join(10)
        assert not reader.is_alive()
        assert chunks == []
        released.set()
        assert server.gone.wait(10)


def test_speed_that_the_server_does_not_know_is_ours() -> None:
    sound = (8000 * np.sin(np.arange(48_000) / 25)).astype(np.int16)
    with speaking(cosyvoice(Reply(torn(pcm(sound), [5000])))) as server:
        audio = heard(remote(server), speed=1.25, style=Style(rate=1.6))
    assert len(audio.samples) == 24_000
    assert audio.samples[2000:-2000].max() == pytest.approx(8000 / 32768, abs=0.01)


def test_energy_is_loudness_and_never_clips_over() -> None:
    with speaking(cosyvoice(Reply([pcm(SOUND)]))) as server:
        audio = heard(remote(server), style=Style(energy=2.0))
    np.testing.assert_allclose(audio.samples, np.clip(2.0 * SOUND / 32768, -1, 1), atol=1e-6)


def test_a_long_text_is_asked_for_in_sentences_and_joined() -> None:
    text = "The sea was calm that night. " * 20
    with speaking(cosyvoice(Reply(torn(pcm(SOUND), [3001])))) as server, closing(remote(server)) as engine:
        chunks = list(engine.synthesize(SpeechRequest(text, engine.voices()[0])))
    asked = [one.body["tts_text"] for one in server.questions()]
    assert len(asked) > 2
    assert " ".join(asked) == text.strip()
    assert len(asked[0]) <= speech_http.FIRST < len(asked[1]), "the first is short, so that sound comes soon"
    assert [chunk.text for chunk in chunks if chunk.text] == asked
    whole = np.concatenate([chunk.audio.samples for chunk in chunks])
    fade = 240
    assert len(whole) == len(asked) * len(SOUND) - (len(asked) - 1) * fade
    np.testing.assert_array_equal(to_pcm16(whole[fade : len(SOUND) - fade]), SOUND[fade:-fade])


def test_two_requests_at_once_do_not_mix() -> None:
    released = threading.Event()

    def reply(asked: Asked) -> Reply:
        if asked.body["tts_text"] == "One.":
            return Reply(until(released, [pcm(SOUND[:500])], lambda: [pcm(SOUND[500:])]))
        return Reply([pcm(SOUND[::-1])])

    with speaking(cosyvoice(reply)) as server, closing(remote(server)) as engine:
        voice = engine.voices()[0]
        one = engine.synthesize(SpeechRequest("One.", voice))
        first = next(one)
        other = [chunk.audio.samples for chunk in engine.synthesize(SpeechRequest("Two.", voice))]
        released.set()
        rest = [chunk.audio.samples for chunk in one]
    assert same(Audio(np.concatenate(other), 24_000), SOUND[::-1])
    assert same(Audio(np.concatenate([first.audio.samples, *rest]), 24_000), SOUND)


def test_a_worker_is_known_by_its_address() -> None:
    with speaking({}) as server:
        port = server.url.rpartition(":")[2]
    settings = Settings(synthesizer_url=f"tcp://127.0.0.1:{port}", synthesizer_key=SecretStr("sk-1"))
    with closing(RemoteSynthesizer(ModelStore(settings.models_dir), settings)) as engine:
        assert not engine.info.loaded
        with pytest.raises(EngineError) as caught:
            engine.load()
    assert caught.value.key == "worker_unreachable"


def test_only_a_worker_changes_voices() -> None:
    with speaking({}) as server, closing(remote(server)) as engine, pytest.raises(EngineError) as caught:
        engine.convert(CLIP, CLONED)
    assert caught.value.key == "convert_by_worker"


def test_a_turn_speaks_through_a_server() -> None:
    engines = ScriptedEngines(chat=ScriptedChat(["happy: Good morning. ", "How are you?"]))
    with speaking(cosyvoice(Reply(torn(pcm(SOUND))))) as server, closing(remote(server)) as engine:
        engines.synthesizer = engine  # type: ignore[assignment]
        with closing(Conversation()) as conversation:
            events = list(Turn(engines, conversation, TurnSettings()).run("Hi"))  # type: ignore[arg-type]
    spoken = [event.chunk for event in events if isinstance(event, Spoke)]
    assert isinstance(events[-1], Finished)
    assert not any(isinstance(event, Unspoken) for event in events)
    assert " ".join(chunk.text for chunk in spoken if chunk.text) == "Good morning. How are you?"
    assert same(Audio(np.concatenate([chunk.audio.samples for chunk in spoken]), 24_000), np.tile(SOUND, 2))
    assert {asked.body["instruct_text"] for asked in server.questions()} == {"Speak happily<|endofprompt|>"}


def test_cancelling_a_turn_stops_a_server_that_is_still_silent() -> None:
    released, asked = threading.Event(), threading.Event()

    def reply(_: Asked) -> Reply:
        asked.set()
        return Reply(until(released, [], endless))

    engines = ScriptedEngines(chat=ScriptedChat(["Good morning. "]))
    with speaking(cosyvoice(reply)) as server, closing(remote(server)) as engine, closing(Conversation()) as talk:
        engines.synthesizer = engine  # type: ignore[assignment]
        turn = Turn(engines, talk, TurnSettings())  # type: ignore[arg-type]
        events = turn.run("Hi")
        next(events)
        assert asked.wait(10)
        turn.scope.cancel()
        with pytest.raises(Cancelled):
            list(events)
        released.set()
        assert server.gone.wait(10)
