"""The Speak tab on the real embedded engines: what is said is what was written, and a timbre is matched."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.browser.speak_studio import enter
from tests.engines.spoken import EN, RATE, say
from tests.reading import says
from tests.waiting import wait_for_server
from webui.audio.decode import decode
from webui.config import ROOT, Settings
from webui.engines.protocols import RecognitionRequest
from webui.engines.registry import Engines
from webui.engines.store import ModelStore
from webui.voices.watermark import detect

pytestmark = [pytest.mark.browser, pytest.mark.engine]
MADE_MS = 300_000  # two busy cores, and the first take waits for the model
TEXT = "The lights go down, and the hall grows quiet.\n\nThen a violin begins, [pause 0.8] far away."
PLAIN = "The lights go down, and the hall grows quiet. Then a violin begins, far away."


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The program as a person starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    voices = tmp_path_factory.mktemp("voices")
    command = [sys.executable, "webui.py", "--small", "--port", str(port), "--voices-dir", str(voices)]
    program = subprocess.Popen(command, cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for_server(program, url + "/healthz")
        yield url
    finally:
        program.terminate()
        program.wait(20)


@pytest.fixture
def page(open_page: Callable[..., Page], address: str) -> Page:
    return enter(open_page(address))


@pytest.fixture(scope="module")
def ears() -> Iterator[Engines]:
    """A recognizer of the test's own."""
    engines = Engines(Settings(small=True), ModelStore(Settings().models_dir))
    yield engines
    engines.close()


def test_a_proof_listened_take_says_what_was_written(page: Page, ears: Engines) -> None:
    page.fill("#sp-text", TEXT)
    page.get_by_label("Proof-listen").check()
    page.click(".sp-go")
    take = page.locator(".sp-take")
    expect(take).to_have_attribute("data-state", "done", timeout=MADE_MS)
    expect(take.locator(".sp-proof")).to_contain_text("pieces heard as written")
    expect(take.locator(".sp-reading p")).to_have_count(2)
    lit = page.evaluate("[...document.querySelectorAll('.sp-word')].map((word) => Number(word.dataset.start))")
    assert lit == sorted(lit) and len(lit) == len(PLAIN.split())
    for form in ("wav", "mp3", "ogg"):
        with page.expect_download() as download:
            take.locator(f"[data-format={form}]").click()
        sound = decode(Path(download.value.path()))
        heard = " ".join(part.text for part in ears.recognizer.transcribe(RecognitionRequest(sound)))
        assert says(heard, PLAIN), heard
        assert not detect(sound).found, "only cloned voices bear the watermark"


def test_every_language_of_the_engine_has_a_voice_that_is_heard(page: Page) -> None:
    page.locator(".sp-languages [data-language='']").click()
    for voice in ("af_heart", "zf_xiaobei", "jf_alpha"):
        card = page.locator(f"[data-voice={voice}] .sp-play")
        if not card.count():
            continue  # only the small set of voices could be had
        card.click()
        expect(card).to_have_class("sp-play is-playing", timeout=MADE_MS)
        card.click()
        expect(card).to_have_class("sp-play")


def test_a_timbre_is_matched_kept_and_spoken_with(page: Page, tmp_path: Path) -> None:
    clip = tmp_path / "voice.wav"
    soundfile.write(clip, say(EN, "en"), RATE)
    page.locator("[data-make=match]").click()
    sheet = page.locator("dialog.sp-sheet")
    page.set_input_files("dialog input[type=file]", clip)
    expect(sheet.locator(".sp-clip")).to_be_visible(timeout=MADE_MS)
    expect(page.locator("#sp-transcript")).to_have_count(0)  # no word of it is used
    onwards = sheet.locator(".sp-sheet-foot .is-primary")
    onwards.click()
    expect(sheet.locator("[role=progressbar]")).to_be_visible()
    expect(onwards).to_be_enabled(timeout=MADE_MS)
    shares = sheet.locator(".sp-shares li")
    assert shares.count() >= 1
    expect(sheet.locator(".sp-likeness")).to_contain_text("% alike")
    onwards.click()
    sheet.get_by_label("Name").fill("As I sound")
    sheet.get_by_role("button", name="Save the voice").click()
    card = page.locator(".sp-voice", has_text="As I sound")
    expect(card.locator("input")).to_be_checked()
    expect(card.locator(".sp-likeness")).to_contain_text("% alike")
    page.fill("#sp-text", "Do I sound like that?")
    page.click(".sp-go")
    expect(page.locator(".sp-take")).to_have_attribute("data-state", "done", timeout=MADE_MS)
