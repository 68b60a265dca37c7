"""The program as a process: what people record is gone with it, however it ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.waiting import wait_for_server
from webui.config import ROOT


@pytest.fixture
def start(tmp_path: Path) -> Callable[[], tuple[subprocess.Popen[bytes], str]]:
    """Start the program with a temporary folder of the test's own; gives the process and its address."""

    def go() -> tuple[subprocess.Popen[bytes], str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        program = subprocess.Popen(
            [sys.executable, "webui.py", "--profile", "embedded", "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )
        wait_for_server(program, f"http://127.0.0.1:{port}/healthz")
        return program, f"127.0.0.1:{port}"

    return go


def test_a_stopped_program_leaves_nothing_and_a_killed_ones_leavings_are_swept(
    start: Callable[[], tuple[subprocess.Popen[bytes], str]], tmp_path: Path
) -> None:
    program, address = start()
    with connect(f"ws://{address}/v1/realtime") as talk:
        talk.recv()
        (killed,) = tmp_path.glob("funaudio-*")
        assert [f for f in killed.iterdir() if f.is_dir()], "the conversation has its folder there"
        program.send_signal(signal.SIGKILL)
        program.wait(10)
    assert killed.exists()

    program, address = start()
    (living,) = tmp_path.glob("funaudio-*")
    assert living != killed
    with connect(f"ws://{address}/v1/realtime") as talk:
        talk.recv()
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) == 0
    assert not list(tmp_path.glob("funaudio-*"))
