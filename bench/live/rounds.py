"""What is measured, round by round."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

from bench.live.caller import Caller, SilentError, open_microphone
from bench.live.marks import NAMES, STORY, marked
from bench.live.programs import NotRunning
from bench.live.questions import question
from bench.live.report import Taken, Talks
from bench.live.systems import Ours, System, our_line
from webui.types import Audio

SETTLED_S = 3.0
MOST_WARM_UPS = 6
LISTENED_S = 1.5  # to an answer, before it is talked over


async def settle(system: System, asked: Audio) -> None:
    """Ask, and do not count, until it answers as fast as it will: some load libraries at the first words."""
    for _ in range(MOST_WARM_UPS):
        taken = Taken()
        await _ask(system, asked, taken)
        if taken.latencies and 0 < taken.latencies[0] < SETTLED_S:
            return


async def compare(systems: Mapping[str, System], asked: Audio, rounds: int) -> dict[str, Taken]:
    """Every system asked in turn, one at a time, ``rounds`` times."""
    taken = {name: Taken() for name in systems}
    for number in range(rounds):
        names = list(systems)
        for name in names if number % 2 else names[::-1]:
            await _ask(systems[name], asked, taken[name])
    return taken


async def _ask(system: System, asked: Audio, taken: Taken) -> None:
    try:
        taken.latencies.append(await system.ask(asked))
    except (SilentError, NotRunning) as error:
        taken.failures.append(str(error))


async def talk(program: Ours, sessions: int, rounds: int) -> Talks:
    """``sessions`` conversations at once, each of ``rounds``: an answer is talked over, the next heard to its end."""
    talks = Talks(sessions)
    async with AsyncExitStack() as stack:
        callers = [(await stack.enter_async_context(our_line(program))).caller for _ in range(sessions)]
        await asyncio.gather(
            *(_converse(caller, name, rounds, talks) for caller, name in zip(callers, NAMES, strict=False))
        )
    for caller in callers:
        talks.stale += caller.stale
        talks.underruns += [underrun.gap for underrun in caller.following.underruns]
        talks.failures += caller.errors
    return talks


async def _converse(caller: Caller, name: str, rounds: int, talks: Talks) -> None:
    first, second = marked(question("capital"), name, STORY), marked(question("river"), name)
    try:
        for _ in range(rounds):
            async with open_microphone(caller.microphone):
                talks.latencies.append(await caller.ask(first))
                await asyncio.sleep(LISTENED_S)
                cut, latency = await caller.talk_over(second)
                talks.following.append(cut.following)
                talks.plain.append(cut.plain)
                talks.latencies.append(latency)
                await caller.played_out()
    except SilentError as error:
        talks.failures.append(str(error))
