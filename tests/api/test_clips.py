"""Clips, consent and matching over HTTP, with the real engines."""

from __future__ import annotations

import base64
import io
import json
import wave
from collections.abc import Iterator

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.engines.spoken import EN, RATE, join, say, silence
from webui.api import clips
from webui.api.clips import ClipRoutes
from webui.audio.convert import to_wav_bytes
from webui.config import ROOT, Settings
from webui.engines.registry import Engines
from webui.engines.store import ModelStore
from webui.errors import UserError
from webui.features import matching
from webui.types import Audio
from webui.voices.clip import Finding

pytestmark = pytest.mark.engine

URL = "/v1/speak/clips"
FRESH = ("Behind the library, my neighbour repaired twelve yellow umbrellas.", "en")


@pytest.fixture(scope="module")
def routes() -> Iterator[ClipRoutes]:
    engines = Engines(Settings(profile="embedded"), ModelStore(ROOT / "models"))
    yield ClipRoutes(engines)
    engines.close()


@pytest.fixture
def client(routes: ClipRoutes) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes.routes())) as made:
        yield made


def wav(*sounds: np.ndarray) -> dict:
    parts = [part for sound in sounds for part in (silence(0.5), sound)]
    return {"file": ("clip.wav", to_wav_bytes(join(*parts, silence(0.5))), "audio/wav")}


@pytest.fixture(scope="module")
def made(routes: ClipRoutes) -> dict:
    with TestClient(Starlette(routes=routes.routes())) as client:
        answer = client.post(URL, files=wav(say(EN, "en")))
    assert answer.status_code == 201
    return answer.json()


def test_a_clip_is_heard_kept_and_corrected(client, routes, made) -> None:
    assert made["findings"] == [{"key": "clip_good", "level": "ok", "values": {}}]
    assert 0 < made["kept"][0] < made["kept"][1] < made["duration"]
    assert made["language"] == "en" and "platform nine" in made["transcript"].lower()
    assert len(base64.b64decode(made["peaks"])) == 960
    sound = client.get(f"{URL}/{made['id']}.wav")
    assert sound.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(sound.content)) as file:
        assert file.getframerate() == 24_000
        assert file.getnframes() / 24_000 == pytest.approx(made["kept"][1] - made["kept"][0], abs=0.01)
    assert client.patch(f"{URL}/{made['id']}", json={"transcript": " The train. "}).json() == {
        "transcript": "The train."
    }
    clip, transcript, language, consent = routes.consented(made["id"])
    assert (transcript, language, consent) == ("The train.", "en", None) and clip.rate == 24_000


def test_consent_is_given_by_reading_the_sentence_and_taken_back_by_asking_anew(
    client, routes, made, monkeypatch
) -> None:
    url = f"{URL}/{made['id']}/consent"
    monkeypatch.setattr(clips, "fresh_sentence", lambda _: FRESH)
    assert client.post(url).json() == {"sentence": FRESH[0], "language": "en"}
    refused = client.put(url, files=wav(say(EN, "en"))).json()
    assert not refused["ok"] and refused["key"] == "consent_words" and routes.consented(made["id"])[3] is None
    verdict = client.put(url, files=wav(say(FRESH[0], "en"))).json()
    assert (
        verdict["ok"] and verdict["wrong"] <= 0.25 and verdict["similarity"] >= 0.55 and "umbrella" in verdict["heard"]
    )
    consent = routes.consented(made["id"])[3]
    assert consent and consent.sentence == FRESH[0] and consent.recording.duration > 2
    client.post(url)
    assert routes.consented(made["id"])[3] is None


def test_a_sentence_must_be_asked_for_first(client) -> None:
    clip = client.post(URL, files=wav(say(EN, "en"))).json()["id"]
    answer = client.put(f"{URL}/{clip}/consent", files=wav(say(EN, "en")))
    assert answer.status_code == 400 and answer.json()["error"]["key"] == "consent_unasked"


def test_the_nearest_blend_comes_line_by_line(client, made, monkeypatch) -> None:
    monkeypatch.setattr(matching, "TRIES", 2)
    answer = client.get(f"{URL}/{made['id']}/match")
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["type"] for line in lines] == ["progress", "progress", "matched"]
    assert lines[0].items() >= {"done": 1, "of": 2}.items()
    assert sum(share for _, share in lines[-1]["blend"]) == pytest.approx(1, abs=1e-3)
    assert lines[-1]["blend"][0][0] == "af_heart" and lines[-1]["similarity"] > 0.5


def test_a_deleted_clip_is_gone(client, routes) -> None:
    clip = client.post(URL, files=wav(say(EN, "en"))).json()["id"]
    assert client.delete(f"{URL}/{clip}").status_code == 204
    for answer in (
        client.get(f"{URL}/{clip}.wav"),
        client.patch(f"{URL}/{clip}", json={"transcript": ""}),
        client.post(f"{URL}/{clip}/consent"),
        client.get(f"{URL}/{clip}/match"),
    ):
        assert answer.status_code == 400 and answer.json()["error"]["key"] == "clip_gone"
    with pytest.raises(UserError, match="is deleted"):
        routes.consented(clip)


def test_a_bad_clip_is_shown_and_not_used(client, routes, made) -> None:
    clip = routes._clips.get(made["id"])
    clip.prepared = clips.replace(clip.prepared, findings=(Finding("clip_voices", "bad"),))
    try:
        assert client.get(f"{URL}/{made['id']}.wav").status_code == 200
        assert client.post(f"{URL}/{made['id']}/consent").json()["error"]["key"] == "clip_unusable"
        with pytest.raises(UserError, match="No voice can be made"):
            routes.consented(made["id"])
    finally:
        clip.prepared = clips.replace(clip.prepared, findings=())


@pytest.mark.parametrize(
    ("files", "key"),
    [
        (None, "file_missing"),
        ({"other": ("a", b"x")}, "file_missing"),
        ({"file": ("a.wav", b"")}, "no_audio"),
        ({"file": ("a.wav", b"no sound at all")}, "not_audio"),
        ({"file": ("a.wav", to_wav_bytes(Audio(np.zeros(RATE, np.float32), RATE)))}, "silent"),
        ({"file": ("a.wav", to_wav_bytes(Audio(silence(2.0) * 30, RATE)))}, "clip_no_speech"),
        ({"file": ("a.wav", to_wav_bytes(Audio(silence(301.0) * 30, RATE)))}, "too_long"),
    ],
)
def test_what_is_no_clip_is_refused_in_one_sentence(client, files, key: str) -> None:
    answer = client.post(URL, files=files) if files else client.post(URL, content=b"x")
    assert answer.status_code == 400 and answer.json()["error"]["key"] == key


def test_limits(client, made, monkeypatch) -> None:
    monkeypatch.setattr(clips, "MAX_UPLOAD_BYTES", 1000)
    assert client.post(URL, files=wav(say(EN, "en"))).status_code == 413
    monkeypatch.setattr(clips, "MAX_WAITING", 0)
    assert client.post(URL, files=wav(say(EN, "en"))).status_code == 429
    for body in ({"transcript": 5}, {}, {"transcript": "x" * 1001}):
        assert client.patch(f"{URL}/{made['id']}", json=body).status_code == 400


def test_other_sites_may_not_use_it(client, made) -> None:
    answer = client.post(URL, files=wav(say(EN, "en")), headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403 and answer.json()["error"]["key"] == "foreign_page"
