"""Our program with its embedded engines, against the same engines one after the other, on the example clips."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from bench.live.caller import SilentError, calling, open_microphone
from bench.live.questions import RATE, trimmed
from bench.live.report import Embedded
from bench.live.systems import SEMANTIC, Ours
from bench.turn import read_ahead, serial
from webui.audio.decode import decode
from webui.config import ROOT, Settings
from webui.engines.protocols import SpeechRequest, Synthesizer
from webui.engines.registry import Engines
from webui.engines.store import ModelStore
from webui.types import Audio, SpeechChunk

CLIPS = ROOT / "assets" / "clips"
PATIENCE_S = 60.0


class Noting:
    """A synthesizer that notes how long the texts are that it is given."""

    def __init__(self, inner: Synthesizer) -> None:
        self.characters: list[int] = []
        self.voices = inner.voices
        self._inner = inner

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        """As the one within."""
        self.characters.append(len(request.text))
        return self._inner.synthesize(request)


class Own:
    """The same engines in this process, with a synthesizer that takes notes."""

    def __init__(self) -> None:
        settings = Settings(profile="embedded")
        engines = Engines(settings, ModelStore(settings.models_dir))
        engines.load()
        self.recognizer, self.chat = engines.recognizer, engines.chat
        self.synthesizer = Noting(engines.synthesizer)


def clips() -> list[tuple[Audio, str]]:
    """The example clips' voices, each with its language."""
    listed = json.loads((CLIPS / "clips.json").read_text())
    return [(trimmed(decode(Path(CLIPS / clip["file"]), RATE)), clip["language"]) for clip in listed]


async def embedded(program: Ours, rounds: int, most_clips: int) -> Embedded:
    """Every clip ``rounds`` times, both ways in turn, after one of each that is not counted; never both at once.

    Both take the likeliest words, so that they answer alike.
    """
    own = await asyncio.to_thread(Own)
    found = Embedded()
    every = clips()
    asked = every[:: max(1, len(every) // most_clips)]
    await _streamed(program, *asked[0], Embedded())
    await asyncio.to_thread(_serial, own, *asked[0], Embedded())
    for number in range(rounds):
        for at, (clip, language) in enumerate(asked):
            ways = (_streamed(program, clip, language, found), asyncio.to_thread(_serial, own, clip, language, found))
            for way in ways if (number + at) % 2 else ways[::-1]:
                await way
    return found


async def _streamed(program: Ours, clip: Audio, language: str, found: Embedded) -> None:
    """A new conversation each time, as the other way has no memory either."""
    try:
        async with calling(program.url, SEMANTIC, language) as caller:
            await caller.ready(PATIENCE_S)
            async with open_microphone(caller.microphone):
                found.ours.latencies.append(await caller.ask(clip, PATIENCE_S))
                await caller.complete(PATIENCE_S)
            found.ours_characters += [len(reply.text) for reply in caller.replies.values() if reply.first_sound]
    except SilentError as error:
        found.ours.failures.append(str(error))


def _serial(own: Own, clip: Audio, language: str, found: Embedded) -> None:
    engines = cast(Engines, own)
    read_ahead(engines, language)
    found.serial.latencies.append(serial(engines, clip, temperature=0.0)["total_s"])
    found.serial_characters.append(own.synthesizer.characters[-1])
