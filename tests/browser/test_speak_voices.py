"""The voices of the Speak tab: heard, designed, kept, changed, taken home and brought back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.speak_studio import Studio, enter, studio_on
from webui.ui.labels import table

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with studio_on(tmp_path_factory.mktemp("voices")) as running:
        yield running


@pytest.fixture
def page(open_page: OpenPage, server: Studio) -> Page:
    server.fresh()
    return enter(open_page(server.url))


def test_a_voice_is_heard_by_a_sentence_of_its_language(page: Page, server: Studio) -> None:
    page.locator(".sp-languages [data-language='']").click()
    listen = page.locator("[data-voice=li] .sp-play")
    listen.click()
    expect(listen).to_have_class("sp-play is-playing")
    expect(listen).to_have_class("sp-play")
    listen.click()
    expect(listen).to_have_class("sp-play is-playing")
    asked = server.synthesizer.requests  # the second time it is still there
    assert {(request.voice.id, request.language) for request in asked} == {("li", "zh")}
    assert "".join(request.text for request in asked) == table()["en"]["speak_sample_zh"]
    expect(page.locator(".sp-take")).to_have_count(0)


def test_voices_are_found_by_language_kind_and_name(page: Page) -> None:
    names = page.locator(".sp-voice-name")
    expect(names).to_have_text(["Anna", "Ben"])
    page.locator("[data-language=zh]").click()
    expect(names).to_have_text(["Li"])
    page.locator(".sp-languages [data-language='']").click()
    page.fill(".sp-search input", "be")
    expect(names).to_have_text(["Ben"])
    page.locator(".sp-filter select").select_option("cloned")
    expect(names).to_have_count(0)
    expect(page.locator(".sp-nothing")).to_be_visible()


def design(page: Page, name: str) -> None:
    page.locator("[data-make=blend]").click()
    sheet = page.locator("dialog.sp-sheet")
    sheet.get_by_role("slider").first.fill("75")
    sheet.get_by_role("slider").nth(1).fill("25")
    expect(sheet.locator("output")).to_have_text(["75 %", "25 %"])
    sheet.get_by_label("Melody of").select_option("li")
    sheet.get_by_label("Name").fill(name)
    sheet.get_by_label("Tags").fill("warm, night")
    sheet.get_by_role("button", name="Save the voice").click()
    expect(sheet).to_have_count(0)


def test_a_designed_voice_is_heard_kept_and_spoken_with(page: Page, server: Studio) -> None:
    page.locator("[data-make=blend]").click()
    page.locator("dialog .sp-play").click()
    expect(page.locator("dialog .sp-play")).to_have_class("sp-play is-large is-playing")
    assert server.synthesizer.requests[-1].voice.blend == (("anna", 0.5), ("ben", 0.5))
    page.keyboard.press("Escape")

    design(page, "Evening")
    card = page.locator(".sp-voice", has_text="Evening")
    expect(card.locator("input")).to_be_checked()
    expect(card.locator(".fa-tag")).to_have_text(["warm", "night"])
    page.fill("#sp-text", "Good night.")
    page.click(".sp-go")
    expect(page.locator(".sp-take")).to_have_attribute("data-state", "done")
    voice = server.synthesizer.requests[-1].voice
    assert voice.blend == (("anna", 0.75), ("ben", 0.25))
    assert voice.prosody == "li"
    page.reload()
    expect(enter(page).locator(".sp-voice", has_text="Evening").locator("input")).to_be_checked()


def test_a_voice_is_renamed_taken_home_deleted_and_brought_back(page: Page, tmp_path: Path) -> None:
    design(page, "First name")
    page.locator(".sp-voice", has_text="First name").get_by_role("button", name="Your voice").click()
    sheet = page.locator("dialog.sp-sheet")
    sheet.get_by_label("Name").fill("Second name")
    sheet.get_by_label("Tags").fill("cold")
    sheet.get_by_role("button", name="Save").click()
    card = page.locator(".sp-voice", has_text="Second name")
    expect(card.locator(".fa-tag")).to_have_text(["cold"])

    card.get_by_role("button", name="Your voice").click()
    with page.expect_download() as download:
        sheet.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == "Second name.voice"
    file = tmp_path / "kept.voice"
    download.value.save_as(file)
    sheet.get_by_role("button", name="Delete").click()
    expect(card).to_have_count(1)  # it asks first
    sheet.get_by_role("button", name="Delete it for good?").click()
    expect(card).to_have_count(0)

    page.set_input_files(".sp-voices input[type=file]", file)
    expect(card.locator("input")).to_be_checked()


def test_what_is_no_voice_is_told_in_one_sentence(open_page: OpenPage, server: Studio, tmp_path: Path) -> None:
    server.fresh()
    page = enter(open_page(server.url, expect_faults=True))
    file = tmp_path / "no.voice"
    file.write_text("nothing")
    page.set_input_files(".sp-voices input[type=file]", file)
    expect(page.locator(".sp-voices .fa-note")).to_have_count(1)
    page.locator("[data-make=blend]").click()
    page.get_by_role("button", name="Save the voice").click()
    expect(page.locator("dialog .fa-note")).to_have_text("Give the voice a name of 1 to 60 characters.")
