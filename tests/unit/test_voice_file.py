"""The file of a voice: everything in it may have been made to do harm."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scripted import tone
from tests.unit.test_voice_library import blend, cloned
from webui.errors import AudioError, UserError
from webui.types import Audio
from webui.voices.saved import VoiceError
from webui.voices.voicefile import MAX_BYTES, pack, peek, unpack

GOOD = pack(cloned())
BLEND = pack(blend())


def members(data: bytes = GOOD) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: Mapping[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def record(data: bytes = GOOD, /, **changed: Any) -> bytes:
    """The same file with other fields in its record."""
    files = members(data)
    told = {**json.loads(files["voice.json"]), **changed}
    return zipped({**files, "voice.json": json.dumps(told).encode()})


def flac(samples: Any, rate: int = 24000, form: str = "FLAC") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=form, subtype="PCM_16")
    return buffer.getvalue()


def clip(content: bytes) -> bytes:
    return zipped({**members(), "clip.flac": content})


def key_of(data: bytes) -> str:
    with pytest.raises(VoiceError) as refused:
        unpack(data)
    return refused.value.key


def test_the_files_of_these_tests_are_right_where_nothing_is_changed() -> None:
    assert unpack(record(GOOD)).voice == unpack(GOOD).voice
    assert unpack(clip(members()["clip.flac"])).voice.sample is not None
    assert sorted(members()) == ["clip.flac", "consent.flac", "voice.json"]
    assert list(members(BLEND)) == ["voice.json"]
    assert json.loads(members()["voice.json"])["format"] == 1


def test_a_newer_version_is_named_as_the_reason_whatever_else_is_in_it(tmp_path: Path) -> None:
    newer = zipped({"voice.json": b'{"format": 2, "soul": "x"}', "soul.bin": b"x"})
    assert key_of(newer) == "voice_newer"
    (tmp_path / "newer").write_bytes(newer)
    with pytest.raises(VoiceError) as refused:
        peek(tmp_path / "newer")
    assert refused.value.key == "voice_newer"


@pytest.mark.parametrize(
    "change",
    [
        {"format": 0},
        {"format": "1"},
        {"format": 1.5},
        {"format": True},
        {"format": None},
        {"id": "../../etc/passwd"},
        {"id": 7},
        {"created": "yesterday"},
        {"created": "2026-01-01T00:00:00+00:00; rm"},
        {"engine": "x" * 101},
        {"kind": "preset"},
        {"kind": "blend"},
        {"languages": "en"},
        {"languages": ["en"] * 201},
        {"gender": None},
        {"sample_text": "x" * 4001},
        {"similarity": float("nan")},
        {"similarity": 10**400},
        {"blend": [["af_heart", 1.0]]},
        {"consent": None},
        {"consent": {"sentence": "x"}},
        {"name": None},
        {"tags": [["x"]]},
        {"tags": ["x"] * 9},
    ],
)
def test_a_record_of_the_wrong_form_is_refused(change: dict[str, Any]) -> None:
    assert key_of(record(**change)) == "voice_file_broken"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"name": "x" * 61}, "voice_name"),
        ({"name": "\u202egnp.exe"}, "voice_name"),
        ({"tags": ["x" * 25]}, "voice_tags"),
        ({"blend": [["a", 0.5]]}, "blend_shares"),
        ({"blend": [["a", 1e308], ["b", -1e308]]}, "blend_shares"),
        ({"blend": []}, "voice_file_broken"),
        ({"blend": [["a", 1 / 65]] * 65}, "voice_file_broken"),
    ],
)
def test_names_tags_and_shares_are_checked_as_elsewhere(change: dict[str, Any], key: str) -> None:
    assert key_of(record(BLEND, **change)) == key


@pytest.mark.parametrize(
    "json_text",
    [
        b"", b"null", b"[]", b"{", b"\xff\xfe", b"[" * 60_000, b'{"format": ' + b"9" * 5000 + b"}", b"{}" + b" " * 70_000,
        b'{"format": 1}',
    ],
)  # fmt: skip
def test_a_record_that_is_none_is_refused(json_text: bytes) -> None:
    assert key_of(zipped({**members(), "voice.json": json_text})) in ("voice_file_broken", "voice_newer")


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "..\\evil", "voice.json/", "CLIP.FLAC"])
def test_nothing_but_the_three_files_is_taken(name: str) -> None:
    assert key_of(zipped({**members(), name: b"x"})) == "voice_file_broken"
    assert key_of(zipped({"voice.json": members()["voice.json"], name: members()["clip.flac"]})) == "voice_file_broken"


def test_a_name_that_comes_twice_is_refused() -> None:
    buffer = io.BytesIO(GOOD)
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("clip.flac", members()["clip.flac"])
    assert key_of(buffer.getvalue()) == "voice_file_broken"


@pytest.mark.parametrize("how", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_is_not_opened(how: int) -> None:
    bomb = zipped({**members(), "clip.flac": bytes(20_000_000)}, how)
    assert len(bomb) < 200_000
    assert key_of(bomb) == "voice_file_broken"


def test_a_directory_of_a_hundred_thousand_entries_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, 0, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = entry * 100_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 34464, 34464, len(directory), 0, 0)
    opened: list[object] = []
    monkeypatch.setattr(zipfile.ZipFile, "_RealGetContents", opened.append)
    assert key_of(directory + end) == "voice_file_broken"
    assert not opened


def test_a_large_file_is_refused_by_its_size() -> None:
    assert key_of(bytes(MAX_BYTES + 1)) == "voice_file_large"


def test_a_locked_archive_is_refused() -> None:
    data = bytearray(GOOD)
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.index(mark) + at] |= 1
    assert key_of(bytes(data)) == "voice_file_broken"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"fLaC",
        b"<html>not a sound</html>",
        flac(tone(0.5).samples, form="WAV"),
        flac(tone(0.5, 44100).samples, 44100),
        flac(np.stack([tone(0.5).samples] * 2, axis=1)),
        flac(np.zeros(0, np.float32)),
        flac(np.tile(tone(1.0).samples, 61)),
        flac(tone(0.5).samples)[:-400],
        members()["clip.flac"][:60],
    ],
)
def test_a_clip_that_is_no_short_flac_is_refused(content: bytes) -> None:
    assert key_of(clip(content)) == "voice_file_broken"


def test_ten_minutes_of_silence_are_small_and_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    long = flac(np.zeros(24000 * 600, np.float32))
    assert len(long) < 500_000
    asked: list[int] = []
    real: Callable[..., Any] = soundfile.SoundFile.read

    def read(self: Any, frames: int = -1, **options: Any) -> Any:
        asked.append(frames)
        return real(self, frames, **options)

    monkeypatch.setattr(soundfile.SoundFile, "read", read)
    assert key_of(clip(long)) == "voice_file_broken"
    assert asked == [60 * 24000 + 1]


@pytest.mark.parametrize(
    ("sound", "key"),
    [
        (tone(60.5), "clip_too_long"),
        (Audio(np.zeros(24000, np.float32), 24000), "silent"),
        (Audio(np.zeros(0, np.float32), 24000), "empty"),
    ],
)
def test_a_clip_that_is_no_use_is_not_kept(sound: Audio, key: str) -> None:
    saved = cloned()
    with pytest.raises(AudioError) as refused:
        pack(replace(saved, voice=replace(saved.voice, sample=sound)))
    assert refused.value.key == key


def disturbed(whole: bytes, data: st.DataObject) -> bytes:
    """Some bytes replaced, most of them near the ends, and perhaps the end cut off."""
    changed = bytearray(whole)
    last = len(changed) - 1
    places = st.one_of(st.integers(0, min(400, last)), st.integers(max(0, last - 400), last), st.integers(0, last))
    for at in data.draw(st.lists(places, min_size=1, max_size=6)):
        changed[at] = data.draw(st.integers(0, 255))
    return bytes(changed[: data.draw(st.one_of(st.just(len(changed)), st.integers(0, len(changed))))])


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_file_with_other_bytes_is_refused_in_a_sentence_or_still_a_voice(data: st.DataObject) -> None:
    refused_or_whole(disturbed(data.draw(st.sampled_from([GOOD, BLEND])), data))


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_so_is_one_with_other_bytes_in_a_file_inside(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(members())))
    refused_or_whole(zipped({**members(), name: disturbed(members()[name], data)}))


def refused_or_whole(file: bytes) -> None:
    try:
        saved = unpack(file)
        again = unpack(pack(saved.as_new()))
    except UserError:
        return
    assert again.name == saved.name


@given(st.binary(max_size=2000))
def test_any_bytes_are_refused_in_a_sentence(data: bytes) -> None:
    assert key_of(data) == "voice_file_broken"
