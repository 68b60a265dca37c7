"""The whole page on the engines it is made for: funasr's SenseVoice and CosyVoice 2, the real libraries, tiny weights."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import soundfile
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_conversation import listen, of, reply_sound, wait_for
from tests.engines import tiny_cosyvoice, tiny_sensevoice
from tests.engines.tiny_sensevoice import RATE, TinySenseVoice
from tests.waiting import wait_for_server
from webui.config import ROOT

COSYVOICE = ROOT / ".cache" / "env-cosyvoice" / "bin" / "python"
CHAT = "qwen2.5-coder-0.5b"
LATIN, HAN = 0, 1  # of the clips that are known by heart, the ones that somebody speaks

pytestmark = [
    pytest.mark.browser,
    pytest.mark.engine,
    pytest.mark.skipif(not tiny_sensevoice.ENVIRONMENT.exists(), reason=tiny_sensevoice.MISSING),
    pytest.mark.skipif(not COSYVOICE.exists(), reason="no environment: bash scripts/engine_envs.sh cosyvoice"),
]


@pytest.fixture(scope="module")
def sensevoice() -> TinySenseVoice:
    return tiny_sensevoice.tiny()


@pytest.fixture(scope="module")
def program(sensevoice: TinySenseVoice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The page's address and the program's process number."""
    models = tmp_path_factory.mktemp("models")
    shutil.copytree(sensevoice.checkpoint, models / "sensevoice-small", ignore=shutil.ignore_patterns(".*"))
    (models / CHAT).symlink_to(ROOT / "models" / CHAT)
    cosyvoice = tiny_cosyvoice.tiny_cosyvoice(COSYVOICE, ROOT / ".cache" / "tiny")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [tiny_sensevoice.ENVIRONMENT, "-m", "tests.browser.tiny_engines", models, cosyvoice, str(port)]
    process = subprocess.Popen(command, cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for_server(process, url + "/healthz")
        yield url, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture
def recordings(sensevoice: TinySenseVoice, tmp_path: Path) -> list[Path]:
    paths = []
    for number in (LATIN, HAN):
        path = tmp_path / f"clip-{number}.wav"
        soundfile.write(path, sensevoice.clips[number].samples, RATE, subtype="PCM_16")
        paths.append(path)
    return paths


def test_a_recording_is_transcribed_word_for_word_with_its_tags(
    program: tuple[str, int], sensevoice: TinySenseVoice, recordings: list[Path], open_page: Callable[..., Page]
) -> None:
    page = open_page(program[0])
    page.locator('[role=tab][data-tab-id="transcribe"]:visible').click(timeout=60_000)
    for recording, clip in zip(recordings, sensevoice.clips, strict=False):
        page.set_input_files(".tr-drop input[type=file]", recording)
        page.click(".tr-start")
        page.wait_for_selector("[data-stage=done]", timeout=120_000)
        expect(page.locator(".tr-text")).to_contain_text(clip.text)
        with page.expect_download() as download:
            page.click("[data-format=tagged]")
        assert download.value.path().read_text("utf-8").strip() == clip.tagged
        page.reload()
        page.locator('[role=tab][data-tab-id="transcribe"]:visible').click(timeout=60_000)


def test_a_spoken_question_is_understood_and_answered_and_a_dead_worker_is_told_in_one_line(
    program: tuple[str, int], sensevoice: TinySenseVoice, recordings: list[Path], chromium: Browser
) -> None:
    url, pid = program
    page = chromium.new_page()
    events = listen(page)  # from the first frame on
    page.goto(url)
    wait_for(page, events, "session.created")
    page.set_input_files('.fa-dock input[type="file"]', recordings[LATIN])
    wait_for(page, events, "response.done")

    heard = of(events, "conversation.item.input_audio_transcription.completed")[0]
    assert heard["transcript"] == sensevoice.clips[LATIN].text
    assert (heard["funaudio"]["language"], heard["funaudio"]["emotion"]) == ("en", "NEUTRAL")
    assert of(events, "response.done")[0]["response"]["status"] == "completed", of(events, "error")
    assert reply_sound(events).duration > 0.2
    turn = page.locator(".fa-turn").first
    assert sensevoice.clips[LATIN].text in turn.inner_text()
    engines = page.locator(".fa-engine-name").all_inner_texts()
    assert any("SenseVoice" in name for name in engines) and any("CosyVoice 2" in name for name in engines), engines

    pieces = len(of(events, "response.output_audio.delta"))
    page.set_input_files('.fa-dock input[type="file"]', recordings[LATIN])
    wait_for(page, events, "response.output_audio.delta", pieces + 1)
    os.kill(worker_of(pid), signal.SIGKILL)
    wait_for(page, events, "response.done", 2)
    wait_for(page, events, "error")
    assert len(of(events, "error")) == 1
    assert page.locator(".fa-note:visible").count() == 1
    assert of(events, "response.output_audio_transcript.done"), "what was written stays"

    page.set_input_files('.fa-dock input[type="file"]', recordings[LATIN])
    wait_for(page, events, "response.done", 3)
    assert of(events, "response.done")[2]["response"]["status"] == "completed"
    assert len(of(events, "error")) == 1
    assert page.locator(".fa-turn").count() == 3, "nothing was lost"
    page.close()


def worker_of(pid: int) -> int:
    (worker,) = [p for p in psutil.Process(pid).children(recursive=True) if "webui.engines.worker" in p.cmdline()]
    return worker.pid
