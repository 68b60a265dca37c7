"""Speech over HTTP: CosyVoice's own, vLLM-Omni, SGLang-Omni, DashScope, and whatever speaks OpenAI's protocol.

Which of them it is, the server is asked itself (``speech_servers``); nothing but its address need be set. For
CosyVoice's own the model's name should be, as it tells the rate of its sound and what it can do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import aclosing
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from webui.audio.convert import SILENCE_PEAK
from webui.audio.join import Joiner
from webui.audio.stretch import FASTEST, SLOWEST, Stretcher
from webui.engines import http
from webui.engines.background import Background
from webui.engines.openai_wire import event_data
from webui.engines.protocols import EngineInfo, SpeechRequest
from webui.engines.speech_dialects import WORLD, Ask, Dialect, check, marked
from webui.engines.speech_servers import recognise
from webui.engines.speech_wire import SoundReader, event_sound, is_events, told_rate
from webui.errors import EngineError
from webui.text.marks import shown
from webui.text.pieces import pieces
from webui.types import Audio, Samples, SpeechChunk, Voice

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

READ_S = 60.0  # for each read: a busy server may take long to begin
VOICES_S = 3.0  # how long a page that lists voices waits for a server that does not answer
MAX_CHARACTERS = 20_000
FIRST = 60  # width of a first sentence that is not cut, where nothing is playing yet
CHUNK_S = 0.02  # what is given out at least, so that a trickle of bytes does not become a flood of pieces
UNKNOWN = Voice("default", "Default", WORLD)


class HttpSynthesizer:
    """A ``Synthesizer`` that asks the server at ``url``; the rate is that server's.

    Requests run side by side. Sound is given out as it arrives; closing a result's iterator, from any thread, drops
    the connection. What was not begun is tried again, at growing distances; what was, is not.
    """

    def __init__(self, url: str, model: str, key: SecretStr) -> None:
        self._url = url
        self._model = model
        self._key = key
        self._where = ""  # for people, once the address is known to be one
        self._background = Background("speech")
        self._lock = Lock()
        self._client: httpx.AsyncClient | None = None
        self._known: Future[Dialect] | None = None  # of the server, once it was asked

    @property
    def info(self) -> EngineInfo:
        """What the server said of itself, once it was asked."""
        dialect = self._dialect_now()
        return EngineInfo(
            name=dialect.title if dialect else "Speech server",
            languages=dialect.languages if dialect else WORLD,
            capabilities={
                "words": "A server does not tell when it says which word.",
                **(dialect.capabilities if dialect else {}),
            },
            device=self._where,
            licence="",
            loaded=dialect is not None,
        )

    def load(self) -> None:
        """Ask the server what it is. Raises ``EngineError``."""
        self._ask().result()

    def close(self) -> None:
        """Drop every connection; the next request connects again."""
        with self._lock:
            client, self._client, self._known = self._client, None, None
        if client is not None:
            self._background.close(client.aclose())

    def voices(self) -> Sequence[Voice]:
        """What the server lists, or else one named Default. Raises ``EngineError``."""
        try:
            return self._ask().result(VOICES_S).voices
        except NotYet:
            return (UNKNOWN,)

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        """Yield ``request.text`` as speech, each piece's words with its first sound; nothing to say yields nothing.

        Raises ``EngineError`` where the server cannot be had, refuses, sends no sound, or breaks off.
        """
        if len(request.text) > MAX_CHARACTERS:
            raise EngineError(
                "text_too_long",
                f"Please split the text: at most {MAX_CHARACTERS} characters can be spoken at a time.",
                limit=MAX_CHARACTERS,
            )
        speed = request.speed * request.style.rate
        if not SLOWEST <= speed <= FASTEST:
            raise EngineError(
                "factor_out_of_range",
                f"The speed must be between {SLOWEST} and {FASTEST:g}.",
                name="speed",
                low=SLOWEST,
                high=FASTEST,
            )
        return self._background.iterate(self._speak(request, speed))

    def _dialect_now(self) -> Dialect | None:
        known = self._known
        return known.result() if known and known.done() and not known.cancelled() and not known.exception() else None

    def _ask(self) -> Future[Dialect]:
        """The server's dialect, asked for once; again where that has failed."""
        with self._lock:
            if self._known is None or (self._known.done() and (self._known.cancelled() or self._known.exception())):
                if not self._url:
                    raise EngineError(
                        "speech_address", "Say where the server that speaks is: set FUNAUDIO_SYNTHESIZER_URL."
                    )
                self._client = self._client or http.connect_async(self._url, self._key, read_s=READ_S)
                self._where = http.host(self._url)
                self._known = self._background.begin(recognise(self._client, self._model))
            return self._known

    async def _speak(self, request: SpeechRequest, speed: float) -> AsyncGenerator[SpeechChunk, None]:
        # shielded: another request may wait for the same answer
        dialect = await asyncio.shield(asyncio.wrap_future(self._ask()))
        client = self._client
        assert client is not None
        if request.voice == UNKNOWN:  # chosen before the server was known
            request = replace(request, voice=dialect.voices[0])
        check(dialect, request.voice)
        server = self._where
        whole = marked(dialect, request.text)
        texts = list(pieces(whole, FIRST) if request.eager else pieces(whole))
        shape: _Shape | None = None
        for i, text in enumerate(texts):
            ask = dialect.ask(text, request, speed)
            peak = 0.0
            words = shown(text)
            async with aclosing(_heard(client, ask, dialect.rate, server)) as sound:
                async for samples, rate in sound:
                    if shape is None or shape.rate != rate:
                        shape = _Shape(rate, speed / ask.speed, request.style.energy, joining=len(texts) > 1)
                    peak = max(peak, float(np.abs(samples).max(initial=0.0)))
                    if len(ready := shape.feed(samples)):
                        yield SpeechChunk(Audio(ready, rate), words)
                        words = ""
            if shape is None or peak < SILENCE_PEAK:
                raise EngineError(
                    "speech_silent",
                    f"The server at {server} sent silence: try another voice, or look at its log.",
                    server=server,
                )
            if len(rest := shape.seam() if i + 1 < len(texts) else shape.finish()) or words:
                yield SpeechChunk(Audio(rest, shape.rate), words)


async def _heard(
    client: httpx.AsyncClient, ask: Ask, rate: int, server: str
) -> AsyncGenerator[tuple[Samples, int], None]:
    """The answer's samples as they come, with their rate; asked once more where it breaks off before any came."""
    for last in (False, True):
        begun = False
        try:
            async with aclosing(_once(client, ask, rate, server)) as sound:
                async for samples, own in sound:
                    begun = begun or len(samples) > 0
                    yield samples, own
            return
        except EngineError as error:
            if begun or last or error.key != "server_broke_off":
                raise


async def _once(
    client: httpx.AsyncClient, ask: Ask, rate: int, server: str
) -> AsyncGenerator[tuple[Samples, int], None]:
    response = await http.send_async(client, "POST", ask.path, stream=True, **ask.content)
    try:
        with http.telling(client):
            kind = response.headers.get("content-type", "").lower()
            rate = told_rate(response.headers) or rate
            if not is_events(kind):
                reader = SoundReader(kind, rate, server)
                async for data in response.aiter_bytes():
                    yield reader.feed(data), reader.rate
                yield reader.finish(), reader.rate
                return
            reader = SoundReader("", rate, server)
            async for event in event_data(response.aiter_bytes()):
                data, own = event_sound(event, server)
                if data[:4] == b"RIFF" or (own or reader.rate) != reader.rate:  # each event may be a file of its own
                    yield reader.finish(), reader.rate
                    reader = SoundReader("", own or rate, server)
                if data:
                    yield reader.feed(data), reader.rate
            yield reader.finish(), reader.rate
    finally:
        await response.aclose()


class _Shape:
    """What is done to a server's sound at ``rate`` Hz: pieces joined, speed and loudness changed, crumbs gathered."""

    def __init__(self, rate: int, speed: float, energy: float, joining: bool) -> None:
        self.rate = rate
        self._joiner = Joiner(rate) if joining else None
        self._stretcher = Stretcher(rate, speed)
        self._energy = energy
        self._held: list[Samples] = []

    def feed(self, samples: Samples) -> Samples:
        """What is ready, which is nothing or at least ``CHUNK_S``."""
        self._take(self._joiner.feed(samples) if self._joiner else samples)
        return self._give(round(CHUNK_S * self.rate))

    def seam(self) -> Samples:
        """The piece is over and another follows: what is ready."""
        if self._joiner:
            self._joiner.seam()
        return self._give(1)

    def finish(self) -> Samples:
        """The last piece is over: the rest."""
        if self._joiner:
            self._take(self._joiner.finish())
        self._held.append(self._stretcher.finish())
        return self._give(0)

    def _take(self, samples: Samples) -> None:
        self._held.append(self._stretcher.feed(samples))

    def _give(self, least: int) -> Samples:
        if sum(map(len, self._held)) < least:
            return np.zeros(0, np.float32)
        ready = np.concatenate([np.zeros(0, np.float32), *self._held])
        self._held = []
        return ready if self._energy == 1.0 else np.clip(ready * self._energy, -1.0, 1.0).astype(np.float32)
