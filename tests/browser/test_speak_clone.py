"""A voice from a clip, step by step, on the Speak tab. What is heard is scripted; whose voice it is, is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.browser.conftest import chromium_path, flags
from tests.browser.speak_studio import Studio, enter, studio_on
from tests.engines.spoken import EN, RATE, say
from webui.audio.convert import resample
from webui.types import Audio, Segment

pytestmark = [pytest.mark.browser, pytest.mark.engine]
OpenPage = Callable[..., Page]
CHECKED_MS = 60_000
READ_MS = 4500  # as long as the sentence of the microphone takes


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with studio_on(tmp_path_factory.mktemp("voices")) as running:
        yield running


@pytest.fixture
def studio(server: Studio) -> Studio:
    server.fresh()
    server.synthesizer.capabilities["clone"] = True
    hears(server, EN)
    return server


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of a voice."""
    path = tmp_path_factory.mktemp("clip") / "voice.wav"
    soundfile.write(path, say(EN, "en"), RATE)
    return path


@pytest.fixture(scope="module")
def reader(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium whose microphone hears that voice, over and over."""
    microphone = tmp_path_factory.mktemp("reader") / "reader.wav"
    sound = resample(Audio(say(EN, "en"), RATE), 48_000)
    soundfile.write(microphone, np.pad(sound.samples, (0, 24_000)), sound.rate, subtype="PCM_16")
    browser = playwright.chromium.launch(executable_path=chromium_path(), args=flags(microphone))
    yield browser
    browser.close()


@pytest.fixture
def page(reader: Browser, studio: Studio) -> Iterator[Page]:
    context = reader.new_context(viewport={"width": 1280, "height": 800}, permissions=["microphone"], locale="en-US")
    page = context.new_page()
    page.goto(studio.url)
    yield enter(page)
    context.close()


def hears(studio: Studio, text: str) -> None:
    studio.engines.recognizer.segments[:] = [Segment(0, 4, text, "en", confidence=0.95)]


def give_clip(page: Page, clip: Path) -> None:
    page.set_input_files("dialog input[type=file]", clip)
    expect(page.locator("dialog .sp-clip")).to_be_visible(timeout=CHECKED_MS)


def read_aloud(page: Page) -> None:
    record = page.locator("dialog .sp-record")
    record.click()
    page.wait_for_timeout(READ_MS)
    record.click()
    expect(page.locator("dialog .sp-verdict-card")).to_be_visible(timeout=CHECKED_MS)


def test_a_voice_is_cloned_with_the_consent_of_whose_it_is(page: Page, studio: Studio, clip: Path) -> None:
    page.locator("[data-make=clone]").click()
    onwards = page.locator("dialog .sp-sheet-foot .is-primary")
    expect(page.locator("dialog .sp-steps li")).to_have_text(["1Clip", "2Consent", "3Name"])
    expect(onwards).to_be_disabled()
    hears(studio, "The trend to London leaves")
    give_clip(page, clip)
    kept, canvas = page.locator(".sp-kept").bounding_box(), page.locator(".sp-clip-canvas canvas").bounding_box()
    assert kept and canvas and 0 < kept["width"] <= canvas["width"] + 1
    assert page.locator("dialog .sp-findings li").count() >= 1
    page.locator("dialog .sp-play").click()
    expect(page.locator("dialog .sp-play")).to_have_class("sp-play is-playing")
    expect(page.locator("#sp-transcript")).to_have_value("The trend to London leaves")
    page.fill("#sp-transcript", EN)
    onwards.click()

    sentence = page.locator("dialog .sp-sentence")
    expect(sentence).not_to_be_empty()
    asked = sentence.inner_text()
    hears(studio, "Something else altogether was read.")
    read_aloud(page)
    expect(page.locator("dialog .sp-verdict-card")).to_have_class("sp-verdict-card is-not")
    expect(onwards).to_be_disabled()
    page.get_by_role("button", name="Another sentence").click()
    expect(sentence).not_to_have_text(asked)
    hears(studio, sentence.inner_text())
    read_aloud(page)
    expect(page.locator("dialog .sp-verdict-card")).to_have_class("sp-verdict-card is-ok")
    onwards.click()

    page.locator("dialog").get_by_label("Name").fill("My own voice")
    page.get_by_role("button", name="Save the voice").click()
    card = page.locator(".sp-voice", has_text="My own voice")
    expect(card.locator("input")).to_be_checked()
    expect(card.locator(".sp-voice-about")).to_have_text("English · clone")
    page.fill("#sp-text", "Is that me?")
    page.click(".sp-go")
    expect(page.locator(".sp-take")).to_have_attribute("data-state", "done")
    voice = studio.synthesizer.requests[-1].voice
    assert (voice.kind, voice.sample_text) == ("cloned", EN)
    assert voice.sample is not None and voice.sample.duration > 2


def test_a_clip_is_recorded_and_a_bad_one_says_why(page: Page, studio: Studio, tmp_path: Path) -> None:
    page.locator("[data-make=clone]").click()
    page.locator("dialog .sp-record").click()
    expect(page.locator("dialog .sp-level")).to_be_visible()
    page.wait_for_timeout(READ_MS)
    page.locator("dialog .sp-record").click()
    expect(page.locator("dialog .sp-clip")).to_be_visible(timeout=CHECKED_MS)
    expect(page.locator("#sp-transcript")).to_have_value(EN)

    noise = 0.1 * np.random.default_rng(1).standard_normal(4 * RATE)
    drowned = tmp_path / "drowned.wav"
    soundfile.write(drowned, say(EN, "en")[: 4 * RATE] + noise[: len(say(EN, "en"))], RATE)
    give_clip(page, drowned)
    expect(page.locator("dialog .sp-findings .is-bad").first).to_be_visible()
    expect(page.locator("dialog .sp-sheet-foot .is-primary")).to_be_disabled()

    tone = tmp_path / "tone.wav"
    soundfile.write(tone, 0.2 * np.sin(np.arange(4 * RATE) / 10), RATE)
    page.set_input_files("dialog input[type=file]", tone)
    expect(page.locator("dialog .sp-notice .fa-note")).to_be_visible(timeout=CHECKED_MS)
    expect(page.locator("dialog .sp-clip")).to_be_hidden()


def test_a_sheet_that_is_closed_forgets_its_clip_and_the_microphone(page: Page, studio: Studio, clip: Path) -> None:
    page.locator("[data-make=clone]").click()
    with page.expect_response("**/v1/speak/clips") as made:
        give_clip(page, clip)
    address = f"{studio.url}v1/speak/clips/{made.value.json()['id']}.wav"
    assert page.request.get(address).ok
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.keyboard.press("Escape")
    assert not page.request.get(address).ok
