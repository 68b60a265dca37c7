"""Speech servers of every kind: what they are asked, and what is heard."""

from __future__ import annotations

import base64
import io
import json
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from tests.engines.speech_asking import (
    CLIP,
    CLONED,
    SOUND,
    SPEECH,
    cosyvoice,
    error_of,
    heard,
    openai,
    remote,
    same,
    wav,
)
from tests.speech_server import Reply, as_json, pcm, speaking, torn
from webui.audio.decode import decode
from webui.engines.protocols import SpeechRequest
from webui.errors import EngineError
from webui.types import Audio, Style, Voice

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


def event(part: np.ndarray[Any, Any], between: bytes = b"") -> bytes:
    """As DashScope sends it; the data may come in several lines, cut at ``between``."""
    audio = {"data": base64.b64encode(pcm(part)).decode(), "url": ""}
    data = json.dumps({"output": {"audio": audio}}).encode()
    return b"id:1\nevent:result\ndata:" + data.replace(between, between + b"\ndata:", 1) + b"\n\n"


def test_dashscope() -> None:
    path = "/api/v1/services/aigc/multimodal-generation/generation"
    with speaking({path: Reply([event(SOUND[:999]), event(SOUND[999:])], "text/event-stream")}) as server:
        audio = heard(remote(server, "qwen3-tts-flash", "/api/v1"))
    assert same(audio, SOUND)
    (asked,) = server.questions()
    assert asked.body["input"] == {"text": "Hello there.", "voice": "Cherry", "language_type": "English"}
    assert asked.headers["X-DashScope-SSE"] == "enable"


def test_cosyvoice_on_dashscope() -> None:
    path = "/api/v1/services/audio/tts/SpeechSynthesizer"
    last = b'data:{"output":{"finish_reason":"stop","audio":{"data":"","url":"http://x"}}}\n\n'
    parts = [event(SOUND[:999], b"{"), event(SOUND[999:], b","), last]
    with speaking({path: Reply(parts, "text/event-stream")}) as server:
        engine = remote(server, "cosyvoice-v3-flash", "/api/v1")
        assert same(heard(engine, style=Style("sad"), speed=1.5), SOUND)
        heard(remote(server, "cosyvoice-v2", "/api/v1"), style=Style("sad"))
    first, second = (asked.body["input"] for asked in server.questions())
    assert first == {
        "text": "Hello there.", "voice": "longanyang", "format": "pcm", "sample_rate": 24_000,
        "rate": 1.5, "instruction": "你说话的情感是sad。",
    }  # fmt: skip
    assert second["voice"] == "longxiaochun_v2" and "instruction" not in second


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


# --- the marks of a text


@pytest.mark.parametrize(
    ("model", "given"),
    [
        ("Fun-CosyVoice3-0.5B", "Oh [cough] 3 dollars and 50 cents in [ch][óng][q][ìng], <strong>yes</strong>."),
        ("CosyVoice-300M-SFT", "Oh 3 dollars and 50 cents in x, <strong>yes</strong>."),
    ],
)
def test_cosyvoice_is_given_the_marks_it_knows(model: str, given: str) -> None:
    third = model.startswith("Fun")
    text = f"Oh [cough] $3.50 in {'{x|chong2 qing4}' if third else 'x'}, <strong>yes</strong>."
    with speaking(cosyvoice(Reply([pcm(SOUND)]))) as server, closing(remote(server, model)) as engine:
        (voice, *_) = engine.voices()
        assert "".join(c.text for c in engine.synthesize(SpeechRequest(text, voice))) == "Oh $3.50 in x, yes."
        assert engine.info.capabilities["readings"] is True or not third
        if not third:
            with pytest.raises(EngineError) as caught:
                list(engine.synthesize(SpeechRequest("Go to {x|chong2 qing4}.", voice)))
            assert caught.value.key == "readings_unknown"
    (asked,) = server.questions()
    assert asked.body["tts_text"].rpartition("|>")[2] == given


def test_a_server_of_openai_is_given_words_only() -> None:
    with speaking(openai(Reply([pcm(SOUND)]), "anna")) as server:
        heard(remote(server), "Oh [laughter] <strong>no</strong> [pause 1] $5.")
        assert error_of(remote(server), text="I {read|R EH1 D} it.").key == "readings_unknown"
    (asked,) = server.questions()
    assert asked.body["input"] == "Oh no $5."


@pytest.mark.parametrize("fields", ["model input voice seed", "model input voice"])
def test_what_a_server_can_do_is_told(fields: str) -> None:
    with speaking(openai(Reply([pcm(SOUND)]), "anna", fields=fields)) as server, closing(remote(server)) as engine:
        engine.load()
        able = engine.info.capabilities
    assert (able["seed"] is True) == ("seed" in fields)
    assert able["energy"] is True
    for name in ("tokens", "readings", "pitch", "blend", "prosody", "convert", "clone", "words"):
        assert isinstance(able[name], str) and able[name].endswith(".")
