"""The Transcribe tab in a real browser, over a recognizer that keeps its own pace."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.browser.tabs import open_tab
from tests.paced import SENTENCES, PacedRecognizer
from tests.scripted import ScriptedEngines
from tests.waiting import wait_until

pytestmark = pytest.mark.browser
RATE = 16_000
OpenPage = Callable[..., Page]


class Served:
    """The page on a free port, its recognizer, the folder its uploads land in, and what the model store tells."""

    def __init__(
        self, url: str, recognizer: PacedRecognizer, uploads: Path, fetching: Callable[[str, int, int], object]
    ) -> None:
        self.url = url
        self.recognizer = recognizer
        self.uploads = uploads
        self.fetching = fetching


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    uploads = tmp_path_factory.mktemp("uploads")
    before = os.environ.get("GRADIO_TEMP_DIR")
    os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": str(uploads)}
    from webui.api.routes import Api
    from webui.config import Settings
    from webui.ui.context import PageContext
    from webui.ui.page import build_page, launch_options

    engines = ScriptedEngines(recognizer=PacedRecognizer())  # type: ignore[arg-type]
    context = PageContext(Settings(_env_file=None), engines)  # type: ignore[call-arg, arg-type]
    options = launch_options(context)
    options["app_kwargs"]["routes"] = Api(engines).routes()  # type: ignore[arg-type]
    page = build_page(context)
    _, url, _ = page.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False, **options)
    yield Served(url, engines.recognizer, uploads, engines.store.listener)  # type: ignore[arg-type]
    page.close(verbose=False)
    if before is None:
        del os.environ["GRADIO_TEMP_DIR"]
    else:
        os.environ["GRADIO_TEMP_DIR"] = before


@pytest.fixture
def served(server: Served) -> Served:
    """The server, at full speed and with nothing heard yet."""
    server.recognizer.seconds_each = 0.0
    server.recognizer.fail_after = None
    server.recognizer.loads = lambda: None
    for list_ in (server.recognizer.requests, server.recognizer.heard, server.recognizer.ended):
        list_.clear()
    return server


def recording(folder: Path, seconds: float, name: str = "talk.wav") -> Path:
    t = np.arange(round(seconds * RATE)) / RATE
    samples = 0.4 * np.sin(2 * np.pi * 180 * t) * np.abs(np.sin(2 * np.pi * t))
    soundfile.write(folder / name, samples.astype(np.float32), RATE)
    return folder / name


def opened(open_page: OpenPage, served: Served, **options: object) -> Page:
    page = open_tab(open_page(served.url, **options), "transcribe")
    page.wait_for_selector(".tr-drop")
    return page


def begin(page: Page, file: Path) -> None:
    page.set_input_files(".tr-drop input[type=file]", file)
    page.click(".tr-start")


def stage(page: Page, name: str) -> None:
    page.wait_for_selector(f"[data-stage={name}]", timeout=30_000)


def test_weights_that_are_fetched_at_first_use_are_told_of(open_page: OpenPage, served: Served, tmp_path: Path) -> None:
    here = threading.Event()

    def load() -> None:
        served.fetching("Whisper base", 42, 100)
        assert here.wait(30)

    page = opened(open_page, served)
    served.recognizer.loads = load
    begin(page, recording(tmp_path, 2))
    expect(page.locator(".tr-status-words")).to_have_text("Fetching the model Whisper base …42 %")
    expect(page.locator(".tr-status [role=progressbar]")).to_have_attribute("aria-valuenow", "42")
    page.click("text=中文")
    expect(page.locator(".tr-status-words")).to_contain_text("正在下载模型 Whisper base")
    here.set()
    stage(page, "done")


def test_a_recording_becomes_text_table_timeline_and_files(open_page: OpenPage, served: Served, tmp_path: Path) -> None:
    page = opened(open_page, served)
    page.select_option("#tr-language", "en")
    page.uncheck(".tr-check input")
    begin(page, recording(tmp_path, 45))
    stage(page, "done")

    assert (served.recognizer.requests[0].language, served.recognizer.requests[0].itn) == ("en", False)
    text = page.inner_text(".tr-text")
    for sentence, *_ in SENTENCES[:5]:
        assert sentence in text
    assert page.locator(".tr-text img, .tr-table img").count() == 0, "words are words, never markup"
    expect(page.locator(".tr-side")).to_contain_text("0:45")
    expect(page.locator(".tr-side")).to_contain_text("laughter")
    drawn = page.evaluate(
        "() => { const c = document.querySelector('.tr-wave');"
        " return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((value) => value > 0) }"
    )
    assert drawn

    page.get_by_role("button", name="Segments").click()
    rows = page.locator(".tr-table tbody tr")
    expect(rows).to_have_count(5)
    expect(rows.nth(1)).to_contain_text("happy")
    expect(rows.nth(1).locator(".tr-sure")).to_have_attribute("title", "47 % sure")

    files = {}
    for form, name in {
        "txt": "talk.txt", "srt": "talk.srt", "vtt": "talk.vtt", "json": "talk.json", "tagged": "talk.sensevoice.txt",
    }.items():  # fmt: skip
        with page.expect_download() as download:
            page.click(f"[data-format={form}]")
        assert download.value.suggested_filename == name
        files[form] = download.value.path().read_text("utf-8")
    assert "-->" in files["srt"] and files["vtt"].startswith("WEBVTT")
    assert [s["text"] for s in json.loads(files["json"])["segments"]] == [s[0] for s in SENTENCES[:5]]
    assert files["tagged"].startswith("<|en|><|SAD|><|Cry|><|woitn|>I failed")
    assert SENTENCES[0][0] in files["txt"]


def test_a_word_is_heard_where_it_is_clicked_and_lights_up(open_page: OpenPage, served: Served, tmp_path: Path) -> None:
    page = opened(open_page, served)
    begin(page, recording(tmp_path, 25))
    stage(page, "done")
    word = page.locator(".tr-word", has_text="laughed")
    start = float(word.get_attribute("data-start") or -1)
    assert 10 < start < 20
    word.click()
    page.wait_for_selector(".tr-word.is-said")
    page.wait_for_function("(s) => document.querySelector('.tr-timeline audio').currentTime > s", arg=start)
    assert page.evaluate("document.querySelector('.tr-timeline audio').paused") is False
    page.locator(".tr-play").click()
    assert page.evaluate("document.querySelector('.tr-timeline audio').paused") is True
    page.locator(".tr-wave").click(position={"x": 5, "y": 60})
    page.wait_for_function("document.querySelector('.tr-timeline audio').currentTime < 1")
    before = page.locator(".tr-scroll").is_visible()
    page.get_by_role("button", name="Zoom in").click()
    assert (before, page.locator(".tr-scroll").is_visible()) == (False, True)


def test_words_come_while_it_listens_and_cancel_keeps_them(open_page: OpenPage, served: Served, tmp_path: Path) -> None:
    served.recognizer.seconds_each = 0.5
    page = opened(open_page, served)
    begin(page, recording(tmp_path, 600))
    page.wait_for_selector(".tr-word >> text=sister")
    expect(page.locator(".tr-status")).to_contain_text(re.compile(r"Listening, .* of 10:00"))
    expect(page.locator(".tr-status")).to_contain_text("left")
    page.get_by_role("button", name="Cancel").click()
    stage(page, "stopped")
    expect(page.get_by_role("button", name="Transcribe", exact=True)).to_be_visible()
    expect(page.locator(".tr-text")).to_contain_text(SENTENCES[1][0])
    with page.expect_download() as download:
        page.click("[data-format=txt]")
    assert SENTENCES[1][0] in download.value.path().read_text("utf-8")
    wait_until(lambda: served.recognizer.ended == ["stopped"])
    heard = len(served.recognizer.heard)
    assert heard < 20
    begin(page, recording(tmp_path, 5, "again.wav"))
    stage(page, "done")
    expect(page.locator(".tr-text")).not_to_contain_text(SENTENCES[1][0])


def test_cancel_before_the_server_has_answered(open_page: OpenPage, served: Served, tmp_path: Path) -> None:
    served.recognizer.seconds_each = 0.5
    page = opened(open_page, served)
    page.evaluate(
        "() => new MutationObserver(() => { const at = document.querySelector('[data-stage=waiting] .tr-cancel');"
        " if (at && !window.stopped) { window.stopped = true; at.click(); } })"
        ".observe(document.body, { subtree: true, attributes: true })"
    )
    begin(page, recording(tmp_path, 600))
    page.wait_for_function("window.stopped")
    stage(page, "stopped")
    page.wait_for_timeout(1500)
    assert page.locator("[data-stage=stopped]").count() == 1
    assert len(served.recognizer.heard) <= 2


def test_closing_the_page_ends_the_work(open_page: OpenPage, served: Served, tmp_path: Path) -> None:
    served.recognizer.seconds_each = 0.5
    page = opened(open_page, served)
    begin(page, recording(tmp_path, 600))
    page.wait_for_selector(".tr-word")
    page.close()
    wait_until(lambda: served.recognizer.ended == ["stopped"])


def bad(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.wav"
    if kind == "silent":
        soundfile.write(path, np.zeros(RATE * 3, np.float32), RATE)
    elif kind == "playlist":
        path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "truncated":
        path = recording(folder, 25)
        path.write_bytes(path.read_bytes()[: 12 * RATE * 2])
    return path


@pytest.mark.parametrize(
    ("kind", "lang", "sentence"),
    [
        ("silent", "en-US", "The recording is silent: check the microphone and record again."),
        ("silent", "zh-CN", "录音没有声音：请检查麦克风后重录。"),
        ("playlist", "en-US", "That is not a sound file: choose WAV, MP3, FLAC, OGG, M4A or WebM."),
        ("empty", "en-US", "empty.wav is empty: choose another file."),
    ],
)
def test_what_cannot_be_heard_is_said_in_one_sentence(
    open_page: OpenPage, served: Served, tmp_path: Path, kind: str, lang: str, sentence: str
) -> None:
    page = opened(open_page, served, locale=lang)
    page.set_input_files(".tr-drop input[type=file]", bad(tmp_path, kind))
    if kind != "empty":  # known before it is sent
        page.click(".tr-start")
        stage(page, "failed")
    notes = page.locator(".tr-problems .fa-note")
    expect(notes).to_have_count(1)
    expect(notes).to_have_text(sentence)


def test_no_file_yet(open_page: OpenPage, served: Served) -> None:
    page = opened(open_page, served)
    page.click(".tr-start")
    expect(page.locator(".tr-problems")).to_have_text("There is no recording yet: record something or choose a file.")


def test_a_truncated_file_is_heard_as_far_as_it_goes(open_page: OpenPage, served: Served, tmp_path: Path) -> None:
    page = opened(open_page, served)
    begin(page, bad(tmp_path, "truncated"))
    stage(page, "done")
    expect(page.locator(".tr-problems")).to_contain_text("breaks off after")
    expect(page.locator(".tr-text")).to_contain_text(SENTENCES[1][0])


def test_an_engine_that_breaks_loses_nothing(open_page: OpenPage, served: Served, tmp_path: Path) -> None:
    served.recognizer.fail_after = 1
    page = opened(open_page, served)
    begin(page, recording(tmp_path, 25))
    stage(page, "failed")
    expect(page.locator(".tr-problems")).to_contain_text("Something went wrong")
    expect(page.locator(".tr-problems")).not_to_contain_text("Traceback")
    expect(page.locator(".tr-text")).to_contain_text(SENTENCES[0][0])


def test_a_hostile_name_is_only_a_name(open_page: OpenPage, served: Served, tmp_path: Path) -> None:
    page = opened(open_page, served)
    begin(page, recording(tmp_path, 5, "<img src=x onerror=document.title='hit'>&'\".wav"))
    stage(page, "done")
    expect(page.locator(".tr-name")).to_contain_text("<img src=x")
    assert page.locator(".tr-page img").count() == 0 and page.title() != "hit"
    page.locator(".tr-word").first.click()
    page.wait_for_selector(".tr-word.is-said")
    with page.expect_download() as download:
        page.click("[data-format=srt]")
    assert not set('<>:"/\\|?*') & set(download.value.suggested_filename)


def test_two_people_hear_only_their_own(open_page: OpenPage, served: Served, tmp_path: Path) -> None:
    served.recognizer.seconds_each = 0.2
    pages = [opened(open_page, served) for _ in range(2)]
    for page, seconds in zip(pages, (25, 45), strict=True):
        begin(page, recording(tmp_path, seconds, f"talk{seconds}.wav"))
    for page, seconds, sentences in zip(pages, (25, 45), (3, 5), strict=True):
        stage(page, "done")
        page.get_by_role("button", name="Segments").click()
        expect(page.locator(".tr-table tbody tr")).to_have_count(sentences)
        with page.expect_download() as download:
            page.click("[data-format=json]")
        assert download.value.suggested_filename == f"talk{seconds}.json"
        assert json.loads(download.value.path().read_text("utf-8"))["duration"] == pytest.approx(seconds, abs=0.01)


def test_the_microphone_is_recorded_and_played_back(open_page: OpenPage, served: Served) -> None:
    page = opened(open_page, served)
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_selector(".tr-level:visible")
    page.wait_for_timeout(1500)
    page.get_by_role("button", name=re.compile("^Stop")).click()
    expect(page.locator(".tr-name")).to_contain_text("recording")
    page.click(".tr-start")
    stage(page, "done")
    assert served.recognizer.heard[0].duration > 1
    copies = list(served.uploads.glob("listen-*.flac"))
    assert len(copies) == 1, "no browser seeks well in what MediaRecorder writes: it gets a copy"
    page.locator(".tr-word").first.click()
    page.wait_for_selector(".tr-word.is-said")
    begin(page, copies[0])
    wait_until(lambda: not copies[0].exists())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_whole(open_page: OpenPage, served: Served, tmp_path: Path, scheme: str) -> None:
    page = opened(open_page, served, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    begin(page, recording(tmp_path, 25, "a name that goes on and on and on until it does not fit any more.wav"))
    stage(page, "done")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="Segments").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
