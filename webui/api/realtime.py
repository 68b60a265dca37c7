"""``/v1/realtime``: the voice turn over a WebSocket, as a subset of OpenAI's Realtime protocol.

Push to talk: audio is appended, committed, and answered on ``response.create``. What is heard beyond words, and what
the page draws, rides in a ``funaudio`` field of the same events, which other clients ignore. ``docs/realtime.md``
lists the events.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from webui.api.wire import chunk_json, engines_json, heard_json, pcm16_base64
from webui.audio.convert import from_pcm16
from webui.audio.decode import decode
from webui.conversation.latency import LatencyMarks
from webui.conversation.prompts import LANGUAGE_NAMES, PERSONAS
from webui.conversation.scope import Generations
from webui.conversation.session import Conversation
from webui.engines.protocols import SpeechRequest
from webui.engines.registry import Engines
from webui.errors import AudioError, Cancelled, UserError
from webui.features.chat import (
    MAX_TURN_SECONDS,
    Finished,
    Heard,
    Spoke,
    Turn,
    TurnEvent,
    TurnSettings,
    Unspoken,
    Wrote,
    pick_voice,
    warm,
)
from webui.features.render import rich
from webui.types import STYLES, Audio

log = logging.getLogger(__name__)

PCM_RATE = 24000  # Hz, both ways
MAX_BUFFER_BYTES = int(MAX_TURN_SECONDS * PCM_RATE * 2)
MAX_UPLOAD_BYTES = 50 * 1024 * 1024  # of one dropped file
MAX_FRAME_CHARS = 2 * 1024 * 1024  # of one JSON frame
MAX_PERSONA_CHARS = 1000
SPEEDS = (0.5, 2.0)

PREVIEW = "preview"  # response id of a voice's sample
SAMPLES = {"zh": "你好，很高兴认识你。今天想聊点什么？", "en": "Hello, nice to meet you. What shall we talk about?"}

ClientEvent = dict[str, Any]


class RealtimeSession:
    """One socket and its conversation. Runs on the event loop; turns run in threads and report back through it."""

    def __init__(self, socket: WebSocket, engines: Engines, conversation: Conversation) -> None:
        self._socket = socket
        self._engines = engines
        self._conversation = conversation
        self._settings = TurnSettings()
        self._language = "en"  # the page's, and so probably the person's
        self._warmed: tuple[str, str] | None = None  # persona and language that the model has read
        self._loop = asyncio.get_running_loop()
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._recording = bytearray()
        self._upload = bytearray()
        self._said: Audio | str | asyncio.Future[Audio] | None = None
        self._marks = LatencyMarks()
        self._previews = Generations()
        self._work: set[asyncio.Task[None]] = set()
        self._handlers: dict[str, Callable[[ClientEvent], None]] = {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.clear": lambda _: self._recording.clear(),
            "input_audio_buffer.commit": self._commit,
            "conversation.item.create": self._create_item,
            "response.create": self._respond,
            "response.cancel": lambda _: self._conversation.generations.cancel(),
            "funaudio.input_file": self._receive_file,
            "funaudio.preview": self._preview,
            "funaudio.reset": self._reset,
        }

    async def run(self) -> None:
        """Serve until the client goes; then stop everything that still works for it."""
        sender = asyncio.create_task(self._send_all())
        self._send("session.created", session={"type": "realtime", "id": self._conversation.id})
        self._start(self._warm_up)
        try:
            while True:
                self._receive(await self._socket.receive_text())
        except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame, which this protocol does not have
            log.debug("a page has gone")
        finally:
            self._conversation.generations.cancel()
            self._previews.cancel()
            await asyncio.gather(*self._work, return_exceptions=True)
            sender.cancel()

    def fetching(self, what: str, done: int, total: int) -> None:
        """Weights are being fetched for whoever waits: told to the page. May be called from any thread."""
        self._stage("loading", message_key="fetching_model", values={"name": what}, progress=done / max(total, 1))

    def engines_changed(self) -> None:
        """Another engine has taken over a job. May be called from any thread."""
        self._send("funaudio.engines", engines=engines_json(self._engines))

    def idle(self) -> None:
        """What was being loaded for all pages is loaded, or has failed. May be called from any thread."""
        self._stage("idle")

    # -- what comes in -------------------------------------------------------------------------------------------

    def _receive(self, frame: str) -> None:
        try:
            if len(frame) > MAX_FRAME_CHARS:
                raise UserError("frame_too_long", "One message is too long: send the audio in smaller pieces.")
            event = json.loads(frame)
            handler = self._handlers.get(event["type"])
            if handler is None:
                raise UserError("unknown_event", "This server does not know that kind of event.")
            handler(event)
        except UserError as error:
            self._fail(error)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self._fail(UserError("malformed_event", "That message is not of the form that this server expects."))

    def _update(self, event: ClientEvent) -> None:
        session = event["session"]
        ours = session.get("funaudio", {})
        output = session.get("audio", {}).get("output", {})
        old = self._settings
        self._language = str(ours.get("lang", self._language))
        told = PERSONAS.get(str(ours.get("persona")), {})
        persona = str(session.get("instructions") or told.get(self._language, told.get("en", old.persona)))
        style = ours.get("style", old.style)
        language = ours.get("reply_language", old.reply_language)
        self._settings = TurnSettings(
            voice=str(output.get("voice", old.voice)),
            style=style if style in STYLES else "auto",
            style_strength=_clamp(ours.get("style_strength", old.style_strength), 0.0, 1.0),
            speed=_clamp(output.get("speed", old.speed), *SPEEDS),
            reply_language=language if language in LANGUAGE_NAMES else "same",
            persona=persona[:MAX_PERSONA_CHARS],
            itn=bool(ours.get("itn", old.itn)),
        )
        if self._warmed is not None:
            self._start(self._warm)
        self._send("session.updated", session={"type": "realtime", "id": self._conversation.id})

    def _append(self, event: ClientEvent) -> None:
        self._recording += base64.b64decode(event["audio"], validate=True)
        if len(self._recording) > MAX_BUFFER_BYTES:
            minutes = round(MAX_TURN_SECONDS / 60)
            self._recording.clear()
            raise AudioError("turn_too_long", f"Keep one question under {minutes} minutes.", minutes=minutes)

    def _commit(self, _: ClientEvent) -> None:
        pcm, self._recording = bytes(self._recording), bytearray()
        if not pcm:
            raise AudioError("empty_audio", "Nothing was recorded. Check the microphone, and try again.")
        self._take(from_pcm16(pcm, PCM_RATE))

    def _receive_file(self, event: ClientEvent) -> None:
        self._upload += base64.b64decode(event["data"], validate=True)
        if len(self._upload) > MAX_UPLOAD_BYTES:
            self._upload.clear()
            megabytes = MAX_UPLOAD_BYTES // 1024**2
            raise AudioError("file_too_large", f"Choose a file under {megabytes} MB.", megabytes=megabytes)
        if event.get("last"):
            data, self._upload = bytes(self._upload), bytearray()
            self._take(
                self._loop.run_in_executor(
                    None, partial(decode, data, max_seconds=MAX_TURN_SECONDS, on_problem=self._fail)
                )
            )

    def _create_item(self, event: ClientEvent) -> None:
        parts = event["item"]["content"]
        self._take("\n".join(part["text"] for part in parts if part["type"] == "input_text"))

    def _take(self, said: Audio | str | asyncio.Future[Audio]) -> None:
        """Something was said: it is answered on the next ``response.create``. Latency counts from here."""
        self._said = said
        self._marks = LatencyMarks()
        item = {"id": _new_id("item"), "type": "message", "role": "user"}
        if not isinstance(said, str):
            self._send("input_audio_buffer.committed", item_id=item["id"])
        self._send("conversation.item.added", item=item)

    def _respond(self, _: ClientEvent) -> None:
        said, self._said = self._said, None
        if said is None:
            raise UserError("nothing_said", "There is nothing to answer yet: record, drop a file or type first.")
        self._previews.cancel()
        self._start(self._answer, said, self._settings, self._marks)

    def _preview(self, event: ClientEvent) -> None:
        self._start(self._speak_sample, str(event["voice"]))

    def _reset(self, _: ClientEvent) -> None:
        self._conversation.reset()

    # -- what is done, in threads --------------------------------------------------------------------------------

    def _start(self, work: Callable[..., Any], *args: Any) -> None:
        task = asyncio.create_task(self._guard(work, *args))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _guard(self, work: Callable[..., Any], *args: Any) -> None:
        try:
            if asyncio.iscoroutinefunction(work):
                await work(*args)
            else:
                await asyncio.to_thread(work, *args)
        except Cancelled:
            return
        except UserError as error:
            self._fail(error)
        except Exception:
            log.exception("unexpected failure")
            self._fail(UserError("internal", "Something went wrong on our side. Try again; the log has the details."))

    def _warm_up(self) -> None:
        """Load what the first turn will need while the person still reads the page."""

        def begun(job: str) -> None:
            self._send("funaudio.status", engines=engines_json(self._engines))
            if not self._engines.get(job).info.loaded:
                self._stage("loading", message_key=f"loading_{job}")

        self._engines.load(begun)
        self._warm()
        self._send("funaudio.status", engines=engines_json(self._engines))
        self._stage("idle")

    def _warm(self) -> None:
        wanted = (self._settings.persona, self._language)
        if wanted != self._warmed:
            self._warmed = wanted
            warm(self._engines, self._settings, self._language)

    async def _answer(
        self, said: Audio | str | asyncio.Future[Audio], settings: TurnSettings, marks: LatencyMarks
    ) -> None:
        turn = Turn(self._engines, self._conversation, settings, marks)
        response = _new_id("resp")
        self._send("response.created", response={"id": response, "status": "in_progress"})
        status = "failed"
        try:
            self._stage("hearing")
            audio = await said if isinstance(said, asyncio.Future) else said
            status = await asyncio.to_thread(self._run, turn, audio, response)
        except Cancelled:
            status = "cancelled"
        except UserError as error:
            self._fail(error)
        finally:
            turn.scope.cancel()
            self._send("response.output_audio.done", response_id=response)
            self._send(
                "response.done",
                response={"id": response, "status": status},
                funaudio={"latency": marks.summary(), "style": turn.style},
            )
            self._stage("idle")

    def _run(self, turn: Turn, said: Audio | str, response: str) -> str:
        self._stage("understanding" if isinstance(said, Audio) else "thinking")
        for event in turn.run(said):
            self._report(event, said, response)
        return "completed"

    def _report(self, event: TurnEvent, said: Audio | str, response: str) -> None:
        if isinstance(event, Heard) and isinstance(said, Audio):
            self._send(
                "conversation.item.input_audio_transcription.completed",
                transcript=event.transcript.text,
                funaudio=heard_json(said, event.transcript, rich(event.transcript)),
            )
            self._stage("thinking")
        elif isinstance(event, Wrote):
            self._send("response.output_audio_transcript.delta", response_id=response, delta=event.text)
        elif isinstance(event, Spoke):
            self._send(
                "response.output_audio.delta",
                response_id=response,
                delta=pcm16_base64(event.chunk.audio),
                funaudio=chunk_json(event.chunk, event.style),
            )
            self._stage("speaking")
        elif isinstance(event, Unspoken):
            self._fail(event.error)
        elif isinstance(event, Finished):
            self._send("response.output_audio_transcript.done", response_id=response, transcript=event.reply)

    def _speak_sample(self, voice_id: str) -> None:
        scope = self._previews.begin()
        synthesizer = self._engines.synthesizer
        voice = pick_voice(synthesizer, voice_id, self._language)
        text = SAMPLES.get(voice.languages[0], SAMPLES["en"])
        for chunk in synthesizer.synthesize(SpeechRequest(text, voice, speed=self._settings.speed)):
            scope.check()
            delta = pcm16_base64(chunk.audio)
            self._send(
                "response.output_audio.delta",
                response_id=PREVIEW,
                delta=delta,
                funaudio=chunk_json(chunk, "neutral"),
            )
        self._send("response.output_audio.done", response_id=PREVIEW)

    # -- what goes out, from any thread --------------------------------------------------------------------------

    def _stage(self, stage: str, **more: Any) -> None:
        self._send("funaudio.stage", stage=stage, **more)

    def _fail(self, error: UserError) -> None:
        detail = {"type": "invalid_request_error", "code": error.key, "message": error.message, "values": error.values}
        self._send("error", error=detail)

    def _send(self, kind: str, **fields: Any) -> None:
        frame = json.dumps({"type": kind, "event_id": _new_id("event"), **fields}, ensure_ascii=False)
        self._loop.call_soon_threadsafe(self._outgoing.put_nowait, frame)

    async def _send_all(self) -> None:
        try:
            while True:
                await self._socket.send_text(await self._outgoing.get())
        except (WebSocketDisconnect, RuntimeError):  # RuntimeError: the socket was closed while something was sent
            log.debug("a page went while it was being told something")


def _new_id(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(8)}"


def _clamp(value: Any, low: float, high: float) -> float:
    return min(high, max(low, float(value)))
