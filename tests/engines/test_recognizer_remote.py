"""Hearing through a server: our own loses no tag, others give what they have, and every failure is a sentence."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import soundfile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.api.test_transcriptions import SEGMENTS, Listening, engines
from tests.engines.spoken import EN, ZH, join, say, silence
from tests.scripted import tone
from tests.served import serving_api, serving_routes
from webui.config import Settings
from webui.engines import http
from webui.engines.protocols import RecognitionRequest
from webui.engines.recognizer_remote import RemoteRecognizer
from webui.errors import AudioError, EngineError
from webui.types import Audio, Emotion, Event, Segment, Word

KEY = "sk-very-secret"
SPEECH = tone(2.0, 16_000)


@dataclass
class Foreign:
    """A server of OpenAI's protocol. ``answers`` are given in turn, the last one for ever; ``asked`` is what came."""

    models: list[str] | None
    answers: list[Any]
    formats: tuple[str, ...] = ("json", "text", "verbose_json")
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    sounds: list[Audio] = field(default_factory=list)

    async def list_models(self, request: Request) -> Response:
        if self.models is None:
            return Response(status_code=404)
        return JSONResponse({"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})

    async def transcribe(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return JSONResponse({"error": {"message": f"Incorrect API key {KEY[:5]}***"}}, 401)
        async with request.form() as form:
            self.asked.append({k: v for k, v in form.items() if isinstance(v, str)})
            samples, rate = soundfile.read(io.BytesIO(await form["file"].read()), dtype="float32")  # type: ignore[union-attr]
        if self.asked[-1]["response_format"] not in self.formats:
            return JSONResponse({"error": {"message": "verbose_json is not supported"}}, 400)
        self.sounds.append(Audio(samples, rate))
        answer = self.answers[min(len(self.sounds), len(self.answers)) - 1]
        return Response(answer) if isinstance(answer, str) else JSONResponse(answer)


@contextmanager
def foreign(models: list[str] | None, *answers: Any, **more: Any) -> Iterator[Foreign]:
    made = Foreign(models, list(answers), **more)
    routes = [
        Route("/v1/models", made.list_models),
        Route("/v1/audio/transcriptions", made.transcribe, methods=["POST"]),
    ]
    with serving_routes(routes) as made.url:  # type: ignore[arg-type]
        yield made


def remote(url: str, key: str = KEY) -> RemoteRecognizer:
    return RemoteRecognizer(None, Settings(recognizer_url=url, recognizer_key=key))  # type: ignore[arg-type]


def hear(recognizer: RemoteRecognizer, audio: Audio = SPEECH, **options: Any) -> list[Segment]:
    return list(recognizer.transcribe(RecognitionRequest(audio, **options)))


def test_through_our_own_api_no_tag_is_lost() -> None:
    listening = Listening(SEGMENTS)
    with serving_api(engines(listening)) as url:
        recognizer = remote(f"{url}/v1/")
        assert hear(recognizer) == [replace(s, voice=()) for s in SEGMENTS]
        assert [s.words for s in hear(recognizer, words=False, language="yue", itn=False)] == [(), (), ()]
        info = recognizer.info
    assert [(r.language, r.itn) for r in listening.requests] == [("auto", True), ("yue", False)]
    assert info.loaded and info.languages == ("en", "zh")
    assert all(info.capabilities[name] is True for name in ("words", "events", "emotion", "arousal"))
    assert "pieces" in str(info.capabilities["speakers"])


def test_what_our_own_api_says_it_cannot_do_is_passed_on() -> None:
    with serving_api(engines(Listening([Segment(0, 1, "Hello.", "en")]))) as url:
        recognizer = remote(url)
        assert not recognizer.info.loaded and isinstance(recognizer.info.capabilities["emotion"], str)
        recognizer.load()
        assert recognizer.info.loaded and "emotion" not in recognizer.info.capabilities
        assert hear(recognizer)[0].emotion is Emotion.EMO_UNKNOWN
        recognizer.close()
        assert not recognizer.info.loaded
        assert hear(recognizer)[0].text == "Hello."


FUNASR = {
    "task": "transcribe",
    "language": "zh",
    "duration": 2.0,
    "text": "我有一百二十本书。",
    "segments": [{"id": 0, "start": 0.0, "end": 2.0, "text": "我有一百二十本书。", "words": []}],
}


def test_a_server_like_funasrs_gives_words_without_tags_and_says_so() -> None:
    with foreign(["fun-asr-nano", "sensevoice", "paraformer"], FUNASR) as server:
        recognizer = remote(server.url)
        (segment,) = hear(recognizer)
        assert server.asked == [
            {"model": "whisper-1", "response_format": "verbose_json", "timestamp_granularities[]": "word"}
        ]
        assert (server.sounds[0].rate, server.sounds[0].duration) == (16_000, 2.0)
        np.testing.assert_allclose(server.sounds[0].samples, SPEECH.samples, atol=2e-5)
        hear(recognizer, language="yue", itn=False)
        assert server.asked[1]["language"] == "yue" and "itn" not in server.asked[1]
    assert segment == Segment(0.0, 2.0, "我有120本书。", "zh")
    can = recognizer.info.capabilities
    assert all(isinstance(can[name], str) for name in ("words", "events", "emotion", "speakers"))


def test_openais_words_names_of_languages_and_certainty() -> None:
    answer = {
        "language": "english",
        "text": " Hello there.",
        "segments": [{"avg_logprob": -0.5}, {"avg_logprob": -0.1}],
        "words": [{"word": "Hello", "start": 0.1, "end": 0.6}, {"word": "there.", "start": 0.5, "end": 9.0}],
    }
    with foreign(["gpt-4o", "whisper-1", "sora"], answer) as server:
        recognizer = remote(server.url)
        (segment,) = hear(recognizer)
        assert server.asked[0]["model"] == "whisper-1"
    assert (segment.language, segment.text) == ("en", "Hello there.")
    assert segment.confidence == pytest.approx(np.exp(-0.3))
    assert segment.words == (Word("Hello", 0.1, 0.6), Word("there.", 0.6, 2.0))
    assert recognizer.info.capabilities["words"] is True


def test_a_model_that_has_no_times_is_asked_for_text_once_and_for_all() -> None:
    with foreign(["Qwen/Qwen3", "openai/whisper-large-v3"], {"text": "Bonjour à tous."}, formats=("json",)) as server:
        recognizer = remote(server.url)
        (first,), (second,) = hear(recognizer, language="fr"), hear(recognizer)
    assert (first.text, first.language, second.language) == ("Bonjour à tous.", "fr", "en")
    assert [a["response_format"] for a in server.asked] == ["verbose_json", "json", "json"]
    assert {a["model"] for a in server.asked} == {"openai/whisper-large-v3"}
    assert "timestamp_granularities[]" not in server.asked[1]


def test_a_server_without_a_list_of_models_is_taken_as_it_is() -> None:
    with foreign(None, {"text": "안녕하세요", "language": "unknown"}) as server:
        (segment,) = hear(remote(server.url))
        assert server.asked[0]["model"] == "whisper-1"
    assert segment.language == "ko"


def test_silence_is_not_sent_and_nothing_is_an_error() -> None:
    with foreign(None, {"text": "You"}) as server:
        assert hear(remote(server.url), Audio(np.zeros(16_000, np.float32), 16_000)) == []
        assert server.asked == []
        with pytest.raises(AudioError) as caught:
            hear(remote(server.url), Audio(np.zeros(0, np.float32), 16_000))
    assert caught.value.key == "empty"


@pytest.mark.parametrize(
    "answer",
    [
        "no json",
        ["text"],
        {"texts": ""},
        {"text": 3},
        {"text": "x", "words": [{"word": "x"}]},
        {"text": "x", "words": [{"word": "x", "start": "soon", "end": 1}]},
        {"funaudio": {}, "segments": "no"},
        {"funaudio": {}, "segments": [{"start": 0}]},
        {"funaudio": {}},
    ],
)
def test_an_answer_that_is_no_transcript_is_one_sentence(answer: Any) -> None:
    with foreign(None, answer) as server, pytest.raises(EngineError) as caught:
        hear(remote(server.url))
    assert caught.value.key == "server_no_transcript"


def test_tags_that_this_program_does_not_know_are_unknown_and_not_an_error() -> None:
    segment: dict[str, Any] = {"start": 0, "end": 1, "text": "x", "language": "en", "emotion": "BORED", "words": []}
    segment |= {"emotion_confidence": 7, "confidence": float("-1"), "arousal": -3}
    segment["events"] = [{"event": "Earthquake", "start": 0, "end": 1, "confidence": 1}]
    with foreign(None, {"funaudio": {}, "segments": [segment]}) as server:
        (heard,) = hear(remote(server.url))
    assert (heard.emotion, heard.events[0].event) == (Emotion.EMO_UNKNOWN, Event.EVENT_UNK)
    assert (heard.emotion_confidence, heard.confidence, heard.arousal) == (1.0, 0.0, 0.0)


def test_sensevoices_tags_in_a_text_are_read_every_time_they_come() -> None:
    text = "<|en|><|HAPPY|><|Laughter|><|withitn|>Nice one.<|zh|><|SAD|><|Speech|><|woitn|>我有一百二十本书"
    with foreign(["sensevoice"], {"text": text}, {"text": "<|nospeech|><|EMO_UNKNOWN|><|BGM|><|woitn|>"}) as server:
        recognizer = remote(server.url)
        first, second = hear(recognizer)
        (music,) = hear(recognizer)
    assert (first.text, first.language, first.emotion) == ("Nice one.", "en", Emotion.HAPPY)
    assert (second.text, second.language, second.emotion) == ("我有120本书", "zh", Emotion.SAD)
    assert 0.0 == first.start < first.end == second.start < second.end == 2.0
    assert [e.event for e in first.events] == [Event.LAUGHTER] and [e.event for e in music.events] == [Event.BGM]
    assert (music.text, music.language) == ("", "nospeech")
    assert recognizer.info.capabilities["emotion"] is True and recognizer.info.capabilities["events"] is True


@pytest.mark.parametrize("text", ["", "   ", "<|nospeech|><|EMO_UNKNOWN|><|Event_UNK|><|woitn|>"])
def test_no_words_are_no_segment(text: str) -> None:
    with foreign(None, {"text": text}) as server:
        assert hear(remote(server.url)) == []


def test_a_refused_key_is_a_sentence_and_no_key_is_ever_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with foreign(None, {"text": "x"}) as server:
        assert hear(remote(server.url))
        with pytest.raises(EngineError) as caught:
            hear(remote(server.url, key="sk-wrong-secret"))
    assert caught.value.key == "server_key"
    everything = caplog.text + caught.value.message + repr(remote(server.url).info) + repr(Settings(recognizer_key=KEY))  # type: ignore[arg-type]
    assert "secret" not in everything


def test_no_address_and_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "ATTEMPTS", 1)
    for url, key in (
        ("", "recognizer_url_missing"),
        ("here", "server_address"),
        ("http://127.0.0.1:9", "server_unreachable"),
    ):
        with pytest.raises(EngineError) as caught:
            remote(url).load()
        assert caught.value.key == key


@pytest.mark.engine
def test_a_long_recording_goes_in_pieces_and_comes_back_in_time() -> None:
    spoken = [silence(4), say(EN, "en"), silence(12), say(ZH, "zh"), silence(14), say(EN, "en"), silence(2)]
    whole = join(*spoken)
    assert whole.duration > 31
    answers = [{"text": t, "words": [{"word": t, "start": 0.5, "end": 1.0}]} for t in ("one", "two", "three")]
    with foreign(None, *answers) as server:
        blocks = (Audio(whole.samples[i : i + 16_000], 16_000) for i in range(0, len(whole.samples), 16_000))
        segments = hear(remote(server.url), blocks)  # type: ignore[arg-type]
    assert [s.text for s in segments] == ["one", "two", "three"]
    starts = np.cumsum([0, *(len(s) / 16_000 for s in spoken)])
    for segment, sound, start, end in zip(segments, server.sounds, starts[1:6:2], starts[2:7:2], strict=True):
        assert segment.start == pytest.approx(start, abs=0.5) and segment.end == pytest.approx(end, abs=0.7)
        assert sound.duration == pytest.approx(segment.end - segment.start, abs=0.01)
        assert segment.words[0].start == pytest.approx(segment.start + 0.5)


def test_sessions_side_by_side_hear_their_own() -> None:
    with serving_api(engines(Listening([Segment(0, 1, "Hello.", "en")]))) as url:
        recognizer = remote(url)
        heard: list[list[Segment]] = []
        threads = [threading.Thread(target=lambda: heard.append(hear(recognizer))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(heard) == 6 and all(h == heard[0] for h in heard)
