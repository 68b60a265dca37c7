"""``/v1/voices``: who may see which voices, what is answered, and that bad requests get one sentence."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.scripted import ScriptedEngines, ScriptedSynthesizer, tone
from tests.unit.test_voice_library import CONSENT, blend, cloned
from webui.api.voices import VoiceRoutes
from webui.config import Settings
from webui.engines.choosing import JOBS, Choice, Sentence
from webui.engines.protocols import EngineInfo
from webui.errors import UserError
from webui.types import Audio, Voice
from webui.ui.labels import table
from webui.voices import library
from webui.voices.library import VoiceLibrary
from webui.voices.saved import Consent
from webui.voices.voicefile import MAX_BYTES, pack, unpack

HOME = "http://127.0.0.1:7860"
AWAY = "http://voices.example.org"
MINE, YOURS = {"X-FunAudio-Owner": "a" * 32}, {"X-FunAudio-Owner": "b-_9" * 16}
MIX = {"name": "Mix", "tags": ["soft"], "blend": [["one", 0.25], ["two", 0.75]], "prosody": "one", "similarity": 0.7}
ABLE = {"clone": True, "blend": True, "prosody": True}


@dataclass
class Speaks(ScriptedSynthesizer):
    capabilities: dict[str, bool | str] = field(default_factory=lambda: dict(ABLE))

    @property
    def info(self) -> EngineInfo:
        return replace(super().info, name="Speaker", capabilities=self.capabilities)

    def voices(self) -> list[Voice]:
        return [replace(voice, licence="CC0-1.0", gender="female") for voice in super().voices()]


class Clips:
    """Two clips: of one the consent was given."""

    def consented(self, clip_id: str) -> tuple[Audio, str, str, Consent | None]:
        if clip_id not in ("agreed", "asked"):
            raise UserError("no_file", "The file is not there any more: choose it again.")
        return tone(1.0), "你好", "zh", CONSENT if clip_id == "agreed" else None


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., Any]:
    @contextmanager
    def serving(url: str = HOME, able: dict[str, bool | str] = ABLE, **settings: Any) -> Iterator[TestClient]:
        engines = ScriptedEngines(
            synthesizer=Speaks(capabilities=able),
            choices=tuple(Choice(job, "speaker", Sentence("why_asked")) for job in JOBS),
            settings=Settings(_env_file=None, voices_dir=tmp_path / "voices", **settings),
        )
        with TestClient(Starlette(routes=VoiceRoutes(engines, Clips()).routes()), url) as client:
            yield client

    return serving


@pytest.fixture
def client(serve: Callable[..., Any]) -> Iterator[TestClient]:
    with serve() as made:
        yield made


def voices(client: TestClient, headers: dict[str, str] | None = None) -> list[dict[str, Any]]:
    return client.get("/v1/voices", headers=headers).json()["voices"]


def bring(client: TestClient, data: bytes, **more: Any) -> Any:
    return client.post("/v1/voices/import", files={"file": ("a.voice", data)}, **more)


def refusal(answer: Any, status: int, key: str) -> dict[str, Any]:
    """The error, whose key has a sentence in every language."""
    error = answer.json()["error"]
    assert (answer.status_code, error["key"]) == (status, key)
    assert sorted(error) == ["key", "message", "values"]
    for words in table().values():
        assert words[key].format(**error["values"])
    return error


def test_a_blend_is_saved_listed_renamed_and_deleted(client: TestClient, tmp_path: Path) -> None:
    assert voices(client) == []
    made = client.post("/v1/voices", json=MIX)
    assert made.status_code == 201
    assert made.json() == {
        "id": made.json()["id"],
        "name": "Mix",
        "languages": ["zh", "en"],
        "gender": "female",
        "kind": "blend",
        "licence": "CC0-1.0",
        "tags": ["soft"],
        "saved": True,
        "similarity": 0.7,
    }
    assert voices(client) == [made.json()]
    kept = VoiceLibrary(tmp_path / "voices" / "home").get(made.json()["id"])
    assert (kept.engine, kept.voice.blend, kept.voice.prosody) == ("speaker", (("one", 0.25), ("two", 0.75)), "one")
    url = f"/v1/voices/{kept.id}"
    changed = client.patch(url, json={"name": "Other", "tags": []})
    assert (changed.status_code, changed.json()) == (200, {**made.json(), "name": "Other", "tags": []})
    assert client.patch(url, json={"tags": ["x"]}).json()["name"] == "Other"
    assert client.patch(url, json={}).json()["tags"] == ["x"]
    assert client.delete(url).status_code == 204
    assert voices(client) == []
    refusal(client.delete(url), 404, "voice_missing")


def test_a_cloned_voice_keeps_its_clip_and_its_consent(client: TestClient, tmp_path: Path) -> None:
    made = client.post("/v1/voices", json={"name": "Me", "clip": "agreed"})
    assert made.status_code == 201
    assert (made.json()["kind"], made.json()["languages"]) == ("cloned", ["zh", "en"])
    kept = VoiceLibrary(tmp_path / "voices" / "home").get(made.json()["id"])
    assert kept.voice.sample and kept.voice.sample_text == "你好"
    assert kept.consent and kept.consent.recording and kept.consent.sentence == CONSENT.sentence


def test_a_clip_without_consent_is_kept_only_where_none_is_asked_for(
    client: TestClient, serve: Callable[..., Any]
) -> None:
    asked = {"name": "Me", "clip": "asked"}
    refusal(client.post("/v1/voices", json=asked), 400, "consent_missing")
    with serve(consent=False) as free:
        assert free.post("/v1/voices", json=asked).status_code == 201
        exported = free.get(f"/v1/voices/{voices(free)[0]['id']}/export").content
    refusal(bring(client, exported), 400, "consent_missing")


@pytest.mark.parametrize(
    ("asked", "status", "key"),
    [
        ({"name": "Me", "clip": "gone"}, 400, "no_file"),
        ({"name": "Me"}, 400, "voice_made_of"),
        ({"name": "Me", "blend": []}, 400, "voice_made_of"),
        ({**MIX, "clip": "agreed"}, 400, "voice_made_of"),
        ({**MIX, "name": " "}, 400, "voice_name"),
        ({**MIX, "name": "x" * 61}, 400, "voice_name"),
        ({**MIX, "tags": ["x" * 25]}, 400, "voice_tags"),
        ({**MIX, "blend": [["one", 0.5]]}, 400, "blend_shares"),
        ({**MIX, "blend": [["nobody", 1.0]]}, 404, "voice_missing"),
        ({**MIX, "prosody": "nobody"}, 404, "voice_missing"),
        ({**MIX, "name": None}, 400, "speak_field"),
        ({**MIX, "name": "\ud800"}, 400, "voice_name"),
        ({**MIX, "tags": "soft"}, 400, "speak_field"),
        ({**MIX, "similarity": 2}, 400, "speak_field"),
        ({**MIX, "blend": [["one", float("inf")]]}, 400, "speak_field"),
        ({**MIX, "blend": [["one", 0.01]] * 100}, 400, "speak_field"),
        ([MIX], 400, "malformed_event"),
        ("[" * 60_000, 400, "malformed_event"),
        ({**MIX, "more": "x" * 70_000}, 413, "upload_too_large"),
    ],
)
def test_what_cannot_be_saved_is_said_in_a_sentence(client: TestClient, asked: Any, status: int, key: str) -> None:
    body = asked if isinstance(asked, str) else json.dumps(asked)
    refusal(client.post("/v1/voices", content=body), status, key)
    assert voices(client) == []


@pytest.mark.parametrize(
    ("asked", "lacks"), [({"name": "Me", "clip": "agreed"}, "clone"), (MIX, "blend"), (MIX, "prosody")]
)
def test_an_engine_that_cannot_is_not_given_what_it_cannot(serve: Callable[..., Any], asked: Any, lacks: str) -> None:
    with serve(able={**ABLE, lacks: "It has no throat."}) as client:
        error = refusal(client.post("/v1/voices", json=asked), 409, f"cannot_synthesizer_{lacks}")
        assert error["message"] == "It has no throat."
        assert voices(client) == []


def test_a_change_that_is_half_wrong_changes_nothing(client: TestClient) -> None:
    made = client.post("/v1/voices", json=MIX).json()
    refusal(
        client.patch(f"/v1/voices/{made['id']}", json={"name": "New", "tags": ["x"] * 9 + list("abcdefgh")}),
        400,
        "voice_tags",
    )
    refusal(client.patch(f"/v1/voices/{made['id']}", json={"name": 7}), 400, "speak_field")
    assert voices(client) == [made]


@pytest.mark.parametrize("voice_id", ["nobody", "0" * 32, "..%5c..%5cetc", "%00", "%2e%2e"])
def test_a_voice_that_is_not_there(client: TestClient, voice_id: str) -> None:
    url = f"/v1/voices/{voice_id}"
    refusal(client.delete(url), 404, "voice_missing")
    refusal(client.patch(url, json={"name": "x"}), 404, "voice_missing")
    refusal(client.get(f"{url}/export"), 404, "voice_missing")


def test_a_voice_travels_as_a_file(client: TestClient, serve: Callable[..., Any]) -> None:
    voice = bring(client, pack(cloned('Åsa/"王"\\..'))).json()
    assert (voice["name"], voice["tags"], voice["kind"]) == ('Åsa/"王"\\..', ["warm", "calm"], "cloned")
    exported = client.get(f"/v1/voices/{voice['id']}/export")
    disposition = exported.headers["content-disposition"]
    assert disposition.isascii()
    assert unquote(disposition) == "attachment; filename*=UTF-8''Åsa/\"王\"\\...voice"
    assert '"' not in disposition and "/" not in disposition
    with serve(AWAY) as other:
        twin = bring(other, exported.content, headers=MINE)
        assert twin.status_code == 201
        assert {**twin.json(), "id": voice["id"]} == voice
        there = unpack(other.get(f"/v1/voices/{twin.json()['id']}/export", headers=MINE).content)
    assert there.consent and there.consent.recording and there.voice.sample


def test_what_is_no_voice_file_is_said_in_a_sentence(client: TestClient) -> None:
    refusal(bring(client, b"no voice"), 400, "voice_file_broken")
    refusal(bring(client, b""), 400, "voice_file_broken")
    refusal(bring(client, bytes(MAX_BYTES + 1)), 400, "voice_file_large")
    refusal(bring(client, bytes(MAX_BYTES + 100_000)), 413, "upload_too_large")
    refusal(client.post("/v1/voices/import", data={"file": "text"}), 400, "file_missing")
    refusal(
        client.post("/v1/voices/import", content=b"x", headers={"content-type": "multipart/form-data"}),
        400,
        "form_broken",
    )
    two = [("file", ("a", io.BytesIO(b"x"))), ("file", ("b", io.BytesIO(b"x")))]
    refusal(client.post("/v1/voices/import", files=two), 400, "form_broken")
    assert voices(client) == []


def test_a_full_library_is_a_conflict(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "MAX_VOICES", 1)
    client.post("/v1/voices", json=MIX)
    refusal(client.post("/v1/voices", json=MIX), 409, "voices_full")
    refusal(bring(client, pack(blend())), 409, "voices_full")


def test_each_browser_elsewhere_has_its_own_voices(serve: Callable[..., Any], tmp_path: Path) -> None:
    with serve(AWAY) as client:
        mine = client.post("/v1/voices", json=MIX, headers=MINE).json()
        url = f"/v1/voices/{mine['id']}"
        assert voices(client, YOURS) == []
        refusal(client.patch(url, json={"name": "Mine"}, headers=YOURS), 404, "voice_missing")
        refusal(client.get(f"{url}/export", headers=YOURS), 404, "voice_missing")
        refusal(client.delete(url, headers=YOURS), 404, "voice_missing")
        assert voices(client, MINE) == [mine]
    with serve(HOME) as home:
        assert voices(home, MINE) == [], "at home, a header changes nothing"
    (folder,) = (tmp_path / "voices").iterdir()
    assert MINE["X-FunAudio-Owner"] not in folder.name
    assert len(folder.name) == 64
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "headers", [{}, *({"X-FunAudio-Owner": bad} for bad in ("a" * 31, "a" * 65, "../" * 12, "home", "a" * 31 + " "))]
)
def test_who_does_not_say_whose_voices_gets_a_sentence(serve: Callable[..., Any], headers: dict[str, str]) -> None:
    with serve(AWAY) as client:
        refusal(client.get("/v1/voices", headers=headers), 400, "owner_missing")
        refusal(client.post("/v1/voices", json=MIX, headers=headers), 400, "owner_missing")
        refusal(bring(client, pack(blend()), headers=headers), 400, "owner_missing")
        refusal(client.get(f"/v1/voices/{'0' * 32}/export", headers=headers), 400, "owner_missing")


@pytest.mark.parametrize(
    ("url", "settings", "own"),
    [
        (HOME, {}, False),
        ("http://localhost:7860", {}, False),
        ("http://[::1]:7860", {"host": "::1"}, False),
        (AWAY, {}, True),
        ("http://192.168.1.7:7860", {}, True),
        (HOME, {"host": "0.0.0.0"}, True),
        (HOME, {"share": True}, True),
    ],
)
def test_there_is_one_library_only_where_nobody_else_can_come(
    serve: Callable[..., Any], url: str, settings: dict[str, Any], own: bool
) -> None:
    with serve(url, **settings) as client:
        assert client.get("/v1/voices").status_code == (400 if own else 200)
        assert client.get("/v1/voices", headers=MINE).status_code == 200


def test_a_page_of_another_site_is_refused(client: TestClient) -> None:
    voice_id = client.post("/v1/voices", json=MIX).json()["id"]
    foreign = {"origin": "https://evil.example"}
    url = f"/v1/voices/{voice_id}"
    refusal(client.get("/v1/voices", headers=foreign), 403, "foreign_page")
    refusal(client.post("/v1/voices", json=MIX, headers=foreign), 403, "foreign_page")
    refusal(bring(client, pack(blend()), headers=foreign), 403, "foreign_page")
    refusal(client.patch(url, json={"name": "x"}, headers=foreign), 403, "foreign_page")
    refusal(client.get(f"{url}/export", headers=foreign), 403, "foreign_page")
    refusal(client.delete(url, headers=foreign), 403, "foreign_page")
    assert [voice["name"] for voice in voices(client)] == ["Mix"]
    assert client.get("/v1/voices", headers={"origin": HOME}).status_code == 200


def test_a_page_of_another_site_under_a_name_that_leads_here_finds_nothing(serve: Callable[..., Any]) -> None:
    with serve(HOME) as home:
        home.post("/v1/voices", json=MIX)
    with serve("http://evil.example:7860") as rebound:
        refusal(rebound.get("/v1/voices", headers={"origin": "http://evil.example:7860"}), 400, "owner_missing")
        assert voices(rebound, MINE) == []
