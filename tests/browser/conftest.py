"""One Chromium for all browser tests, with a wav file as its microphone, and pages that tell of every fault."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.browser.live_page import WATCH, shows, wait_for
from tests.browser.live_server import LiveServer
from tests.browser.scripted_server import Script, ScriptedServer

MIC_RATE = 48000
VOICE_HZ, TOO_HIGH_HZ = 440, 15000  # in the microphone: one tone that 24 kHz can carry, and one that it cannot


@pytest.fixture(scope="session")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    time = np.arange(MIC_RATE * 2) / MIC_RATE
    tones = 0.3 * np.sin(2 * np.pi * VOICE_HZ * time) + 0.2 * np.sin(2 * np.pi * TOO_HIGH_HZ * time)
    path = tmp_path_factory.mktemp("microphone") / "tones.wav"
    soundfile.write(path, tones.astype(np.float32), MIC_RATE, subtype="PCM_16")
    return path


def flags(microphone: Path) -> list[str]:
    """For a Chromium that hears ``microphone`` over and over, plays sound unasked, and calls nobody."""
    return [
        "--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}", "--autoplay-policy=no-user-gesture-required",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
    ]  # fmt: skip


def chromium_path() -> str:
    path = os.environ.get("FUNAUDIO_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium: install it, or name it in FUNAUDIO_CHROMIUM")
    return path


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:  # one a process: it cannot run twice
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright, microphone: Path) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium_path(), args=flags(microphone))
    yield browser
    browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """``open_page(url, **context options)``. Afterwards: no error in the console, no request to another host."""
    faults: list[str] = []
    contexts = []

    def open_(url: str, expect_faults: bool = False, **options: Any) -> Page:
        settings = {"viewport": {"width": 1280, "height": 800}, "permissions": ["microphone"], "locale": "en-US"}
        context = chromium.new_context(**{**settings, **options})
        contexts.append(context)
        page = context.new_page()
        if not expect_faults:
            page.on("console", lambda message: message.type == "error" and faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        base = url.partition("?")[0]
        ours = (base, base.replace("http", "ws", 1), "data:", "blob:")
        page.on("request", lambda r: None if r.url.startswith(ours) else faults.append(f"leaves the host: {r.url}"))
        page.goto(url)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    """The page on engines that play a script, in a process of its own."""
    running = ScriptedServer().start()
    yield running
    running.stop()


@pytest.fixture
def script(server: ScriptedServer) -> Script:
    """What the server plays in this test, from its beginning."""
    server.script = Script()
    return server.script


@pytest.fixture(scope="module")
def live_running() -> Iterator[LiveServer]:
    """The page over a server that is told what to say."""
    server = LiveServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def peer(live_running: LiveServer) -> LiveServer:
    """The other side of the socket, in this test."""
    live_running.forget()
    return live_running


@pytest.fixture
def live(open_page: Callable[..., Page], peer: LiveServer) -> Callable[..., Page]:
    """Opens the Live tab. The Talk tab has a connection of its own before."""

    def open_(query: str = "", **options: Any) -> Page:
        page = open_page(peer.url + query, **options)
        page.wait_for_selector(".fa-talk .fa-fields select", state="attached")
        page.locator('[role=tab][data-tab-id="live"]').click()
        page.wait_for_selector(".fa-live .fa-fields select", state="attached")
        page.evaluate(WATCH)
        return page

    return open_


@pytest.fixture
def talking(live: Callable[..., Page], peer: LiveServer) -> Callable[..., Page]:
    """Opens the Live tab and starts a conversation."""

    def open_(query: str = "", **options: Any) -> Page:
        page = live(query, **options)
        page.click(".fa-orb")
        shows(page, "listening")
        wait_for(lambda: "session.update" in peer.wire.kinds(), page)
        return page

    return open_
