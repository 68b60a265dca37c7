"""Speech from servers of every kind: what they are asked, what is heard, and what a person is told."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from tests.scripted import ScriptedChat, ScriptedEngines
from tests.speech_server import Asked, Reply, SpeechServer, as_json, noise, pcm, speaking, torn, until
from webui.audio.convert import to_pcm16, to_wav_bytes
from webui.audio.decode import decode
from webui.config import Settings
from webui.conversation.session import Conversation
from webui.engines import http, speech_http
from webui.engines.protocols import SpeechRequest
from webui.engines.speech_remote import RemoteSynthesizer
from webui.engines.store import ModelStore
from webui.errors import Cancelled, EngineError
from webui.features.chat import Finished, Spoke, Turn, TurnSettings, Unspoken
from webui.types import Audio, Style, Voice

SOUND = noise(12_345)
CLIP = Audio(np.sin(np.arange(16_000) / 9).astype(np.float32) * 0.3, 16_000)
CLONED = Voice("mine", "Mine", ("en",), kind="cloned", sample=CLIP, sample_text="These are my words.")
COSY_ROUTES = ("sft", "zero_shot", "cross_lingual", "instruct", "instruct2")
SPEECH = "/v1/audio/speech"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_WAIT_S", "LONGEST_WAIT_S", "JITTER_S"):
        monkeypatch.setattr(http, name, 0.001)


def remote(server: SpeechServer, model: str = "", path: str = "") -> RemoteSynthesizer:
    settings = Settings(synthesizer_url=server.url + path, synthesizer_model=model, synthesizer_key=SecretStr("sk-1"))
    return RemoteSynthesizer(ModelStore(settings.models_dir), settings)


def heard(engine: RemoteSynthesizer, text: str = "Hello there.", voice: Voice | None = None, **more: Any) -> Audio:
    with closing(engine):
        chunks = list(engine.synthesize(SpeechRequest(text, voice or engine.voices()[0], **more)))
    return Audio(np.concatenate([c.audio.samples for c in chunks]), chunks[0].audio.rate)


def same(audio: Audio, sound: np.ndarray[Any, Any]) -> bool:
    return bool(np.array_equal(to_pcm16(audio.samples), sound))


def cosyvoice(reply: Any) -> dict[str, Any]:
    paths = {f"/inference_{name}": {"get": {}, "post": {}} for name in COSY_ROUTES}
    return {"/openapi.json": as_json({"paths": paths}), **dict.fromkeys(paths, reply)}


def openai(reply: Any, *voices: str, owner: str = "somebody", fields: str = "") -> dict[str, Any]:
    """A server of OpenAI's protocol; with ``fields`` it describes what it takes."""
    routes = {SPEECH: reply, "/v1/models": as_json({"data": [{"id": "tts-model", "owned_by": owner}]})}
    if voices:
        routes["/v1/audio/voices"] = as_json({"voices": list(voices)})
    if fields:
        schema = {"$ref": "#/components/schemas/Speech"}
        post = {"requestBody": {"content": {"application/json": {"schema": schema}}}}
        described = {"properties": {name: {} for name in fields.split()}}
        routes["/openapi.json"] = as_json(
            {"paths": {SPEECH: {"post": post}}, "components": {"schemas": {"Speech": described}}}
        )
    return routes


def error_of(engine: RemoteSynthesizer, voice: Voice | None = None, text: str = "Hello there.") -> EngineError:
    with pytest.raises(EngineError) as caught:
        heard(engine, text, voice)
    assert "sk-1" not in caught.value.message
    return caught.value


# --- CosyVoice's own server


@pytest.mark.parametrize(
    ("model", "voice", "style", "route", "form", "rate"),
    [
        ("CosyVoice-300M-SFT", None, Style(), "sft", {"spk_id": "中文女"}, 22_050),
        ("CosyVoice-300M-SFT", None, Style("happy"), "sft", {"spk_id": "中文女"}, 22_050),
        (
            "CosyVoice-300M-Instruct",
            None,
            Style("happy"),
            "instruct",
            {"spk_id": "中文女", "instruct_text": "Speak happily<|endofprompt|>"},
            22_050,
        ),
        ("CosyVoice2-0.5B", CLONED, Style(), "zero_shot", {"prompt_text": "These are my words."}, 24_000),
        ("", CLONED, Style("sad"), "instruct2", {"instruct_text": "Speak sadly<|endofprompt|>"}, 24_000),
        (
            "Fun-CosyVoice3-0.5B",
            CLONED,
            Style("sad"),
            "instruct2",
            {"instruct_text": "You are a helpful assistant. Speak sadly<|endofprompt|>"},
            24_000,
        ),
        (
            "Fun-CosyVoice3-0.5B",
            CLONED,
            Style(),
            "zero_shot",
            {"prompt_text": "You are a helpful assistant.<|endofprompt|>These are my words."},
            24_000,
        ),
    ],
)
def test_cosyvoice(model: str, voice: Voice | None, style: Style, route: str, form: dict[str, str], rate: int) -> None:
    with speaking(cosyvoice(Reply(torn(pcm(SOUND))))) as server:
        audio = heard(remote(server, model), voice=voice, style=style)
    assert audio.rate == rate
    assert same(audio, SOUND)
    (asked,) = server.questions()
    assert asked.path == f"/inference_{route}"
    clip = asked.body.pop("prompt_wav", None)
    assert asked.body == {"tts_text": "Hello there.", **form}
    assert (clip is None) == (voice is None)
    if clip is not None:
        np.testing.assert_allclose(decode(clip).samples, CLIP.samples, atol=1e-4)


def test_cosyvoice_after_a_clip_without_words() -> None:
    wordless = Voice("m", "M", ("en",), kind="cloned", sample=CLIP)
    with speaking(cosyvoice(Reply([pcm(SOUND)]))) as server:
        assert same(heard(remote(server, "CosyVoice2"), voice=wordless), SOUND)
        heard(remote(server, "CosyVoice3"), voice=wordless)
    first, second = server.questions()
    assert first.path == second.path == "/inference_cross_lingual"
    assert first.body["tts_text"] == "Hello there."
    assert second.body["tts_text"] == "You are a helpful assistant.<|endofprompt|>Hello there."


def test_cosyvoice_without_speakers_speaks_after_our_clips() -> None:
    with speaking(cosyvoice(Reply([pcm(SOUND)]))) as server, closing(remote(server)) as engine:
        chinese = next(voice for voice in engine.voices() if voice.languages[0] == "zh")
        assert {voice.languages[0] for voice in engine.voices()} == {"zh", "en"}
        list(engine.synthesize(SpeechRequest("你好，今天天气真好。", chinese, Style("happy"))))
    (asked,) = server.questions()
    assert asked.body["instruct_text"] == "用开心的语气说<|endofprompt|>"
    assert len(asked.body["prompt_wav"]) > 16_000


def test_a_rate_in_the_header_is_believed_and_a_mad_one_is_not() -> None:
    with speaking(cosyvoice(Reply([pcm(SOUND)], headers={"X-Sample-Rate": "16000"}))) as server:
        assert heard(remote(server)).rate == 16_000
    with speaking(cosyvoice(Reply([pcm(SOUND)], "audio/pcm;rate=3"))) as server:
        assert error_of(remote(server)).key == "speech_not_sound"


# --- vLLM-Omni, SGLang-Omni, OpenAI, DashScope


def wav(sound: np.ndarray[Any, Any], rate: int, size: int | None = None) -> bytes:
    """As a server writes it that does not know the length yet, or says ``size``."""
    file = bytearray(to_wav_bytes(Audio((sound / 32768).astype(np.float32), rate)))
    file[40:44] = (0xFFFFFFFF if size is None else size).to_bytes(4, "little")
    return bytes(file)


def test_vllm_omni() -> None:
    fields = "model input voice response_format speed stream stream_format ref_audio ref_text instructions language"
    with speaking(openai(Reply(torn(wav(SOUND, 44_100)), "audio/wav"), owner="vllm", fields=fields)) as server:
        audio = heard(remote(server), "我很好。", voice=CLONED, style=Style("happy", instruction="轻一点"), speed=1.0)
    assert audio.rate == 44_100
    assert same(audio, SOUND)
    (asked,) = server.questions()
    clip = base64.b64decode(asked.body.pop("ref_audio").removeprefix("data:audio/wav;base64,"))
    np.testing.assert_allclose(decode(clip).samples, CLIP.samples, atol=1e-4)
    assert asked.body == {
        "model": "tts-model",
        "input": "我很好。",
        "response_format": "wav",
        "stream": True,
        "stream_format": "audio",
        "ref_text": "These are my words.",
        "instructions": "用开心的语气说。轻一点",
        "language": "Chinese",
    }


@pytest.mark.parametrize("form", ["pcm", "wav"])
def test_sglang_omni(form: str) -> None:
    def event(part: np.ndarray[Any, Any] | None) -> bytes:
        data = None if part is None else base64.b64encode(pcm(part) if form == "pcm" else wav(part, 24_000)).decode()
        audio = data and {"data": data, "format": form, "sample_rate": 24_000}
        return b"data: " + json.dumps({"object": "audio.speech.chunk", "audio": audio}).encode() + b"\n\n"

    events = b"".join(map(event, (SOUND[:5000], SOUND[5000:5001], SOUND[5001:], None))) + b"data: [DONE]\n\n"
    with speaking(openai(Reply(torn(events), "text/event-stream"), owner="sglang-omni")) as server:
        audio = heard(remote(server, path="/v1"), voice=CLONED, seed=7)
    assert audio.rate == 24_000
    assert same(audio, SOUND)
    (asked,) = server.questions()
    assert asked.path == SPEECH
    assert asked.body["voice"] == "default"
    assert asked.body["stream"] is True
    assert asked.body["response_format"] == "pcm"
    assert asked.body["ref_text"] == "These are my words."
    assert asked.body["seed"] == 7


def test_openai() -> None:
    with (
        speaking(openai(Reply(torn(pcm(SOUND)), "audio/pcm"), "nova", "echo")) as server,
        closing(remote(server, "gpt-4o-mini-tts")) as engine,
    ):
        nova, echo = engine.voices()
        chunks = list(engine.synthesize(SpeechRequest("Hello there.", echo, Style("calm"), speed=1.5)))
        list(engine.synthesize(SpeechRequest("And again.", nova)))
    assert same(Audio(np.concatenate([c.audio.samples for c in chunks]), 24_000), SOUND)
    assert [c.text for c in chunks if c.text] == ["Hello there."]
    first, second = server.questions()
    assert first.headers["Authorization"] == "Bearer sk-1"
    assert first.body == {
        "model": "gpt-4o-mini-tts",
        "input": "Hello there.",
        "voice": "echo",
        "response_format": "pcm",
        "instructions": "Speak calmly",
        "speed": 1.5,
    }
    assert second.body["voice"] == "nova"
    assert "speed" not in second.body
    assert sum(one.path == "/openapi.json" for one in server.asked) == 1, "the server is asked once what it is"


def test_openai_events_and_their_errors() -> None:
    def event(**fields: object) -> bytes:
        return f"event: {fields['type']}\ndata: {json.dumps(fields)}\n\n".encode()

    delta = event(type="speech.audio.delta", audio=base64.b64encode(pcm(SOUND)).decode())
    failure = event(type="speech.audio.error", error={"message": "out of\nmemory", "code": 500})
    with speaking(openai(Reply([delta, event(type="speech.audio.done")], "text/event-stream"))) as server:
        assert same(heard(remote(server)), SOUND)
    with speaking(openai(Reply([delta, failure], "text/event-stream"))) as server:
        error = error_of(remote(server))
    assert (error.key, error.values["said"]) == ("speech_failed", "out of memory")


@pytest.mark.parametrize(("form", "kind"), [("mp3", "audio/mpeg"), ("flac", "audio/flac")])
def test_compressed_files(form: str, kind: str) -> None:
    import soundfile

    tone = (0.3 * np.sin(np.arange(24_000) / 20)).astype(np.float32)
    file = io.BytesIO()
    soundfile.write(file, tone, 24_000, format=form)
    with speaking(openai(Reply(torn(file.getvalue()), kind))) as server:
        audio = heard(remote(server))
    assert audio.rate == 24_000
    assert audio.duration == pytest.approx(1.0, abs=0.1)
    assert np.corrcoef(np.abs(np.fft.rfft(audio.samples, 1 << 15)), np.abs(np.fft.rfft(tone, 1 << 15)))[0, 1] > 0.98


def test_dashscope() -> None:
    def event(part: np.ndarray[Any, Any]) -> bytes:
        audio = {"data": base64.b64encode(pcm(part)).decode(), "url": ""}
        return b"id:1\nevent:result\ndata:" + json.dumps({"output": {"audio": audio}}).encode() + b"\n\n"

    path = "/api/v1/services/aigc/multimodal-generation/generation"
    with speaking({path: Reply([event(SOUND[:999]), event(SOUND[999:])], "text/event-stream")}) as server:
        audio = heard(remote(server, "qwen3-tts-flash", "/api/v1"))
    assert same(audio, SOUND)
    (asked,) = server.questions()
    assert asked.body["input"] == {"text": "Hello there.", "voice": "Cherry", "language_type": "English"}
    assert asked.headers["X-DashScope-SSE"] == "enable"


# --- voices and what cannot be


def test_voices_that_a_server_does_not_list() -> None:
    with speaking(openai(Reply([pcm(SOUND)]))) as server:
        engine = remote(server)
        assert [voice.name for voice in engine.voices()] == ["Default"]
        heard(engine)
        assert server.questions()[0].body["voice"] == "alloy", "the protocol wants one"
        with closing(remote(server, "tts-1")) as engine:
            assert len(engine.voices()) > 5
        assert error_of(remote(server), Voice("nobody", "Nobody", ("en",))).key == "voice_missing"
        assert error_of(remote(server), CLONED).key == "speech_no_clone"


def test_what_a_server_cannot_is_said() -> None:
    with speaking(openai(Reply([pcm(SOUND)]))) as server, closing(remote(server, "tts-1")) as engine:
        assert not engine.info.loaded
        engine.load()
        said = engine.info.capabilities
        assert engine.info.loaded
        assert all(isinstance(said[name], str) for name in ("styles", "clone", "words", "pitch", "instruction"))
        list(engine.synthesize(SpeechRequest("Hello.", engine.voices()[0], Style("happy"))))
        assert "instructions" not in server.questions()[0].body


def test_several_models_and_none_named() -> None:
    models = as_json({"data": [{"id": "a"}, {"id": "b"}]})
    with speaking({**openai(Reply([pcm(SOUND)])), "/v1/models": models}) as server:
        assert error_of(remote(server)).key == "speech_model"
        assert same(heard(remote(server, "b")), SOUND)
    models = as_json({"data": [{"id": "llama"}, {"id": "kokoro"}]})
    with speaking({**openai(Reply([pcm(SOUND)])), "/v1/models": models}) as server:
        heard(remote(server))
        assert server.questions()[0].body["model"] == "kokoro"


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
