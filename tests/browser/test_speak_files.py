"""Recordings on the Speak tab: put into another voice, and asked whether they bear our watermark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.browser.speak_studio import Studio, drop, enter, studio_on
from webui.audio.decode import decode
from webui.config import ROOT
from webui.types import Audio
from webui.voices.watermark import watermark

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
CLIPS = ROOT / "assets" / "clips"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with studio_on(tmp_path_factory.mktemp("voices")) as running:
        yield running


@pytest.fixture
def studio(server: Studio) -> Studio:
    server.fresh()
    return server


def written(folder: Path, name: str, sound: Audio) -> Path:
    soundfile.write(folder / name, sound.samples, sound.rate)
    return folder / name


@pytest.fixture
def speech() -> Audio:
    """Some twelve seconds of it."""
    clips = [decode(path) for path in sorted(CLIPS.glob("*.wav"))]
    return Audio(np.concatenate([clip.samples for clip in clips]), clips[0].rate)


def test_a_file_is_asked_for_our_watermark(open_page: OpenPage, studio: Studio, speech: Audio, tmp_path: Path) -> None:
    page = enter(open_page(studio.url))
    page.click(".sp-detect summary")
    verdict = page.locator(".sp-detect .sp-verdict-card")
    page.set_input_files(".sp-detect input[type=file]", written(tmp_path, "plain.wav", speech))
    expect(verdict).to_have_class("sp-verdict-card is-clear", timeout=60_000)
    expect(verdict).to_contain_text("plain.wav")
    drop(page, ".sp-takes", written(tmp_path, "marked.flac", watermark(speech)))
    expect(verdict).to_contain_text("marked.flac", timeout=60_000)
    expect(verdict).to_have_class("sp-verdict-card is-found")


def test_what_is_no_sound_is_told_in_one_sentence(open_page: OpenPage, studio: Studio, tmp_path: Path) -> None:
    page = enter(open_page(studio.url, expect_faults=True))
    file = tmp_path / "words.txt"
    file.write_text("These are words.")
    drop(page, ".sp-text", file)
    expect(page.locator(".sp-detect .fa-note")).to_have_count(1)
    expect(page.locator(".sp-detect .sp-verdict-card")).to_have_count(0)
    (tmp_path / "empty.wav").touch()
    drop(page, ".sp-text", tmp_path / "empty.wav")
    expect(page.locator(".sp-detect .fa-note")).to_have_text("empty.wav is empty: choose another file.")


def test_a_recording_is_said_anew(open_page: OpenPage, studio: Studio, speech: Audio, tmp_path: Path) -> None:
    studio.synthesizer.capabilities["convert"] = True
    page = enter(open_page(studio.url))
    page.locator("[data-voice=ben] label").click()
    page.click("[data-mode=recording]")
    expect(page.locator("#sp-text")).to_be_hidden()
    page.set_input_files(".sp-converting input[type=file]", written(tmp_path, "mine.wav", speech))
    take = page.locator(".sp-take")
    expect(take).to_have_attribute("data-state", "done", timeout=60_000)
    expect(take.locator(".sp-take-title")).to_contain_text("Ben")
    expect(take.locator(".sp-take-title .fa-tag")).to_have_text("from a recording")
    with page.expect_download() as download:
        take.locator("[data-format=flac]").click()
    assert decode(Path(download.value.path())).duration == pytest.approx(speech.duration, abs=2.0)


def test_a_spoken_recording_is_taken_too(open_page: OpenPage, studio: Studio) -> None:
    studio.synthesizer.capabilities["convert"] = True
    page = enter(open_page(studio.url, expect_faults=True))
    page.click("[data-mode=recording]")
    page.locator(".sp-converting .sp-record").click()
    expect(page.locator(".sp-converting .sp-record")).to_have_text("Stop, 0:01")
    page.locator(".sp-converting .sp-record").click()
    # The microphone of these tests plays tones: the server heard them, and heard that nobody spoke.
    expect(page.locator(".sp-composer .fa-note")).to_contain_text("No words were heard")
