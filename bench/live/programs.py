"""Programs that are started for a measurement, and stopped after it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from webui.config import ROOT

LOGS = ROOT / ".cache" / "bench" / "logs"
START_S = 180


class NotRunning(Exception):  # noqa: N818  (a state, told to people as it is)
    """A program could not be installed or did not start; the text says why."""


def free_port() -> int:
    """A port of the loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The program, its output in ``.cache/bench/logs/NAME.log``; it is stopped at the end."""
    with log_of(name).open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
        try:
            yield process
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End it: kindly at first."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def log_of(name: str) -> Path:
    """Where the output of the program called ``name`` goes."""
    LOGS.mkdir(parents=True, exist_ok=True)
    return LOGS / f"{name}.log"


async def answering(name: str, process: subprocess.Popen[bytes], port: int, path: str = "") -> None:
    """Wait until it takes connections on ``port``, or answers at ``path`` there. Raises ``NotRunning``."""
    started = time.monotonic()
    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            if process.poll() is not None:
                raise NotRunning(f"{name} ended with {process.returncode}: {last_line(name)}")
            if time.monotonic() - started > START_S:
                raise NotRunning(f"{name} did not start in {START_S} s: {last_line(name)}")
            try:
                if path:
                    (await client.get(f"http://127.0.0.1:{port}{path}")).raise_for_status()
                else:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                return
            except (httpx.HTTPError, OSError):
                await asyncio.sleep(0.2)


def last_line(name: str) -> str:
    """Of its output."""
    lines = log_of(name).read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no output"


def scripted(port: int) -> list[str]:
    """The command of the scripted model server."""
    return [sys.executable, "-m", "bench.live.scripted", "--port", str(port)]


def ours(port: int, models_url: str | None) -> list[str]:
    """The command of our own program: on the servers at ``models_url``, or on its embedded engines, drawing nothing."""
    flags = ["--port", str(port), "--preload"]
    if models_url is None:
        return [sys.executable, "-m", "bench.live.greedy", *flags, "--profile", "embedded"]
    command = [sys.executable, "webui.py", *flags]
    jobs = ("recognizer", "chat", "synthesizer")
    return [*command, "--profile", "remote", *(part for job in jobs for part in (f"--{job}-url", models_url))]
