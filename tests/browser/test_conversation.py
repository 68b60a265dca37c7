"""The product itself: real small models behind the page, a person's voice as the microphone, sound coming back."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Page, Playwright

from tests.browser.conftest import chromium_path, flags
from tests.reading import says
from tests.waiting import wait_for_server
from webui.audio.convert import resample
from webui.audio.decode import decode
from webui.config import ROOT, Settings
from webui.engines.protocols import RecognitionRequest
from webui.engines.registry import Engines
from webui.engines.store import ModelStore
from webui.text.script import language_of
from webui.types import Audio

pytestmark = [pytest.mark.browser, pytest.mark.engine]

CLIPS = ROOT / "assets" / "clips"
REPLY_MS = 120_000  # two busy cores, and the first turn may wait for the models


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The program as a person starts it, with the smaller model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = subprocess.Popen([sys.executable, "webui.py", "--small", "--port", str(port)], cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for_server(program, url + "/healthz")
        yield url
    finally:
        program.terminate()
        program.wait(20)


@pytest.fixture(scope="module")
def ears() -> Iterator[Engines]:
    """A recognizer of the test's own, to hear what the page said."""
    engines = Engines(Settings(small=True), ModelStore(Settings().models_dir))
    yield engines
    engines.close()


@contextmanager
def browser_with(playwright: Playwright, clip: Path, folder: Path) -> Iterator[Browser]:
    """A Chromium whose microphone plays ``clip`` and then a minute of silence, over and over."""
    audio = resample(decode(clip), 48000)
    quiet = np.zeros(60 * audio.rate, np.float32)
    microphone = folder / f"{clip.stem}.wav"
    soundfile.write(
        microphone, np.concatenate([quiet[: audio.rate // 4], audio.samples, quiet]), audio.rate, subtype="PCM_16"
    )
    browser = playwright.chromium.launch(executable_path=chromium_path(), args=flags(microphone))
    yield browser
    browser.close()


def listen(page: Page) -> list[dict[str, Any]]:
    """Every event the server sends this page from now on."""
    events: list[dict[str, Any]] = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda frame: events.append(json.loads(frame))))
    return events


def of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] == kind]


def wait_for(page: Page, events: list[dict[str, Any]], kind: str, count: int = 1) -> None:
    end = time.monotonic() + REPLY_MS / 1000
    while len(of(events, kind)) < count:
        assert time.monotonic() < end, f"no {kind} came; errors: {of(events, 'error')}"
        page.wait_for_timeout(100)


def ask_aloud(page: Page, seconds: float) -> None:
    button = page.locator(".fa-talk-button")
    button.click()
    page.wait_for_selector('.fa-dock[data-state="recording"]')
    page.wait_for_timeout(seconds * 1000)
    button.click()


def letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def reply_sound(events: list[dict[str, Any]]) -> Audio:
    pcm = b"".join(base64.b64decode(e["delta"]) for e in of(events, "response.output_audio.delta"))
    return Audio((np.frombuffer(pcm, "<i2") / 32768).astype(np.float32), 24000)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_person_speaks_and_hears_an_answer(
    language: str, address: str, playwright: Playwright, ears: Engines, tmp_path: Path
) -> None:
    clip = CLIPS / f"{language}_question.wav"
    said = next(c for c in json.loads((CLIPS / "clips.json").read_text("utf-8")) if c["file"] == clip.name)["text"]
    limit = 0.10 if language == "en" else 0.15
    with browser_with(playwright, clip, tmp_path) as browser:
        for _ in range(2):  # Chromium's microphone of a file loses sound where other programs take the machine
            page = browser.new_page()
            events = listen(page)
            page.goto(address)
            wait_for(page, events, "session.created")
            ask_aloud(page, decode(clip).duration + 1.0)
            wait_for(page, events, "response.done")
            page.wait_for_timeout(300)
            assert of(events, "response.done")[0]["response"]["status"] == "completed", of(events, "error")
            heard = of(events, "conversation.item.input_audio_transcription.completed")[0]
            errors = jiwer.cer(letters(said), letters(heard["transcript"]))
            if errors <= limit:
                break
        assert errors <= limit, heard["transcript"]
        assert heard["funaudio"]["language"] == language
        reply = of(events, "response.output_audio_transcript.done")[0]["transcript"]
        assert language_of(reply) == language

        turn = page.locator(".fa-turn").first
        assert heard["transcript"] in turn.inner_text()
        assert letters(reply) in letters(turn.inner_text())
        assert turn.locator(".fa-emotion").count() >= 1
        assert turn.locator(".fa-latency").is_visible()

        again = "".join(
            s.text for s in ears.recognizer.transcribe(RecognitionRequest(reply_sound(events), language=language))
        )
        assert says(again, reply), (reply, again)


def test_two_people_at_once_hear_only_their_own_answers(address: str, playwright: Playwright, tmp_path: Path) -> None:
    with browser_with(playwright, CLIPS / "en_question.wav", tmp_path) as browser:
        pages = [browser.new_context(permissions=["microphone"]).new_page() for _ in range(2)]
        questions = ["What is the capital of France?", "What is the capital of Japan?"]
        heard = [listen(page) for page in pages]
        for page, events in zip(pages, heard, strict=True):
            page.goto(address)
            wait_for(page, events, "session.created")
        for page, question in zip(pages, questions, strict=True):
            page.keyboard.press("/")
            page.keyboard.type(question)
            page.keyboard.press("Enter")
        for page, events in zip(pages, heard, strict=True):
            wait_for(page, events, "response.done")
        ids = [{e["response_id"] for e in of(events, "response.output_audio.delta")} for events in heard]
        assert ids[0] and ids[1] and not ids[0] & ids[1]
        replies = [of(events, "response.output_audio_transcript.done")[0]["transcript"].lower() for events in heard]
        assert "paris" in replies[0] and "tokyo" in replies[1]
        for page, other in zip(pages, reversed(replies), strict=True):
            assert other not in page.locator(".fa-talk").inner_text().lower()


def test_the_conversation_is_downloaded_with_its_sound(address: str, playwright: Playwright, tmp_path: Path) -> None:
    with browser_with(playwright, CLIPS / "en_question.wav", tmp_path) as browser:
        page = browser.new_page()
        events = listen(page)
        page.goto(address)
        wait_for(page, events, "session.created")
        page.set_input_files('.fa-dock input[type="file"]', CLIPS / "en_question.wav")
        wait_for(page, events, "response.done")
        with page.expect_download() as download:
            page.get_by_role("button", name="Download with sound").or_(
                page.get_by_role("link", name="Download with sound")
            ).click()
        with zipfile.ZipFile(download.value.path()) as archive:
            assert {"conversation.txt", "001-you.wav", "001-reply.wav"} <= set(archive.namelist())


BAD_FILES: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "empty.wav": (lambda: b"", set()),
    "notes.wav": (lambda: b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n", {"not_audio"}),
    "<img src=x onerror=alert(1)>.mp3": (lambda: os.urandom(4000), {"not_audio", "broken"}),
    "silence.wav": (lambda: silent_wav(), {"silent", "no_speech"}),
}


def silent_wav() -> bytes:
    from webui.audio.convert import to_wav_bytes

    return to_wav_bytes(Audio(np.zeros(16000, np.float32), 16000))


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_gets_one_sentence(name: str, address: str, playwright: Playwright, tmp_path: Path) -> None:
    make, codes = BAD_FILES[name]
    with browser_with(playwright, CLIPS / "en_question.wav", tmp_path) as browser:
        page = browser.new_page()
        events = listen(page)
        page.goto(address)
        wait_for(page, events, "session.created")
        file = {"name": name, "mimeType": "audio/wav", "buffer": make()}
        page.set_input_files('.fa-dock input[type="file"]', files=[file])  # type: ignore[list-item]
        if codes:
            wait_for(page, events, "error")
            assert {e["error"]["code"] for e in of(events, "error")} <= codes
        page.wait_for_timeout(500)
        shown = page.locator(".fa-talk").inner_text()
        assert "Traceback" not in shown and "/tmp" not in shown and "/etc" not in shown
        assert page.locator(".fa-note:visible").count() == 1
        assert page.locator("img[src=x]").count() == 0
