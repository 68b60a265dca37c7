"""The transcription API's contract: OpenAI's own client understands it, and no tag is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import openai
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.scripted import ScriptedEngines, ScriptedRecognizer, tone
from tests.served import serving_api
from webui.api import routes, transcriptions
from webui.audio.convert import to_wav_bytes
from webui.engines.protocols import RecognitionRequest
from webui.engines.registry import Choice
from webui.errors import EngineError, ModelError, UserError
from webui.types import Audio, Emotion, Event, EventSpan, Segment, Word

URL = "/v1/audio/transcriptions"
WAV = to_wav_bytes(tone(2.0))
SEGMENTS = [
    Segment(0.1, 0.5, events=(EventSpan(Event.LAUGHTER, 0.1, 0.5, 0.75),)),
    Segment(
        0.5, 1.25, "Hello <b>there.", "en", Emotion.HAPPY, 0.875, 0.5, (EventSpan(Event.BGM, 0.5, 1.0, 0.5),),
        "speaker 1", (Word("Hello", 0.5, 0.75, 0.5), Word("<b>there.", 0.75, 1.25)), 0.5, (1.0, 2.0),
    ),
    Segment(1.25, 2.0, "你好。", "zh", Emotion.SAD, 0.5),
]  # fmt: skip


@dataclass
class Listening(ScriptedRecognizer):
    """A scripted recognizer that also listens: it takes all the sound before it speaks."""

    error: UserError | None = None
    taken: float = 0.0

    def transcribe(self, request: RecognitionRequest) -> Iterator[Segment]:
        assert not isinstance(request.audio, Audio)
        for block in request.audio:
            self.taken += block.duration
        if self.error:
            raise self.error
        yield from super().transcribe(request)


@dataclass
class Endless(ScriptedRecognizer):
    """Hears the same for ever, until nobody listens any more."""

    began: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)

    def transcribe(self, request: RecognitionRequest) -> Iterator[Segment]:
        self.began.set()
        try:
            while True:
                time.sleep(0.01)
                yield self.segments[0]
        finally:
            self.stopped.set()


def engines(recognizer: ScriptedRecognizer | None = None) -> ScriptedEngines:
    made = ScriptedEngines(recognizer=recognizer or Listening(SEGMENTS))
    made.choices = (Choice("recognizer", "sensevoice", "why_asked"),)  # type: ignore[assignment]
    return made


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes.Api(engines()).routes())) as made:
        yield made


def post(client: TestClient, **fields: str) -> httpx.Response:
    answer: httpx.Response = client.post(URL, files={"file": ("a.wav", WAV)}, data=fields)
    return answer


def test_the_official_client_gets_words_and_every_tag() -> None:
    with serving_api(engines()) as url, openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as official:
        assert [m.id for m in official.models.list()] == ["sensevoice", "whisper-1"]
        ask = official.audio.transcriptions.create
        assert ask(file=("a.wav", WAV), model="whisper-1").text == "Hello <b>there.你好。"
        assert "Hello" in str(ask(file=("a.wav", WAV), model="sensevoice", response_format="text"))
        subtitles = str(ask(file=("a.wav", WAV), model="sensevoice", response_format="srt"))
        assert "00:00:00,500 --> 00:00:01,250" in subtitles and "<b>" not in subtitles
        assert str(ask(file=("a.wav", WAV), model="sensevoice", response_format="vtt")).startswith("WEBVTT")
        heard = ask(
            file=("a.wav", WAV), model="whisper-1", response_format="verbose_json", timestamp_granularities=["word"]
        )
        assert (heard.language, float(heard.duration)) == ("en", 2.0)
        assert heard.words and [(w.word, w.start) for w in heard.words] == [("Hello", 0.5), ("<b>there.", 0.75)]
        with pytest.raises(openai.NotFoundError) as caught:
            ask(file=("a.wav", WAV), model="gpt-5-transcribe")
        assert caught.value.code == "recognizer_unknown" and caught.value.param == "model"


def test_a_verbose_answer_has_all_that_was_heard(client: TestClient) -> None:
    heard = post(client, response_format="verbose_json").json()
    laugh, first, second = heard["segments"]
    assert laugh["events"] == [{"event": "Laughter", "start": 0.1, "end": 0.5, "confidence": 0.75}]
    assert (first["start"], first["end"], first["language"], first["emotion"]) == (0.5, 1.25, "en", "HAPPY")
    assert (first["emotion_confidence"], first["arousal"], first["confidence"]) == (0.875, 0.5, 0.5)
    assert (first["speaker"], first["words"][1]["end"], second["language"]) == ("speaker 1", 1.25, "zh")
    assert first["avg_logprob"] == pytest.approx(-0.6931, abs=1e-3)
    assert "voice" not in first
    ours = heard["funaudio"]
    assert ours["plain"] == heard["text"] == "Hello <b>there.你好。"
    assert "😊" in ours["rich"] and "🎼" in ours["rich"]
    assert ours["tagged"].endswith(
        "<|en|><|HAPPY|><|BGM|><|withitn|>Hello <b>there. <|zh|><|SAD|><|Speech|><|withitn|>你好。"
    )
    assert ours["problems"] == [] and ours["speed"] > 0


def test_language_and_digits_are_passed_on_and_all_the_sound_is_heard() -> None:
    recognizer = Listening(SEGMENTS)
    with TestClient(Starlette(routes=routes.Api(engines(recognizer)).routes())) as client:
        assert post(client, language="yue", itn="false").status_code == 200
        assert post(client).status_code == 200
    first, second = recognizer.requests
    assert (first.language, first.itn, second.language, second.itn) == ("yue", False, "auto", True)
    assert recognizer.taken == pytest.approx(4.0, abs=0.01)


def test_a_recording_that_breaks_off_is_heard_and_said_to_break_off(client: TestClient) -> None:
    cut = WAV[: len(WAV) // 2]
    heard = client.post(URL, files={"file": cut}, data={"response_format": "verbose_json"}).json()
    assert heard["duration"] == pytest.approx(1.0, abs=0.05)
    assert "breaks off" in heard["funaudio"]["problems"][0]


@pytest.mark.parametrize(
    ("files", "fields", "status", "code"),
    [
        ({}, {}, 400, "file_missing"),
        ({"sound": b"x"}, {}, 400, "file_missing"),
        ({"file": b""}, {}, 400, "empty"),
        ({"file": b"#!/bin/sh and more than sixteen bytes"}, {}, 400, "not_audio"),
        ({"file": to_wav_bytes(tone(1.0))[:44] + bytes(48000)}, {}, 400, "silent"),
        ({"file": b"x", "language": b"x"}, {}, 400, "form_broken"),
        ({"file": WAV}, {"response_format": "xml"}, 400, "format_unknown"),
        ({"file": WAV}, {"model": "../../etc/passwd"}, 404, "recognizer_unknown"),
        ({"file": WAV}, {"stream": "true"}, 400, "stream_unknown"),
        ({"file": WAV}, {"itn": "perhaps"}, 400, "field_not_flag"),
        ({"file": WAV}, {"language": "x" * 20_000}, 400, "form_broken"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    client: TestClient, files: dict[str, bytes], fields: dict[str, str], status: int, code: str
) -> None:
    answer = client.post(URL, files=files, data=fields)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert (error["code"], error["type"]) == (code, "invalid_request_error")
    assert "\n" not in error["message"] and len(error["message"]) < 200


@pytest.mark.parametrize(
    ("error", "status", "param"),
    [
        (EngineError("language_unknown", "This recognizer does not know it."), 400, "language"),
        (EngineError("server_unreachable", "No server answers."), 503, None),
        (ModelError("model_unavailable", "It could not be fetched."), 503, None),
    ],
)
def test_what_the_engine_cannot_do_is_said(error: UserError, status: int, param: str | None) -> None:
    made = engines(Listening(SEGMENTS, error=error))
    with TestClient(Starlette(routes=routes.Api(made).routes())) as client:
        answer = post(client)
    assert (answer.status_code, answer.json()["error"]["message"]) == (status, error.message)
    assert answer.json()["error"]["param"] == param


def test_a_bug_is_not_told_but_for_one_sentence() -> None:
    made = engines(Listening(SEGMENTS, error=ValueError("/root/secret")))  # type: ignore[arg-type]
    with TestClient(Starlette(routes=routes.Api(made).routes())) as client:
        answer = post(client)
    assert answer.status_code == 500 and "secret" not in answer.text


def test_json_or_nothing_at_all_in_place_of_a_form(client: TestClient) -> None:
    assert client.post(URL, json={"file": "x"}).json()["error"]["code"] == "file_missing"
    assert client.post(URL).json()["error"]["code"] == "file_missing"
    broken = client.post(URL, content=b"--y\r\nrubbish", headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "form_broken")
    assert client.get(URL).status_code == 405


def test_a_page_of_another_site_is_refused(client: TestClient) -> None:
    for origin, status in (("https://evil.example", 403), ("null", 403), ("http://testserver", 200)):
        answer = client.post(URL, files={"file": WAV}, headers={"Origin": origin})
        assert answer.status_code == status


def test_too_much_is_refused_before_it_is_all_here(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcriptions, "MAX_BYTES", 10_000)
    answer = post(client)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "upload_too_large")


def test_a_client_that_goes_stops_the_work_and_frees_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcriptions, "MAX_REQUESTS", 1)
    recognizer = Endless()
    with serving_api(engines(recognizer)) as url:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(url + URL, files={"file": WAV}, timeout=httpx.Timeout(5, read=0.5))
        assert recognizer.began.is_set()
        assert recognizer.stopped.wait(5)
        while (answer := httpx.post(url + URL, files={"file": b"no sound, but it is sixteen"})).status_code == 429:
            assert answer.headers["Retry-After"]
        assert answer.json()["error"]["code"] == "not_audio"


def test_while_it_listens_the_server_answers_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcriptions, "MAX_REQUESTS", 1)
    recognizer = Endless()
    with serving_api(engines(recognizer)) as url:

        def ask() -> None:
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(url + URL, files={"file": WAV}, timeout=httpx.Timeout(5, read=1.5))

        asking = threading.Thread(target=ask)
        asking.start()
        assert recognizer.began.wait(5)
        assert httpx.get(url + "/healthz").json()["status"] == "ok"
        busy = httpx.post(url + URL, files={"file": WAV})
        assert (busy.status_code, busy.json()["error"]["code"]) == (429, "transcriptions_busy")
        asking.join()
