"""The speaking studio over HTTP: what can be chosen, takes as they are made, files, and what is refused."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.scripted import RATE, ScriptedEngines, ScriptedSynthesizer, tone
from tests.served import serving_api
from tests.waiting import wait_until
from webui.api import ndjson, speak
from webui.api.routes import Api
from webui.audio.convert import to_wav_bytes
from webui.config import Settings
from webui.engines.protocols import EngineInfo, SpeechRequest
from webui.errors import EngineError
from webui.types import Audio, SpeechChunk, Voice
from webui.voices.library import VoiceLibrary
from webui.voices.saved import made
from webui.voices.watermark import THRESHOLD

TEXT = "Hello. How are you?\n\nFine [pause 0.5] thanks."
ABLE: dict[str, bool | str] = dict.fromkeys(("styles", "pitch", "energy", "instruction", "blend", "clone"), True)


@dataclass
class Able(ScriptedSynthesizer):
    """Speaks noise, which files can be judged by; converts too."""

    capabilities: dict[str, bool | str] = field(default_factory=lambda: {**ABLE, "convert": True})
    converted: list[Audio] = field(default_factory=list)
    fails_at: int | None = None

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("Able", ("en", "zh"), self.capabilities, "CPU", "MIT", True)

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        if len(self.requests) == self.fails_at:
            raise EngineError("server_broke_off", "It broke off.")
        self.requests.append(request)
        noise = np.random.default_rng(len(self.requests)).standard_normal(4 * RATE)
        yield SpeechChunk(Audio((0.05 * noise).astype(np.float32), RATE), request.text)

    def convert(self, source: Audio, voice: Voice) -> Iterator[SpeechChunk]:
        self.converted.append(source)
        yield SpeechChunk(source, "")


@dataclass
class Endless(ScriptedSynthesizer):
    """Speaks until it is closed, as fast as it can."""

    chunks: int = 0
    closed: threading.Event = field(default_factory=threading.Event)

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        try:
            while True:
                self.chunks += 1
                yield SpeechChunk(tone(0.1), "la")
        finally:
            self.closed.set()


@contextmanager
def asking(synthesizer: ScriptedSynthesizer, folder: Path) -> Iterator[TestClient]:
    settings = Settings(_env_file=None, voices_dir=folder)  # type: ignore[call-arg]
    engines = ScriptedEngines(synthesizer=synthesizer, settings=settings)
    with TestClient(Starlette(routes=Api(engines).routes()), base_url="http://localhost") as client:  # type: ignore[arg-type]
        yield client


@pytest.fixture
def able() -> Able:
    return Able()


@pytest.fixture
def client(able: Able, tmp_path: Path) -> Iterator[TestClient]:
    with asking(able, tmp_path) as made:
        yield made


def take(client: TestClient, **asked: Any) -> str:
    answer = client.post("/v1/speak/takes", json={"text": TEXT, **asked})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def events(client: TestClient, take_id: str, start: int = 0) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/speak/takes/{take_id}/events?from={start}")
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def sound(told: list[dict[str, Any]]) -> np.ndarray:
    pcm = b"".join(base64.b64decode(e["pcm"]) for e in told if e["type"] == "said")
    return np.frombuffer(pcm, "<i2")


def test_what_can_be_chosen_is_told_with_its_limits(client: TestClient) -> None:
    told = client.get("/v1/speak").json()
    assert told["engine"] == {"name": "Able", "licence": "MIT", "device": "CPU"}
    assert told["voices"][0] == {
        "id": "one", "name": "One", "languages": ["en", "zh"], "gender": "", "kind": "preset", "licence": "",
        "tags": [], "saved": False,
    }  # fmt: skip
    assert told["controls"]["pitch"] is True and told["controls"]["match"] is True
    assert isinstance(told["controls"]["readings"], str) and isinstance(told["tokens"][0]["able"], str)
    assert told["limits"] == {"characters": 20_000, "clip_seconds": 300.0, "upload_bytes": 64 * 1024**2, "takes": 48}
    assert set(told["formats"]) == {"wav", "mp3", "flac", "ogg", "srt", "vtt"} and told["consent"] is True


def test_a_take_comes_part_by_part_and_again_from_any_part(client: TestClient, able: Able) -> None:
    asked = {"voice": "two", "style": "happy", "strength": 0.5, "rate": 1.1, "pitch": 0.9, "speed": 1.2, "seed": 7}
    answer = client.post("/v1/speak/takes", json={"text": TEXT, "instruction": "slowly", "language": "en", **asked})
    assert answer.json() == {"id": answer.json()["id"], "parts": 3, "paragraphs": 2}
    told = events(client, answer.json()["id"])
    said = [e for e in told if e["type"] == "said"]
    assert [(e["part"], e["paragraph"], e["of"]) for e in said if e["last"]] == [(0, 0, 3), (1, 1, 3), (2, 1, 3)]
    assert [e["text"] for e in said if e["text"]] == ["Hello. How are you?", "Fine", "thanks."]
    assert told[-1] == {"type": "done", "duration": pytest.approx(12.9, abs=0.01)}
    request = able.requests[0]
    assert (request.voice.id, request.speed, request.language, request.seed) == ("two", 1.2, "en", 7)
    assert (request.style.name, request.style.rate, request.style.instruction) == ("happy", 1.1, "slowly")
    again = events(client, answer.json()["id"], 1)
    assert {e["part"] for e in again if e["type"] == "said"} == {1, 2} and len(able.requests) == 3
    assert (sound(again) == sound([e for e in said if e["part"] > 0])).all()


def test_a_failure_in_the_middle_is_told_and_what_was_made_is_kept(client: TestClient, able: Able) -> None:
    able.fails_at = 1
    take_id = take(client)
    told = events(client, take_id)
    assert told[-1] == {
        "type": "failed", "error": {"key": "server_broke_off", "message": "It broke off.", "values": {}},
    }  # fmt: skip
    assert {e["part"] for e in told[:-1]} == {0}
    assert client.get(f"/v1/speak/takes/{take_id}/file?format=wav").status_code == 200
    able.fails_at = None
    assert events(client, take_id, 1)[-1]["type"] == "done" and len(able.requests) == 3


def test_a_bug_is_not_told_but_for_one_sentence(
    client: TestClient, able: Able, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(able, "synthesize", lambda request: iter([1 / 0, "/root/secret"]))
    told = events(client, take(client))
    assert told[-1]["error"]["key"] == "internal" and "secret" not in str(told)


@pytest.mark.parametrize("form", ["wav", "mp3", "flac", "ogg"])
def test_a_file_is_as_loud_as_others_and_says_what_it_is(client: TestClient, form: str) -> None:
    take_id = take(client)
    events(client, take_id)
    answer = client.get(f"/v1/speak/takes/{take_id}/file?format={form}")
    assert answer.headers["content-disposition"] == f'attachment; filename="speech.{form}"'
    with av.open(io.BytesIO(answer.content)) as file:
        tags = {name.lower(): text for name, text in {**file.metadata, **file.streams[0].metadata}.items()}
        samples = np.concatenate([frame.to_ndarray().reshape(-1) for frame in file.decode(audio=0)])
    assert "ynthetic" in tags["comment"] + tags["artist"] and "How are you" in tags["title"]
    assert len(samples) > 12 * RATE


def test_words_come_as_subtitles(client: TestClient) -> None:
    take_id = take(client)
    events(client, take_id)
    srt = client.get(f"/v1/speak/takes/{take_id}/file?format=srt").text
    assert "Hello. How are you?" in srt and "00:00:04,900 -->" not in srt and "00:00:08,900 -->" not in srt
    assert client.get(f"/v1/speak/takes/{take_id}/file?format=vtt").text.startswith("WEBVTT")


def test_only_a_cloned_voice_is_watermarked(client: TestClient, able: Able, tmp_path: Path) -> None:
    library = VoiceLibrary(tmp_path / "home", consent=False)
    clip = Audio(tone(3.0).samples, RATE)
    cloned = made(Voice("", "Ann", ("en",), kind="cloned", sample=clip, sample_text="La."), (), "scripted")
    library.save(cloned)
    assert [voice["name"] for voice in client.get("/v1/speak").json()["voices"] if voice["saved"]] == ["Ann"]
    found = {}
    for voice in (cloned.id, "one"):
        take_id = take(client, voice=voice)
        events(client, take_id)
        data = client.get(f"/v1/speak/takes/{take_id}/file?format=wav").content
        found[voice] = client.post("/v1/speak/detect", files={"file": data}).json()["found"]
    assert found == {cloned.id: True, "one": False}
    sample = able.requests[0].voice.sample
    assert sample is not None and sample.duration == pytest.approx(3.0, abs=0.01)


def test_a_blend_made_for_another_engine_is_refused(client: TestClient, tmp_path: Path) -> None:
    voice = Voice("", "Mix", ("en",), kind="blend", blend=(("one", 0.5), ("two", 0.5)))
    saved = made(voice, (), "elsewhere")
    VoiceLibrary(tmp_path / "home").save(saved)
    answer = client.post("/v1/speak/takes", json={"text": "Hello.", "voice": saved.id})
    assert (answer.status_code, answer.json()["error"]["key"]) == (409, "voice_elsewhere")


def test_a_blend_and_a_melody_reach_the_engine(client: TestClient, able: Able) -> None:
    able.capabilities["prosody"] = True
    events(client, take(client, blend=[["one", 0.25], ["two", 0.75]], prosody="one"))
    voice = able.requests[0].voice
    assert (voice.kind, voice.blend, voice.prosody) == ("blend", (("one", 0.25), ("two", 0.75)), "one")
    assert voice.languages == ("zh", "en")


@pytest.mark.parametrize(
    ("asked", "status", "key"),
    [
        ({"text": ""}, 400, "nothing_to_say"),
        ({"text": "a" * 20_001}, 400, "text_too_long"),
        ({"text": "[pause 9]"}, 400, "pause_wrong"),
        ({"text": 5}, 400, "speak_field"),
        ({}, 400, "speak_field"),
        ({"text": "a", "unknown": 1}, 400, "speak_field"),
        ({"text": "a", "speed": 2.1}, 400, "speak_field"),
        ({"text": "a", "pitch": "NaN"}, 400, "speak_field"),
        ({"text": "a", "seed": -1}, 400, "speak_field"),
        ({"text": "a", "style": "drunk"}, 400, "speak_field"),
        ({"text": "a", "language": "../etc"}, 400, "speak_field"),
        ({"text": "a", "instruction": "x" * 501}, 400, "speak_field"),
        ({"text": "a", "voice": "x" * 201}, 400, "speak_field"),
        ({"text": "a", "blend": []}, 400, "speak_field"),
        ({"text": "a", "blend": [["one", 2.0]]}, 400, "speak_field"),
        ({"text": "a", "blend": [["nobody", 1.0]]}, 409, "no_such_voice"),
        ({"text": "a", "voice": "nobody"}, 404, "voice_missing"),
        ({"text": "a", "voice": "../../etc/passwd"}, 404, "voice_missing"),
        ({"text": "a", "prosody": "one"}, 409, "cannot_synthesizer_prosody"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(client: TestClient, asked: dict[str, Any], status: int, key: str) -> None:
    answer = client.post("/v1/speak/takes", json=asked)
    error = answer.json()["error"]
    assert (answer.status_code, error["key"]) == (status, key)
    assert "\n" not in error["message"] and len(error["message"]) < 200


def test_takes_and_files_that_are_not_there(client: TestClient) -> None:
    for path in ("/v1/speak/takes/nobody/events", "/v1/speak/takes/nobody/file"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["error"]["key"]) == (404, "take_gone")
    take_id = take(client)
    assert client.get(f"/v1/speak/takes/{take_id}/file").json()["error"]["key"] == "take_empty"
    assert client.get(f"/v1/speak/takes/{take_id}/file?format=exe").json()["error"]["key"] == "speak_format"
    for start in ("-1", "x", "9" * 30, "²"):
        assert client.get(f"/v1/speak/takes/{take_id}/events?from={start}").json()["error"]["key"] == "speak_field"
    assert client.post("/v1/speak/takes", content=b"{" * 100_000).json()["error"]["key"] == "malformed_event"
    assert client.post("/v1/speak/takes", content=b" " * 600_000).status_code == 413


@pytest.mark.parametrize("way", ["DELETE", "POST"])
def test_a_closed_take_is_gone(client: TestClient, way: str) -> None:
    take_id = take(client)
    path = f"/v1/speak/takes/{take_id}"
    answer = client.delete(path) if way == "DELETE" else client.post(f"{path}/close")
    assert answer.status_code == 204
    assert client.get(f"{path}/events").status_code == 404


def test_a_page_of_another_site_is_refused(client: TestClient) -> None:
    take_id = take(client)
    elsewhere = {"Origin": "https://evil.example"}
    for method, path in (
        ("GET", "/v1/speak"),
        ("POST", "/v1/speak/takes"),
        ("GET", f"/v1/speak/takes/{take_id}/events"),
        ("DELETE", f"/v1/speak/takes/{take_id}"),
        ("POST", f"/v1/speak/takes/{take_id}/close"),
        ("POST", "/v1/speak/convert"),
        ("POST", "/v1/speak/detect"),
    ):
        assert client.request(method, path, headers=elsewhere).status_code == 403
    assert events(client, take_id)[-1]["type"] == "done"


def test_the_longest_text_is_spoken_to_its_end(client: TestClient, able: Able, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = SpeechChunk(tone(0.05), "")
    monkeypatch.setattr(able, "synthesize", lambda request: iter_of(able, request, quick))
    text = ("银行里有很多人，他们都在等着。" * 2000)[:20_000]
    told = events(client, take(client, text=text))
    assert told[-1]["type"] == "done"
    said_again = "".join(request.text for request in able.requests)
    assert said_again == text


def iter_of(able: Able, request: SpeechRequest, chunk: SpeechChunk) -> Iterator[SpeechChunk]:
    able.requests.append(request)
    yield chunk


def test_a_reader_that_goes_stops_the_engine_and_may_come_back(tmp_path: Path) -> None:
    synthesizer = Endless()
    with served(synthesizer, tmp_path) as url:
        made = httpx.post(f"{url}/v1/speak/takes", json={"text": "La."}).json()
        with httpx.stream("GET", f"{url}/v1/speak/takes/{made['id']}/events") as answer:
            lines = answer.iter_lines()
            first = next(lines)
            assert json.loads(first)["type"] == "said" and not synthesizer.closed.is_set()
        assert synthesizer.closed.wait(5)
        with httpx.stream("GET", f"{url}/v1/speak/takes/{made['id']}/events") as answer:
            lines = answer.iter_lines()
            assert next(lines) == first
            assert httpx.delete(f"{url}/v1/speak/takes/{made['id']}").status_code == 204
            assert all(json.loads(line)["type"] == "said" for line in lines)  # it ends, and not with a failure


def test_a_slow_reader_holds_the_engine_back_and_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ndjson, "PATIENCE_S", 1.0)
    synthesizer = Endless()
    with served(synthesizer, tmp_path) as url:
        made = httpx.post(f"{url}/v1/speak/takes", json={"text": "La."}).json()
        with httpx.stream("GET", f"{url}/v1/speak/takes/{made['id']}/events") as answer:
            begun = answer.iter_bytes()
            assert next(begun)
            assert synthesizer.closed.wait(10)
            # What systems keep for sockets is some megabytes; a line here is about 6 kB.
            assert synthesizer.chunks < 5_000


def test_so_many_read_at_once_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speak, "MAX_READERS", 1)
    synthesizer = Endless()
    with served(synthesizer, tmp_path) as url:
        one, two = (httpx.post(f"{url}/v1/speak/takes", json={"text": "La."}).json()["id"] for _ in range(2))
        with httpx.stream("GET", f"{url}/v1/speak/takes/{one}/events") as answer:
            lines = answer.iter_lines()
            next(lines)
            refused = httpx.get(f"{url}/v1/speak/takes/{two}/events")
            assert (refused.status_code, refused.json()["error"]["key"]) == (429, "speak_busy")
        assert synthesizer.closed.wait(5)

        def free() -> bool:
            with httpx.stream("GET", f"{url}/v1/speak/takes/{two}/events") as answer:
                return answer.status_code == 200

        wait_until(free, 5)


@contextmanager
def served(synthesizer: ScriptedSynthesizer, folder: Path) -> Iterator[str]:
    settings = Settings(_env_file=None, voices_dir=folder)  # type: ignore[call-arg]
    with serving_api(ScriptedEngines(synthesizer=synthesizer, settings=settings)) as url:
        yield url


def test_other_peoples_voices_need_their_secret(able: Able, tmp_path: Path) -> None:
    settings = Settings(_env_file=None, voices_dir=tmp_path, host="0.0.0.0")  # type: ignore[call-arg]
    engines = ScriptedEngines(synthesizer=able, settings=settings)
    with TestClient(Starlette(routes=Api(engines).routes())) as client:  # type: ignore[arg-type]
        assert client.get("/v1/speak").json()["error"]["key"] == "owner_missing"
        assert client.get("/v1/speak", headers={"X-FunAudio-Owner": "a" * 32}).status_code == 200


@pytest.mark.parametrize(
    ("files", "fields", "key"),
    [
        ({}, {"voice": "one"}, "file_missing"),
        ({"file": b"#!/bin/sh and more than sixteen bytes"}, {}, "not_audio"),
        ({"file": to_wav_bytes(Audio(np.zeros(RATE, np.float32), RATE))}, {}, "silent"),
        ({"file": to_wav_bytes(tone(1.0))}, {}, "no_speech"),
        ({"file": to_wav_bytes(tone(1.0))}, {"voice": "nobody"}, "voice_missing"),
    ],
)
def test_what_cannot_be_converted_is_one_sentence(
    client: TestClient, files: dict[str, bytes], fields: dict[str, str], key: str
) -> None:
    answer = client.post("/v1/speak/convert", files=files, data=fields)
    assert answer.json()["error"]["key"] == key and answer.status_code in (400, 404)


def test_an_engine_that_cannot_convert_says_so_before_anything_is_made(client: TestClient, able: Able) -> None:
    able.capabilities["convert"] = "It speaks only."
    answer = client.post("/v1/speak/convert", files={"file": to_wav_bytes(tone(1.0))}, data={"voice": "one"})
    assert (answer.status_code, answer.json()["error"]["key"]) == (409, "cannot_synthesizer_convert")


def test_the_watermark_is_looked_for_in_any_recording(client: TestClient) -> None:
    plain = to_wav_bytes(tone(2.0))
    told = client.post("/v1/speak/detect", files={"file": plain}).json()
    assert told["found"] is False and 0 < told["score"] < THRESHOLD
    assert client.post("/v1/speak/detect", files={"file": b"no sound, but it is sixteen"}).status_code == 400
