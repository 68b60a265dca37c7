"""Four conversations at once for minutes: does each keep to itself, does memory stay, is there sound without gaps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import psutil

from bench.live.caller import Caller, SilentError, open_microphone
from bench.live.marks import NAMES, STORY, marked
from bench.live.player import Underrun
from bench.live.questions import question
from bench.live.rounds import LISTENED_S
from bench.live.systems import Ours, our_line

EVERY_S = 10.0
SETTLED_S = 60.0  # after which memory counts: until then buffers and caches find their size
TALKED_OVER = 3  # one turn in so many


@dataclass
class Soak:
    """``rss`` are seconds and bytes; ``crosstalk`` is what was heard or answered in another conversation's name."""

    turns: int = 0
    interruptions: int = 0
    crosstalk: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    stale: int = 0
    underruns: list[Underrun] = field(default_factory=list)
    rss: list[tuple[float, int]] = field(default_factory=list)


async def soak(program: Ours, server_url: str, minutes: float) -> tuple[dict[str, Any], Soak]:
    """Talk for so long; the figures, and all that they are made of. ``server_url`` is the scripted server's."""
    found = Soak()
    until = time.monotonic() + minutes * 60
    watch = asyncio.create_task(_watch(program.pid, found))
    async with AsyncExitStack() as stack, httpx.AsyncClient(trust_env=False) as client:
        await client.get(f"{server_url}/late")
        callers = [(await stack.enter_async_context(our_line(program))).caller for _ in NAMES]
        await asyncio.gather(*(_talk(*pair, until, found) for pair in zip(callers, NAMES, strict=True)))
        late = (await client.get(f"{server_url}/late")).json()
    watch.cancel()
    for caller, name in zip(callers, NAMES, strict=True):
        replies = [reply.text for reply in caller.replies.values() if reply.first_sound and not reply.stopped]
        found.crosstalk += [f"{name} got: {text}" for text in foreign([*caller.heard, *replies], name)]
        found.stale += caller.stale
        found.underruns += caller.following.underruns
        found.failures += caller.errors
    return figures(found, late, minutes), found


def figures(found: Soak, late: Sequence[tuple[float, float]], minutes: float) -> dict[str, Any]:
    """The line of JSON."""
    settled = [(at, size) for at, size in found.rss if at - found.rss[0][0] >= SETTLED_S] or found.rss
    megabytes = [size / 2**20 for _, size in settled]
    return {
        "soak_minutes": minutes,
        "turns": found.turns,
        "interruptions": found.interruptions,
        "crosstalk": len(found.crosstalk),
        "stale": found.stale,
        "underruns": len(found.underruns),
        "underruns_unexplained": sum(not explained(underrun, late) for underrun in found.underruns),
        "rss_start_mb": round(megabytes[0]) if megabytes else None,
        "rss_end_mb": round(megabytes[-1]) if megabytes else None,
        "rss_slope_mb_per_hour": slope(settled),
        "failures": [*dict.fromkeys((*found.crosstalk, *found.failures))][:10],
    }


def explained(underrun: Underrun, late: Sequence[tuple[float, float]]) -> bool:
    """Whether the server was held up within the second before the sound came back."""
    end = underrun.at + underrun.gap
    return any(at <= end and at + behind >= underrun.at - 1.0 for at, behind in late)


def slope(rss: Sequence[tuple[float, int]]) -> float | None:
    """How fast memory grows, in MB an hour; None of less than three readings."""
    if len(rss) < 3:
        return None
    seconds, sizes = np.array(rss, float).T
    return round(float(np.polyfit(seconds / 3600, sizes / 2**20, 1)[0]), 1)


async def _watch(pid: int, found: Soak) -> None:
    process = psutil.Process(pid)
    while True:
        found.rss.append((time.monotonic(), process.memory_info().rss))
        await asyncio.sleep(EVERY_S)


async def _talk(caller: Caller, name: str, until: float, found: Soak) -> None:
    first, second = marked(question("capital"), name), marked(question("river"), name)
    asked = 0
    async with open_microphone(caller.microphone):
        while time.monotonic() < until:
            asked += 1
            talked_over = asked % TALKED_OVER == 0
            try:
                await caller.ask(marked(first, STORY) if talked_over else first)
                found.turns += 1
                if talked_over:
                    await asyncio.sleep(LISTENED_S)
                    await caller.talk_over(second)
                    found.turns += 1
                    found.interruptions += 1
                await caller.played_out()
            except SilentError as error:
                found.failures.append(f"{name}: {error}")


def foreign(said: Sequence[str], name: str) -> list[str]:
    """What does not speak of ``name``, or speaks of somebody else."""
    others = [other for other in NAMES if other != name]
    return [text for text in said if name not in text or any(other in text for other in others)]
