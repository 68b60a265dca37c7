"""The panel's engines: why each was chosen, what would be better, and switching to another one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.scripted_server import COMMAND, PAGE, ScriptedServer
from webui.ui.labels import text

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("script")]
Open = Callable[..., Page]
EARS = '[data-job="recognizer"]'
SELECT = "#fa-engine-recognizer"


def opened(open_page: Open, server: ScriptedServer, query: str = "", **options: object) -> Page:
    page = open_page(server.url + query, **options)
    page.wait_for_selector(".fa-fields select", state="attached")
    page.click(f"{EARS} summary")
    return page


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_says_why_what_is_missing_and_what_would_be_better(
    open_page: Open, server: ScriptedServer, lang: str
) -> None:
    page = opened(open_page, server, f"?lang={lang}")
    ears = page.locator(EARS)
    expect(ears).to_contain_text(text("why_embedded", lang))
    expect(ears).to_contain_text(text("lacks_environment", lang, engine="CosyVoice"))
    expect(ears.locator(".fa-better")).to_have_text(text("better_command", lang, engine="CosyVoice", command=COMMAND))


def test_those_that_cannot_run_here_are_shown_with_the_reason(open_page: Open, server: ScriptedServer) -> None:
    page = opened(open_page, server)
    expect(page.locator(SELECT)).to_be_enabled()
    assert page.locator(f"{SELECT} option").all_inner_texts() == ["Whisper", "SenseVoice", "SenseVoice (FunASR)"]
    assert page.locator(f"{SELECT} option:disabled").all_inner_texts() == ["SenseVoice (FunASR)"]
    expect(page.locator(f"{EARS} .fa-engine-lacks")).to_have_text(
        f"SenseVoice (FunASR): {text('lacks_gpu', engine='SenseVoice')}"
    )
    assert page.locator("#fa-engine-chat").count() == 0  # nothing to choose from


def test_switching_is_told_while_it_lasts_and_to_every_page(open_page: Open, server: ScriptedServer) -> None:
    server.script.switch_s = 0.8
    page, other = opened(open_page, server), opened(open_page, server)
    page.select_option(SELECT, "sensevoice")
    expect(page.locator(f"{EARS} .fa-engine-status")).to_have_text(text("engine_switching", name="SenseVoice"))
    expect(page.locator(SELECT)).to_be_disabled()
    for one in (page, other):
        expect(one.locator(f"{EARS} .fa-engine-name")).to_have_text("The other recognizer")
        expect(one.locator(EARS)).to_contain_text(text("why_switched"))
        expect(one.locator(SELECT)).to_have_value("sensevoice")
        expect(one.locator(SELECT)).to_be_enabled()
        expect(one.locator("#fa-voice option")).to_have_count(3)  # the new engine's voices, and the automatic one
        assert one.locator(EARS).get_attribute("open") is not None
    assert server.script.switched == [{"job": "recognizer", "name": "sensevoice"}]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ({"code": "model_unavailable", "message": "-", "values": {"name": "X"}}, text("model_unavailable", name="X")),
        ({"code": "of_a_plugin", "message": "The plugin's own sentence."}, "The plugin's own sentence."),
    ],
)
def test_a_failed_switch_is_one_sentence_and_keeps_the_old_engine(
    open_page: Open, server: ScriptedServer, error: dict[str, object], sentence: str
) -> None:
    server.script.switch_error = error
    page = opened(open_page, server, expect_faults=True)
    page.select_option(SELECT, "sensevoice")
    expect(page.locator(f"{EARS} .fa-engine-status")).to_have_text(sentence)
    expect(page.locator(SELECT)).to_have_value("whisper")
    expect(page.locator(SELECT)).to_be_enabled()


def test_where_it_is_not_allowed_the_reason_is_shown(open_page: Open, server: ScriptedServer) -> None:
    server.script.page = {**PAGE, "switching": False}
    page = opened(open_page, server)
    expect(page.locator(SELECT)).to_be_disabled()
    expect(page.locator(EARS)).to_contain_text(text("switching_off"))


def test_a_stand_in_is_told_unasked(open_page: Open, server: ScriptedServer) -> None:
    instead = {"why": ["why_stands_in", {"engine": "SenseVoice"}], "missing": ["model_unavailable", {"name": "X"}]}
    engines = [{**row, **instead} if row["job"] == "recognizer" else row for row in PAGE["engines"]]
    server.script.page = {**PAGE, "engines": engines}
    page = open_page(server.url)
    expect(page.locator(".fa-main")).to_contain_text(text("why_stands_in", engine="SenseVoice"))
    expect(page.locator(EARS)).to_contain_text(text("model_unavailable", name="X"))
    assert page.locator(EARS).get_attribute("open") is not None


def test_the_panel_holds_together_on_a_phone(open_page: Open, server: ScriptedServer) -> None:
    page = open_page(server.url, viewport={"width": 360, "height": 740})
    page.wait_for_selector(".fa-fields select", state="attached")
    page.click(".fa-open-panel")
    page.click(f"{EARS} summary")
    assert page.evaluate(
        "document.querySelector('.fa-panel').scrollWidth <= document.querySelector('.fa-panel').clientWidth"
    )
    expect(page.locator(SELECT)).to_be_visible()
