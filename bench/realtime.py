"""``python -m bench.realtime``: how soon a live conversation is answered and how soon it falls silent, beside others.

Everybody hears the same question, said by Kokoro, in frames of 20 ms in real time, and uses the same scripted model
server (``bench.live.scripted``), so that what differs is the pipeline: when it finds that the question is over, and
what it does one after the other. The clock starts when the last frame with voice in it was sent, and stops at the first
sound of the answer. In one run, taking turns: our program over its socket (``semantic_vad``), pipecat with Silero and
its smart turn, speech-to-speech as shipped and tuned, and the serial way, which records, transcribes, thinks and speaks
each in full, and is told for nothing when the question is over. Pipelines install themselves under .cache/peers.

Then our program alone, with 1, 2 and 4 conversations at once: every answer is talked over, and what counts is the time
from the first voiced frame sent until the listener is silent for good (at ``funaudio.hold``, or, for a client that does
not know it, at ``speech_started``), sound of a cancelled answer that comes all the same, and how often a listener who
plays what comes in real time ran dry inside an answer. At last, with the real embedded engines, against the same
engines one after the other as in ``bench.turn``.

All of it takes half an hour, and wants a machine that does nothing else. ``--soak MINUTES`` holds four conversations at
once instead, each with a name of its own that has to come back in its answers, and looks at memory. The last line is
one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.live import voice
from bench.live.embedded import embedded
from bench.live.programs import NotRunning, answering, free_port, running, scripted
from bench.live.questions import SPOKEN, question
from bench.live.report import Embedded, Taken, Talks, show, summary
from bench.live.rounds import compare, settle, talk
from bench.live.soak import Soak, soak
from bench.live.systems import TUNED, Ours, Serial, System, our_line, our_program, pipecat, speech_to_speech

PEERS = ("pipecat", "s2s")
CONVERSATIONS = (1, 2, 4)


@dataclass(frozen=True)
class Rounds:
    """How often: each system asked, each number of conversations at once, and each of so many clips."""

    compared: int
    talked: int
    embedded: int
    clips: int


FULL = Rounds(compared=10, talked=4, embedded=2, clips=6)
QUICK = Rounds(compared=2, talked=1, embedded=1, clips=2)


async def bench(rounds: Rounds, peers: list[str]) -> tuple[dict[str, Taken], list[Talks], Embedded]:
    """Everything but the soak."""
    async with scripted_server() as url:
        _say(f"the scripted server speaks with {voice.NAME}")
        async with our_program("ours", url) as program:
            _say("one conversation, beside others …")
            compared = await beside(url, program, peers, rounds.compared)
            talks = []
            for sessions in CONVERSATIONS:
                _say(f"{sessions} at once …")
                talks.append(await talk(program, sessions, rounds.talked))
    _say("the embedded engines …")
    async with our_program("ours-embedded", None) as program:
        return compared, talks, await embedded(program, rounds.embedded, rounds.clips)


async def beside(url: str, program: Ours, peers: list[str], rounds: int) -> dict[str, Taken]:
    """Our program, the serial way and ``peers``, each asked in turn; those that do not run say why."""
    asked = question("capital")
    makers: dict[str, AbstractAsyncContextManager[System]] = {"ours": our_line(program)}
    if "pipecat" in peers:
        makers["pipecat"] = pipecat(url, asked)
    if "s2s" in peers:
        makers["speech-to-speech"] = speech_to_speech(url, "speech-to-speech", [])
        makers["speech-to-speech, tuned"] = speech_to_speech(url, "speech-to-speech-tuned", TUNED)
    systems: dict[str, System] = {"serial": Serial(url)}
    missing: dict[str, Taken] = {}
    async with AsyncExitStack() as stack:

        async def start(name: str, maker: AbstractAsyncContextManager[System]) -> None:
            try:
                systems[name] = await stack.enter_async_context(maker)
            except NotRunning as error:
                missing[name] = Taken(missing=str(error))

        await asyncio.gather(*(start(name, maker) for name, maker in makers.items()))
        await asyncio.gather(*(settle(system, asked) for system in systems.values()))
        return {**await compare(systems, asked, rounds), **missing}


async def soaked(minutes: float) -> tuple[dict[str, Any], Soak]:
    """What ``--soak`` finds."""
    async with scripted_server() as url, our_program("ours", url) as program:
        return await soak(program, url.removesuffix("/v1"), minutes)


@asynccontextmanager
async def scripted_server() -> AsyncIterator[str]:
    """Its address."""
    for name in SPOKEN:
        question(name)
    port = free_port()
    with running("scripted", scripted(port)) as process:
        await answering("scripted", process, port, "/v1/models")
        yield f"http://127.0.0.1:{port}/v1"


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.realtime", description="A live conversation with our program, beside other pipelines."
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds: under five minutes where all is installed")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"which pipelines (default {','.join(PEERS)})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure here")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="hold four conversations for so long instead")
    asked = parser.parse_args()
    peers = [name for name in asked.peers.split(",") if name]
    if unknown := set(peers) - set(PEERS):
        parser.error(f"there is no peer {', '.join(sorted(unknown))}: choose of {', '.join(PEERS)}")
    try:
        if asked.soak:
            result, found = asyncio.run(soaked(asked.soak))
            every = {"summary": result, **asdict(found)}
        else:
            compared, talks, own = asyncio.run(bench(QUICK if asked.quick else FULL, peers))
            show(compared, talks, own)
            result = summary(compared, talks, own)
            every = {
                "summary": result,
                "voice": voice.NAME,
                "compared": {name: asdict(taken) for name, taken in compared.items()},
                "talks": [asdict(talk) for talk in talks],
                "embedded": asdict(own),
            }
    except NotRunning as error:
        raise SystemExit(str(error)) from None
    if asked.json:
        asked.json.write_text(json.dumps(every, ensure_ascii=False, indent=1))
    print(json.dumps(result, ensure_ascii=False))


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
