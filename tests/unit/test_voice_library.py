"""A library of voices: what is kept comes back, what is not right is refused in one sentence."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from tests.scripted import tone
from webui.types import Voice
from webui.voices import library as library_module
from webui.voices.library import VoiceLibrary
from webui.voices.saved import MAX_NAME, MAX_TAG, MAX_TAGS, Consent, SavedVoice, VoiceError, made
from webui.voices.voicefile import SUFFIX

CONSENT = Consent("Seven red boats.", "seven red boats", 0.0, 0.75, "2026-05-04T03:02:01+00:00", tone(0.5, 16000))
BLEND = (("af_heart", 0.75), ("zf_xiaobei", 0.25))


def cloned(name: str = "Åsa 王 👩‍🚀", **fields: object) -> SavedVoice:
    voice = Voice(
        "", name, ("zh", "en"), "female", "cloned", sample=tone(1.0, 44100), sample_text="你好", prosody="two"
    )
    return replace(made(voice, ["warm", "calm"], "cosyvoice", CONSENT), **fields)


def blend(name: str = "Mix") -> SavedVoice:
    return made(Voice("", name, ("en",), kind="blend", blend=BLEND), [], "kokoro", similarity=0.66)


@pytest.fixture
def library(tmp_path: Path) -> VoiceLibrary:
    return VoiceLibrary(tmp_path / "voices" / "home")


def test_a_cloned_voice_comes_back_with_its_clip_and_its_consent(library: VoiceLibrary) -> None:
    saved = cloned()
    library.save(saved)
    kept = library.get(saved.id)
    assert kept.voice == saved.voice
    assert (kept.id, kept.name, kept.tags, kept.created, kept.engine) == (
        kept.voice.id, "Åsa 王 👩‍🚀", ("warm", "calm"), saved.created, "cosyvoice",
    )  # fmt: skip
    assert kept.consent and kept.consent.recording and kept.voice.sample
    assert replace(kept.consent, recording=None).__dict__ == replace(CONSENT, recording=None).__dict__
    for sound, whole in ((kept.voice.sample, tone(1.0)), (kept.consent.recording, tone(0.5))):
        assert sound.rate == 24000
        assert len(sound.samples) == len(whole.samples)
        middle = slice(2400, -2400)  # resampling fades a tone that begins and ends abruptly
        assert np.abs(sound.samples - whole.samples)[middle].max() < 1e-3


def test_a_blend_comes_back_and_is_listed_without_sounds(library: VoiceLibrary) -> None:
    first, second = replace(cloned(), created="2026-01-01T00:00:00+00:00"), blend()
    library.save(first)
    library.save(second)
    newest, oldest = library.list()
    assert (newest.voice, newest.similarity, newest.consent) == (second.voice, 0.66, None)
    assert oldest.name == first.name
    assert oldest.voice.sample is None
    assert oldest.consent is not None and oldest.consent.recording is None


def test_names_and_tags_change_and_nothing_else(library: VoiceLibrary) -> None:
    saved = cloned()
    library.save(saved)
    before = library.get(saved.id)
    assert library.rename(saved.id, " Åsa\n the  second ").name == "Åsa the second"
    assert library.tag(saved.id, ["new", " new ", "", "two words"]).tags == ("new", "two words")
    after = library.get(saved.id)
    assert (after.name, after.voice.name, after.tags) == ("Åsa the second", "Åsa the second", ("new", "two words"))
    assert after.voice.sample and before.voice.sample
    assert np.array_equal(after.voice.sample.samples, before.voice.sample.samples)
    assert replace(after.voice, name="") == replace(before.voice, name="")


def test_an_exported_voice_is_another_one_when_it_is_imported(library: VoiceLibrary, tmp_path: Path) -> None:
    saved = cloned()
    library.save(saved)
    elsewhere = VoiceLibrary(tmp_path / "elsewhere")
    twins = [elsewhere.import_(library.export(saved.id)) for _ in range(2)]
    assert len({saved.id, *(twin.id for twin in twins)}) == 3
    assert {v.id for v in elsewhere.list()} == {twin.id for twin in twins}
    kept = elsewhere.get(twins[0].id)
    assert kept.consent and kept.consent.recording and kept.voice.sample
    assert (kept.name, kept.voice.id) == (saved.name, twins[0].id)


def test_a_deleted_voice_is_gone(library: VoiceLibrary, tmp_path: Path) -> None:
    saved = blend()
    library.save(saved)
    library.delete(saved.id)
    assert not library.list()
    assert not list((tmp_path / "voices" / "home").glob(f"*{SUFFIX}"))
    for ask in (library.get, library.export, library.delete, lambda i: library.rename(i, "x")):
        with pytest.raises(VoiceError) as refused:
            ask(saved.id)
        assert refused.value.key == "voice_missing"


@pytest.mark.parametrize("change", ["delete", "rename", "save"])
def test_the_next_write_clears_up_after_a_killed_one(library: VoiceLibrary, tmp_path: Path, change: str) -> None:
    saved = blend()
    library.save(saved)
    left = tmp_path / "voices" / "home" / ".aside"
    left.write_bytes(b"half a voice")
    {"delete": library.delete, "rename": lambda i: library.rename(i, "x"), "save": lambda _: library.save(blend())}[
        change
    ](saved.id)
    assert not left.exists()


@pytest.mark.parametrize("voice_id", ["", "..", "../home", "a" * 32 + "/..", "A" * 32, "0" * 31, "0" * 32 + "\n", "\0"])
def test_an_id_leads_nowhere_else(library: VoiceLibrary, tmp_path: Path, voice_id: str) -> None:
    (tmp_path / "voices").mkdir()
    (tmp_path / "voices" / f"x{SUFFIX}").write_bytes(b"")
    for ask in (library.get, library.export, library.delete, lambda i: library.tag(i, [])):
        with pytest.raises(VoiceError) as refused:
            ask(voice_id)
        assert refused.value.key == "voice_missing"
    assert [path.name for path in (tmp_path / "voices").iterdir()] == [f"x{SUFFIX}"]


@pytest.mark.parametrize(
    "name", ["", "  \n", "x" * (MAX_NAME + 1), "a\0b", "a\x1b[31m", "left\u202etfel", "\ud800", "\u200d\u200c"]
)
def test_a_name_is_one_short_line(library: VoiceLibrary, name: str) -> None:
    with pytest.raises(VoiceError) as refused:
        blend(name)
    assert refused.value.key == "voice_name"
    saved = blend()
    library.save(saved)
    with pytest.raises(VoiceError):
        library.rename(saved.id, name)
    assert library.get(saved.id).name == "Mix"


@pytest.mark.parametrize("tags", [["x" * (MAX_TAG + 1)], [str(n) for n in range(MAX_TAGS + 1)], ["a\0"]])
def test_tags_are_few_and_short(library: VoiceLibrary, tags: list[str]) -> None:
    saved = blend()
    library.save(saved)
    with pytest.raises(VoiceError) as refused:
        library.tag(saved.id, tags)
    assert refused.value.key == "voice_tags"


@pytest.mark.parametrize(
    ("shares", "key"),
    [
        ([0.5, 0.4], "blend_shares"),
        ([1.5, -0.5], "blend_shares"),
        ([float("nan"), 0.5], "blend_shares"),
        ([1 / 65] * 65, "blend_parts"),
    ],
)
def test_a_blend_is_whole(shares: list[float], key: str) -> None:
    with pytest.raises(VoiceError) as refused:
        made(Voice("", "Mix", ("en",), kind="blend", blend=tuple((str(i), s) for i, s in enumerate(shares))), [], "k")
    assert refused.value.key == key


def test_no_clone_is_kept_without_a_consent_that_is_asked_for(tmp_path: Path) -> None:
    saved = cloned(consent=None)
    with pytest.raises(VoiceError) as refused:
        VoiceLibrary(tmp_path / "asks").save(saved)
    assert refused.value.key == "consent_missing"
    asks_not = VoiceLibrary(tmp_path / "asks not", consent=False)
    asks_not.save(saved)
    assert asks_not.get(saved.id).consent is None
    with pytest.raises(VoiceError):
        VoiceLibrary(tmp_path / "asks").import_(asks_not.export(saved.id))
    assert not VoiceLibrary(tmp_path / "asks").list()


def test_a_full_library_takes_no_more(library: VoiceLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_module, "MAX_VOICES", 2)
    first = blend()
    library.save(first)
    library.save(blend())
    for add in (lambda: library.save(blend()), lambda: library.import_(library.export(first.id))):
        with pytest.raises(VoiceError) as refused:
            add()
        assert refused.value.key == "voices_full"
    library.rename(first.id, "still to be renamed")
    library.delete(first.id)
    library.save(blend())


def test_a_full_disk_takes_no_more_but_gives(library: VoiceLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = blend()
    library.save(saved)
    monkeypatch.setattr(library_module, "SPARE_BYTES", 1 << 62)
    with pytest.raises(VoiceError) as refused:
        library.rename(saved.id, "longer")
    assert refused.value.key == "voices_unwritable"
    library.delete(saved.id)
    assert not library.list()


def test_a_folder_that_is_none_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "voices").write_text("I am a file.")
    with pytest.raises(VoiceError) as refused:
        VoiceLibrary(tmp_path / "voices").save(blend())
    assert refused.value.key == "voices_unwritable"
    assert str(tmp_path) not in refused.value.message


def test_a_writer_that_never_ends_is_not_waited_for(
    library: VoiceLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_module, "PATIENCE_S", 0.05)
    saved = blend()
    library.save(saved)
    with FileLock(tmp_path / "voices" / "home" / ".lock"):
        with pytest.raises(VoiceError) as refused:
            library.rename(saved.id, "x")
        assert library.get(saved.id).name == "Mix", "reading waits for nobody"
    assert refused.value.key == "voices_busy"


def test_threads_of_one_process_take_turns(library: VoiceLibrary) -> None:
    saved = [blend(f"Voice {n}") for n in range(24)]
    threads = [threading.Thread(target=library.save, args=(voice,)) for voice in saved]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {v.id for v in library.list()} == {v.id for v in saved}


def test_files_that_are_no_voices_do_not_hide_the_others(
    library: VoiceLibrary, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    saved = blend()
    library.save(saved)
    damaged = tmp_path / "voices" / "home" / f"{'0' * 32}{SUFFIX}"
    damaged.write_bytes(library.export(saved.id)[:-30])
    assert [v.id for v in library.list()] == [saved.id]
    assert damaged.name in caplog.text
    with pytest.raises(VoiceError) as refused:
        library.get("0" * 32)
    assert refused.value.key == "voice_file_broken"
    library.delete("0" * 32)
    assert not damaged.exists()
