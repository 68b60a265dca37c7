"""The Speak tab in a real browser: its text, its takes and the manner, over an engine that plays a script."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.live_page import wait_for
from tests.browser.speak_studio import NO_CLONE, WORD_S, Studio, enter, studio_on
from webui.ui.labels import table

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
TWO = "Once upon a time there was a fox.\n\nIt lived alone at the far end of the wood."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with studio_on(tmp_path_factory.mktemp("voices")) as running:
        yield running


@pytest.fixture
def studio(server: Studio) -> Studio:
    server.fresh()
    return server


def opened(open_page: OpenPage, studio: Studio, query: str = "", **options: object) -> Page:
    return enter(open_page(studio.url + query, **options))


def speak(page: Page, text: str) -> None:
    page.fill("#sp-text", text)
    page.click(".sp-go")


def finished(page: Page, number: int = 0) -> None:
    expect(page.locator(".sp-take").nth(number)).to_have_attribute("data-state", "done")


def lit(take: Locator) -> int:
    """The number of the word that is said now, in a text of numbered words."""
    return int(take.locator(".sp-word.is-said").inner_text().strip("word."))


def test_a_text_is_heard_and_lit_while_it_is_made(open_page: OpenPage, studio: Studio) -> None:
    studio.synthesizer.hold = "lived"
    page = opened(open_page, studio)
    speak(page, TWO)
    take = page.locator(".sp-take")
    expect(take).to_have_class("sp-take fa-card is-playing")
    expect(take.locator(".sp-stage")).to_have_text("Paragraph 1 of 2")
    expect(take.locator(".sp-word.is-said")).to_have_text("fox.")
    assert take.locator(".sp-word").count() == 8, "the second paragraph is not made yet"
    assert take.locator("[data-format=wav]").is_disabled()

    studio.synthesizer.go_on.set()
    finished(page)
    expect(take.locator(".sp-word.is-said")).to_have_text("wood.")
    assert [p.inner_text() for p in take.locator(".sp-reading p").all()] == TWO.split("\n\n")
    expect(take).not_to_have_class("sp-take fa-card is-playing")


def test_a_stopped_take_goes_on_where_it_was(open_page: OpenPage, studio: Studio) -> None:
    studio.synthesizer.hold = "lived"
    page = opened(open_page, studio)
    speak(page, TWO)
    take = page.locator(".sp-take")
    expect(take.locator(".sp-word")).to_have_count(8)
    take.get_by_role("button", name="Stop").click()
    expect(take).to_have_attribute("data-state", "stopped")
    expect(take.locator(".sp-stage")).to_have_text("Stopped")
    assert not take.locator("[data-format=wav]").is_disabled(), "what is made can be saved"

    studio.synthesizer.go_on.set()
    take.get_by_role("button", name="Go on").click()
    finished(page)
    said = [request.text for request in studio.synthesizer.requests]
    assert sum("fox" in text for text in said) == 1, "what was made is not made again"
    assert take.locator(".sp-word").count() == len(TWO.split())


def test_the_words_are_clicked_to_hear_them(open_page: OpenPage, studio: Studio) -> None:
    page = opened(open_page, studio)
    speak(page, "One two three four five six seven eight nine ten.")
    finished(page)
    take = page.locator(".sp-take")
    take.get_by_role("button", name="Pause").click()
    take.locator(".sp-word", has_text="eight").click()
    expect(take.locator(".sp-word.is-said")).to_have_text(re.compile("eight|nine|ten"))
    take.get_by_role("button", name="Pause").click()
    stopped = float(take.locator("canvas").get_attribute("aria-valuenow") or 0)
    assert stopped >= round(7 * WORD_S)


def test_two_takes_are_flipped_at_the_same_place(open_page: OpenPage, studio: Studio) -> None:
    page = opened(open_page, studio)
    text = " ".join(f"word{i}" for i in range(48)) + "."
    speak(page, text)
    finished(page)
    page.locator("[data-voice=ben] label").click()
    page.locator(".sp-manner input[value=sad]").check(force=True)
    speak(page, text)
    finished(page)
    first, second = page.locator(".sp-take").nth(1), page.locator(".sp-take").nth(0)
    expect(page.locator(".sp-compare")).to_be_hidden()
    first.locator("[data-slot=a]").click()
    second.locator("[data-slot=b]").click()
    expect(page.locator(".sp-compare")).to_be_visible()

    second.get_by_role("button", name="Pause").click()
    first.locator(".sp-word", has_text="word8").click()
    before = lit(first)
    assert before >= 8
    page.keyboard.press("x")
    after = lit(second)
    assert before <= after <= before + 8, "it goes on at the same place"
    assert not first.locator(".sp-word.is-said").count(), "only one is heard"
    page.click(".sp-side[data-slot=a]")
    assert after <= lit(first) <= after + 8
    expect(page.locator(".sp-take.is-playing")).to_have_count(1)
    assert [r.style.name for r in studio.synthesizer.requests] == ["neutral", "neutral", "sad", "sad"]


def test_a_take_is_saved_in_every_form(open_page: OpenPage, studio: Studio) -> None:
    page = opened(open_page, studio)
    speak(page, TWO)
    finished(page)
    saves = page.locator(".sp-save")
    assert saves.all_inner_texts() == ["WAV", "MP3", "FLAC", "OGG", "SRT", "VTT"]
    for save in saves.all():
        form = save.get_attribute("data-format")
        with page.expect_download() as download:
            save.click()
        assert download.value.suggested_filename == f"1-anna.{form}"
        data = Path(download.value.path()).read_bytes()
        if form in ("srt", "vtt"):
            assert "far end of the wood" in data.decode()
        else:
            with av.open(io.BytesIO(data)) as file:
                assert float(file.duration or 0) / av.time_base == pytest.approx(18 * WORD_S + 0.4, abs=0.3)


def test_marks_are_put_in_at_the_cursor(open_page: OpenPage, studio: Studio) -> None:
    page = opened(open_page, studio)
    text = page.locator("#sp-text")
    text.fill("Ready then")
    text.evaluate("it => it.setSelectionRange(5, 5)")
    page.click("[data-mark=pause]")
    expect(text).to_have_value("Ready[pause 0.5] then")
    page.keyboard.type("2")
    expect(text).to_have_value("Ready[pause 2] then")

    text.evaluate("it => it.setSelectionRange(0, 5)")
    page.click("[data-mark=readings]")
    page.keyboard.type("R EH1 D IY0")
    expect(text).to_have_value("{Ready|R EH1 D IY0}[pause 2] then")

    text.evaluate("it => it.setSelectionRange(it.value.length - 4, it.value.length)")
    page.click(".sp-menu summary")
    page.locator(".sp-menu-list button", has_text="<strong>").click()
    expect(text).to_have_value("{Ready|R EH1 D IY0}[pause 2] <strong>then</strong>")
    page.keyboard.press("Control+z")
    expect(text).to_have_value("{Ready|R EH1 D IY0}[pause 2] then")

    page.click(".sp-menu summary")
    page.locator(".sp-menu-list button", has_text="[cough]").click(force=True)
    expect(page.locator(".sp-writing .sp-why")).to_contain_text("breath, laughter and stress")
    expect(text).to_have_value("{Ready|R EH1 D IY0}[pause 2] then")


def test_the_manner_reaches_the_engine_and_is_remembered(open_page: OpenPage, studio: Studio) -> None:
    page = opened(open_page, studio)
    page.locator("[data-voice=ben] label").click()
    page.locator(".sp-manner input[value=whisper]").check(force=True)
    for name, value in [("Strength", "0.5"), ("Pace", "1.2"), ("Pitch", "0.8"), ("Energy", "1.5"), ("Speed", "0.9")]:
        page.get_by_role("slider", name=name, exact=True).and_(page.locator(".sp-manner input")).fill(value)
    page.fill("#sp-instruction", "softly")
    page.fill("#sp-seed", "77")
    page.locator(".sp-composer-foot select").select_option("en")
    speak(page, "Quiet now.")
    finished(page)
    request = studio.synthesizer.requests[-1]
    style = request.style
    assert (style.name, style.strength, style.rate, style.pitch, style.energy) == ("whisper", 0.5, 1.2, 0.8, 1.5)
    assert (style.instruction, request.speed, request.seed, request.language) == ("softly", 0.9, 77, "en")
    assert request.voice.id == "ben"
    expect(page.locator(".sp-take-title")).to_contain_text("seed 77")

    page.reload()
    enter(page)
    expect(page.locator("[data-voice=ben] input")).to_be_checked()
    expect(page.locator("#sp-seed")).to_have_value("77")
    expect(page.locator("#sp-text")).to_have_value("Quiet now.")
    page.get_by_role("button", name="Throw the dice").click()
    assert page.locator("#sp-seed").input_value() != "77"
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("#sp-seed")).to_have_value("0")


def test_what_the_engine_lacks_says_why(open_page: OpenPage, studio: Studio) -> None:
    studio.synthesizer.capabilities = {"styles": "No.", "clone": NO_CLONE}
    page = opened(open_page, studio)
    words = table()["en"]
    for control, key in [("#sp-instruction", "instruction"), ("#sp-seed", "seed")]:
        expect(page.locator(control)).to_be_disabled()
        expect(page.locator(f"#sp-why-{key}")).to_have_text(words[f"cannot_synthesizer_{key}"])
    for name in ("pitch", "energy"):
        expect(page.locator(f"[aria-describedby=sp-why-{name}]")).to_be_disabled()
    expect(page.locator("#sp-why-style")).to_have_text(words["cannot_synthesizer_styles"])
    page.locator("[data-make=clone]").click(force=True)
    expect(page.locator(".sp-voices > .sp-why")).to_have_text(words["cannot_synthesizer_clone"])
    page.locator("[data-mode=recording]").click(force=True)
    expect(page.locator(".sp-composer > .sp-why")).to_have_text(words["cannot_synthesizer_convert"])
    speak(page, "Plainly said.")
    finished(page)


def test_what_goes_wrong_is_one_sentence(open_page: OpenPage, studio: Studio) -> None:
    page = opened(open_page, studio, expect_faults=True)
    page.click(".sp-go")
    expect(page.locator(".sp-composer .fa-note")).to_contain_text("write something first")
    speak(page, "Wait [pause 99] for it.")
    expect(page.locator(".sp-composer .fa-note")).to_be_visible()
    page.fill("#sp-text", "word " * 4001)
    expect(page.locator(".sp-go")).to_be_disabled()
    expect(page.locator(".sp-counter")).to_have_class("fa-num fa-quiet sp-counter is-over")

    studio.synthesizer.fail = True
    speak(page, "Hello there.")
    take = page.locator(".sp-take")
    expect(take).to_have_attribute("data-state", "failed")
    expect(take.locator(".fa-note")).to_have_text(
        "The connection to voice.example broke: try again, or look at its log."
    )
    studio.synthesizer.fail = False
    take.get_by_role("button", name="Go on").click()
    finished(page)
    expect(take.locator(".fa-note")).to_have_count(0)


def test_a_deleted_take_is_gone_from_the_server(open_page: OpenPage, studio: Studio) -> None:
    page = opened(open_page, studio, expect_faults=True)
    with page.expect_response("**/v1/speak/takes") as made:
        speak(page, "Hello there.")
    finished(page)
    address = f"{studio.url}v1/speak/takes/{made.value.json()['id']}/file"
    assert page.request.get(address).ok
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.get_by_role("button", name="Delete this take").click()
    expect(page.locator(".sp-empty")).to_be_visible()
    assert page.request.get(address).status == 404


def test_a_page_that_is_left_takes_its_takes_along(open_page: OpenPage, studio: Studio) -> None:
    page = opened(open_page, studio)
    with page.expect_response("**/v1/speak/takes") as made:
        speak(page, "Hello there.")
    finished(page)
    address = f"{studio.url}v1/speak/takes/{made.value.json()['id']}/file"
    page.goto("about:blank")
    wait_for(lambda: page.request.get(address).status == 404, page)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_fits_a_telephone_and_works_by_keyboard(open_page: OpenPage, studio: Studio, lang: str) -> None:
    page = opened(open_page, studio, f"?lang={lang}", viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator("#sp-text").press_sequentially("Hello there, fox.")
    page.keyboard.press("Control+Enter")
    finished(page)
    expect(page.locator(".sp-take")).to_be_in_viewport()
    page.keyboard.press("Escape")
    page.locator("[data-make=blend]").press("Enter")
    sheet = page.locator("dialog.sp-sheet")
    expect(sheet).to_be_visible()
    box = sheet.bounding_box()
    assert box and box["x"] >= 0 and box["width"] <= 360
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    missing = page.evaluate(
        "() => [...document.querySelectorAll('.sp-page [data-t]')].filter(it => /speak_/.test(it.textContent)).length"
    )
    assert missing == 0, "a label is not in the table"
