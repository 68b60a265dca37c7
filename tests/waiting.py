"""Waiting for something that another thread or process does."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import httpx

T = TypeVar("T")


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Do ``work`` on a loop of its own, in a thread of its own: Playwright leaves one running in the main thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Return as soon as ``condition`` holds; fail where it does not within ``seconds``."""
    last = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < last, f"it did not happen within {seconds:.0f} seconds"
        time.sleep(0.05)


def wait_for_server(process: subprocess.Popen[bytes], url: str, seconds: float = 120.0) -> None:
    """Return as soon as ``url`` answers; fail where the process ends before."""

    def answers() -> bool:
        assert process.poll() is None, "the program ended before it answered"
        try:
            return httpx.get(url, trust_env=False).is_success
        except httpx.TransportError:
            return False

    wait_until(answers, seconds)
