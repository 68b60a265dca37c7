"""``/v1/realtime``: the voice turn over a WebSocket, in OpenAI's Realtime protocol.

What is heard beyond words, and what the page draws, rides in a ``funaudio`` field of the same events, which other
clients ignore. ``docs/realtime.md`` lists the events.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from webui.api.exchange import Exchange, Said, no_such_item
from webui.api.items import item_json, message_of, sound_of, spoken_json
from webui.api.outgoing import Outgoing
from webui.api.session_settings import Detection
from webui.api.wire import chunk_json, engines_json, pcm16_base64
from webui.audio.convert import RateChange
from webui.audio.decode import decode
from webui.audio.formats import WireFormat
from webui.audio.vad import RATE
from webui.conversation.scope import Generations
from webui.conversation.session import Conversation, new_id
from webui.conversation.turntaking import TurnTaking
from webui.engines.protocols import SpeechRequest
from webui.engines.registry import Engines
from webui.errors import AudioError, UserError
from webui.features.chat import pick_voice, warm
from webui.features.hearing import MAX_TURN_SECONDS
from webui.features.live import Live
from webui.types import Audio

log = logging.getLogger(__name__)

MAX_UPLOAD_BYTES = 50 * 1024 * 1024  # of one dropped file
MAX_FRAME_CHARS = 2 * 1024 * 1024  # of one JSON frame
OPEN_SECONDS = 60.0  # of an open microphone, for a client that commits what the server did not take for a turn
IDLE_SECONDS = 15 * 60.0  # in which nothing is said or sent
LONGEST_SECONDS = 2 * 3600.0  # of one connection

ENDED = 4408  # close codes of our own: nothing was said for too long, or the time is up
TAKEN_UP = 4409  # the conversation goes on over another socket

PREVIEW = "preview"  # response id of a voice's sample
SAMPLES = {"zh": "你好，很高兴认识你。今天想聊点什么？", "en": "Hello, nice to meet you. What shall we talk about?"}

ClientEvent = dict[str, Any]


class RealtimeSession:
    """One socket: what a client sends is taken in here. Runs on the event loop."""

    def __init__(self, socket: WebSocket, engines: Engines, conversation: Conversation) -> None:
        self._socket = socket
        self._engines = engines
        self._conversation = conversation
        self._out = Outgoing(socket)
        self._exchange = Exchange(engines, conversation, self._out)
        self._warmed: tuple[str, str] | None = None  # persona and language that the model has read
        self._recording = bytearray()
        self._upload = bytearray()
        self._said: tuple[str, Said, float] | None = None  # the item that awaits its answer, and since when
        self._live: tuple[TurnTaking, Detection, WireFormat, Live, RateChange] | None = None
        self._previews = Generations()
        self._began = self._active = time.monotonic()
        self._handlers: dict[str, Callable[[ClientEvent], None]] = {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.clear": self._clear,
            "input_audio_buffer.commit": self._commit,
            "conversation.item.create": self._create_item,
            "conversation.item.retrieve": self._retrieve_item,
            "conversation.item.truncate": self._truncate_item,
            "conversation.item.delete": self._delete_item,
            "response.create": self._respond,
            "response.cancel": lambda _: self._exchange.stop(),
            "funaudio.input_file": self._receive_file,
            "funaudio.preview": self._preview,
            "funaudio.reset": self._reset,
        }

    async def run(self, early: Iterable[str] = ()) -> int:
        """Serve until the client goes; then stop everything that still works for it. Returns the code it went with.

        ``early``: what it has sent already.
        """
        tasks = [asyncio.create_task(work) for work in (self._out.run(), self._watch_time())]
        self._out.send("session.created", session=self._describe())
        self._exchange.start(self._warm_up)
        self._listen()
        try:
            for frame in early:
                self._receive(frame)
            while True:
                self._receive(await self._socket.receive_text())
        except WebSocketDisconnect as gone:
            return gone.code
        except (KeyError, RuntimeError):  # a binary frame, which this protocol does not have; closed by ourselves
            return 1000
        finally:
            log.debug("a client has gone")
            if self._live is not None:
                self._live[3].close()
            self._previews.cancel()
            for task in tasks:
                task.cancel()
            await self._exchange.close()

    async def end(self, code: int) -> None:
        """Close the socket, for one of our own reasons."""
        try:
            await self._socket.close(code)
        except RuntimeError:
            log.debug("it was closed already")

    def fetching(self, what: str, done: int, total: int) -> None:
        """Weights are being fetched for whoever waits: told to the page. May be called from any thread."""
        self._out.stage("loading", message_key="fetching_model", values={"name": what}, progress=done / max(total, 1))

    def engines_changed(self) -> None:
        """Another engine has taken over a job. May be called from any thread."""
        self._out.send("funaudio.engines", engines=engines_json(self._engines))

    def idle(self) -> None:
        """What was being loaded for all pages is loaded, or has failed. May be called from any thread."""
        self._out.stage("idle")

    async def _watch_time(self) -> None:
        while True:
            now = time.monotonic()
            if (reply := self._exchange.reply) is not None and reply.active:
                self._active = now
            active = max(self._active, self._exchange.busy_at)
            left = min(active + IDLE_SECONDS, self._began + LONGEST_SECONDS) - now
            if left <= 0:
                await self.end(ENDED)
                return
            await asyncio.sleep(left)

    # -- what comes in -------------------------------------------------------------------------------------------

    def _receive(self, frame: str) -> None:
        event: Any = None
        try:
            if len(frame) > MAX_FRAME_CHARS:
                raise UserError("frame_too_long", "One message is too long: send the audio in smaller pieces.")
            event = json.loads(frame)
            handler = self._handlers.get(event["type"])
            if handler is None:
                raise UserError("unknown_event", "This server does not know that kind of event.")
            if event["type"] != "input_audio_buffer.append":
                self._active = time.monotonic()
            handler(event)
        except UserError as error:
            self._out.fail(error, _id_of(event))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            malformed = UserError("malformed_event", "That message is not of the form that this server expects.")
            self._out.fail(malformed, _id_of(event))

    def _update(self, event: ClientEvent) -> None:
        self._exchange.settings = self._exchange.settings.updated(event["session"])
        self._listen()
        if self._exchange.settings.turn.tools:
            self._exchange.start(self._check_tools)
        if self._warmed is not None:
            self._exchange.start(self._warm)
        self._out.send("session.updated", session=self._describe())

    def _listen(self) -> None:
        """Open the ear that the settings ask for, if another is open now."""
        settings = self._exchange.settings
        told, taking, form = settings.detection, settings.turn_taking, settings.heard
        if self._live is not None:
            if self._live[:3] == (taking, told, form):
                return
            self._live[3].close()
            self._live = None
        if told is not None and taking is not None:
            live = Live(self._exchange, taking, answers=told.answers, interrupts=told.interrupts)
            self._live = (taking, told, form, live, RateChange(form.rate, RATE))

    def _append(self, event: ClientEvent) -> None:
        data, form = base64.b64decode(event["audio"], validate=True), self._exchange.settings.heard
        self._recording += data
        if self._live is not None:
            *_, live, change = self._live
            live.feed(change.feed(form.decode(data)))
            del self._recording[: -round(OPEN_SECONDS * form.bytes_per_second)]
        elif len(self._recording) > MAX_TURN_SECONDS * form.bytes_per_second:
            minutes = round(MAX_TURN_SECONDS / 60)
            self._recording.clear()
            raise AudioError("turn_too_long", f"Keep one question under {minutes} minutes.", minutes=minutes)

    def _clear(self, _: ClientEvent) -> None:
        self._recording.clear()
        if self._live is not None:
            self._live[3].forget()
        self._out.send("input_audio_buffer.cleared")

    def _commit(self, _: ClientEvent) -> None:
        data, form = bytes(self._recording), self._exchange.settings.heard
        self._recording.clear()
        if self._live is not None:
            self._live[3].forget()
        if not data:
            raise AudioError("empty_audio", "Nothing was recorded. Check the microphone, and try again.")
        self._take(Audio(form.decode(data), form.rate))

    def _receive_file(self, event: ClientEvent) -> None:
        self._upload += base64.b64decode(event["data"], validate=True)
        if len(self._upload) > MAX_UPLOAD_BYTES:
            self._upload.clear()
            megabytes = MAX_UPLOAD_BYTES // 1024**2
            raise AudioError("file_too_large", f"Choose a file under {megabytes} MB.", megabytes=megabytes)
        if event.get("last"):
            data, self._upload = bytes(self._upload), bytearray()
            work = partial(decode, data, max_seconds=MAX_TURN_SECONDS, on_problem=self._out.fail)
            self._take(asyncio.ensure_future(self._exchange.in_thread(work)))

    def _take(self, sound: Audio | asyncio.Future[Audio], item: str = "") -> None:
        """Something was said: it is answered on the next ``response.create``. Latency counts from here."""
        item = item or new_id("item")
        self._said = (item, sound, time.monotonic())
        before = self._conversation.memory.last_id
        self._out.send("input_audio_buffer.committed", item_id=item, previous_item_id=before)
        self._out.send("conversation.item.added", previous_item_id=before, item=spoken_json(item, None))
        self._out.send("conversation.item.done", previous_item_id=before, item=spoken_json(item, None))

    def _respond(self, event: ClientEvent) -> None:
        settings = self._exchange.settings.updated(event.get("response") or {})
        said, self._said = self._said, None
        if said is None and not self._conversation.memory.messages and not (event.get("response") or {}):
            raise UserError("nothing_said", "There is nothing to answer yet: record, drop a file or type first.")
        self._previews.cancel()
        item, words, began = said or ("", None, time.monotonic())
        self._exchange.respond(item, words, began, settings)

    def _reset(self, _: ClientEvent) -> None:
        self._exchange.stop()
        self._conversation.reset()

    # -- items -----------------------------------------------------------------------------------------------------

    def _create_item(self, event: ClientEvent) -> None:
        item = event["item"]
        name = str(item.get("id") or new_id("item"))
        if (sound := sound_of(item, self._exchange.settings.heard)) is not None:
            self._take(sound, name)
            return
        message, memory = message_of(item), self._conversation.memory
        before = event.get("previous_item_id") or memory.last_id
        memory.add(name, message, after=before)
        if message.role == "user":
            self._said = (name, message.content, time.monotonic())
        for kind in ("added", "done"):
            self._out.send(f"conversation.item.{kind}", previous_item_id=before, item=item_json(name, message))

    def _retrieve_item(self, event: ClientEvent) -> None:
        message = self._conversation.memory.get(event["item_id"])
        if message is None:
            raise no_such_item()
        self._out.send("conversation.item.retrieved", item=item_json(event["item_id"], message))

    def _truncate_item(self, event: ClientEvent) -> None:
        item, milliseconds = event["item_id"], max(0, int(event["audio_end_ms"]))
        self._exchange.heard_until(item, milliseconds / 1000)
        self._out.send(
            "conversation.item.truncated",
            item_id=item,
            content_index=int(event.get("content_index", 0)),
            audio_end_ms=milliseconds,
        )

    def _delete_item(self, event: ClientEvent) -> None:
        if not self._conversation.memory.forget(event["item_id"]):
            raise no_such_item()
        self._out.send("conversation.item.deleted", item_id=event["item_id"])

    # -- what is done in threads -----------------------------------------------------------------------------------

    def _warm_up(self) -> None:
        """Load what the first turn will need while the person still reads the page."""

        def begun(job: str) -> None:
            self._out.send("funaudio.status", engines=engines_json(self._engines))
            if not self._engines.get(job).info.loaded:
                self._out.stage("loading", message_key=f"loading_{job}")

        self._engines.load(begun)
        self._warm()
        self._out.send("funaudio.status", engines=engines_json(self._engines))
        self._out.stage("idle")

    def _warm(self) -> None:
        settings = self._exchange.settings
        wanted = (settings.turn.persona, settings.lang)
        if wanted != self._warmed:
            self._warmed = wanted
            warm(self._engines, self._conversation, settings.turn, settings.lang)

    def _check_tools(self) -> None:
        """Who thinks may not be able to use tools: the client is told, and its tools are not offered."""
        if self._engines.get("chat").info.capabilities.get("tools", True) is True:
            return
        self._exchange.settings = self._exchange.settings.updated({"tools": ()})
        self._out.fail(UserError("tools_unavailable", "The language model here cannot use tools: choose another."))
        self._out.send("session.updated", session=self._describe())

    def _preview(self, event: ClientEvent) -> None:
        self._exchange.start(self._speak_sample, str(event["voice"]))

    def _speak_sample(self, voice_id: str) -> None:
        scope, settings = self._previews.begin(), self._exchange.settings
        synthesizer = self._engines.synthesizer
        voice = pick_voice(synthesizer, voice_id, settings.lang)
        text = SAMPLES.get(voice.languages[0], SAMPLES["en"])
        for chunk in synthesizer.synthesize(SpeechRequest(text, voice, speed=settings.turn.speed)):
            scope.check()
            delta = pcm16_base64(chunk.audio)
            self._out.send(
                "response.output_audio.delta",
                response_id=PREVIEW,
                delta=delta,
                funaudio=chunk_json(chunk, "neutral"),
            )
        self._out.send("response.output_audio.done", response_id=PREVIEW)

    def _describe(self) -> dict[str, Any]:
        return {"id": self._conversation.id, **self._exchange.settings.json()}


def _id_of(event: Any) -> str | None:
    """The client's own name for its event."""
    name = event.get("event_id") if isinstance(event, dict) else None
    return str(name)[:100] if name else None
