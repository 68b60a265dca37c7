"""Questions and answers of one session: replies are begun, told, held, taken back, and cut to what was heard."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from webui.api.items import spoken_json
from webui.api.outgoing import Outgoing, error_json
from webui.api.responses import Response
from webui.api.session_settings import SessionSettings
from webui.api.wire import heard_json
from webui.conversation.session import Conversation
from webui.engines.protocols import Message
from webui.engines.registry import Engines
from webui.errors import Cancelled, UserError
from webui.features.chat import Heard, Spoke, TurnEvent, Unspoken
from webui.features.hearing import Utterance, learn, understand
from webui.features.live import Speech
from webui.features.render import rich
from webui.features.replies import Reply
from webui.types import Audio

log = logging.getLogger(__name__)

# A client may still say how far it has played a reply that is so many replies old.
MAX_KNOWN_REPLIES = 8
# Threads of one session: a reply, those begun ahead that are ending, recognition, warming, a preview. Most never begin.
WORKERS = 12

Said = Audio | str | asyncio.Future[Audio] | None
T = TypeVar("T")


class Exchange:
    """Belongs to one socket, and runs on the event loop; ``settings`` are for whatever begins from now on."""

    def __init__(self, engines: Engines, conversation: Conversation, out: Outgoing) -> None:
        self.settings = SessionSettings()
        self.reply: Reply | None = None  # that is being made or heard
        self.busy_at = time.monotonic()  # when something was last said, by either side
        self._engines = engines
        self._conversation = conversation
        self._out = out
        self._threads = ThreadPoolExecutor(WORKERS, "session")
        self._work: set[asyncio.Task[None]] = set()
        self._open: dict[Reply, Response] = {}  # responses that are not closed yet
        self._language = "auto"  # that was spoken last
        self._known: dict[str, tuple[Reply, Response]] = {}  # by the id of their item

    async def in_thread(self, work: Callable[..., T], *args: Any) -> T:
        """Do ``work`` in one of this session's threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)

    def start(self, work: Callable[..., Any], *args: Any) -> None:
        """Have ``work`` done in a thread; what goes wrong in it is told to the client."""

        async def guarded() -> None:
            try:
                await self.in_thread(work, *args)
            except Cancelled:
                return
            except UserError as error:
                self._out.fail(error)
            except Exception:
                log.exception("unexpected failure")
                self._out.fail(_bug())

        self._keep(guarded())

    async def close(self) -> None:
        """Stop everything that still works for this session."""
        self._conversation.generations.cancel()
        self._conversation.warming.stop()
        await asyncio.gather(*self._work, return_exceptions=True)
        self._threads.shutdown(wait=False)

    # -- what was asked for ----------------------------------------------------------------------------------------

    def respond(self, item: str, said: Said, began: float, settings: SessionSettings) -> None:
        """Answer ``said``, the item of that id; where it is None, the conversation as it is."""
        self.stop()
        reply, response = self._begin(item, began, settings, tentative=False, told=False)
        self._release(reply)
        self._keep(self._run(reply, response, item, said))

    def stop(self) -> None:
        """End the reply that is being made or heard; the conversation keeps what was heard of it by our clock."""
        if self.reply is not None and self.reply.active:
            self.reply.cancel()
            self._close(self.reply, "cancelled")
        self.reply = None

    def heard_until(self, item: str, seconds: float) -> None:
        """The client has played so much of the reply that is the item of that id. Raises ``UserError``."""
        if item not in self._known:
            raise no_such_item()
        self._known[item][0].turn.heard_until(seconds)

    # -- what the open microphone brings (``features.live.Audience``) ----------------------------------------------

    @property
    def foresees(self) -> bool:
        """Whether the recognizer works elsewhere than on this machine's processor."""
        return self._engines.get("recognizer").info.device != "CPU"

    async def understand(self, sound: Audio, *, brief: bool = False, finality: bool = True) -> Utterance:
        """Recognise what was said so far, and listen whether it sounds finished.

        What is ``brief`` is taken to be in the conversation's language.
        """
        language, itn = self._language if brief else "auto", self.settings.turn.itn
        work = (understand, self._engines, self._conversation, sound, itn, _nothing, language)
        try:
            if not finality:
                return await self.in_thread(*work)
            utterance, final = await asyncio.gather(self.in_thread(*work), self._finality(sound))
            return replace(utterance, finality=final)
        except (UserError, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("unexpected failure")
            raise _bug() from error

    async def _finality(self, sound: Audio) -> float | None:
        turn_end = self._engines.turn_end
        return await self.in_thread(turn_end.finality, sound) if turn_end.loaded else None

    def answer(self, item: str, utterance: Utterance, began: float, tentative: bool) -> Reply:
        """Begin the reply to what was said aloud."""
        reply, response = self._begin(item, began, self.settings, tentative=tentative, told=True)
        if not tentative:
            self._release(reply)
        self._keep(self._run(reply, response, item, utterance))
        return reply

    def release(self, reply: Reply) -> None:
        """What was begun ahead is the answer."""
        self._release(reply)
        reply.release()

    def speech_started(self, speech: Speech, interrupts: bool) -> None:
        """Somebody has the floor."""
        self.busy_at = time.monotonic()
        if interrupts:
            self.stop()
        self._out.send(
            "input_audio_buffer.speech_started", item_id=speech.item, audio_start_ms=round(speech.began * 1000)
        )
        self._out.stage("hearing")

    def take_back(self, item: str, reply: Reply) -> None:
        """A turn that was not over, and its reply, never were."""
        for name in (item, reply.turn.reply):
            if self._conversation.memory.forget(name):
                self._out.send("conversation.item.deleted", item_id=name)

    def hold(self, reply: Reply) -> None:
        """The player falls silent, and keeps its place."""
        reply.playback.hold()
        self._out.send("funaudio.hold", response_id=self._id(reply))

    def resume(self, reply: Reply) -> None:
        """The player goes on."""
        reply.playback.resume()
        self._out.send("funaudio.resume", response_id=self._id(reply))

    def partial(self, item: str, utterance: Utterance) -> None:
        """What was understood so far."""
        heard = utterance.transcript
        self._out.send(
            "funaudio.partial",
            item_id=item,
            transcript=heard.text,
            language=heard.language,
            emotion=heard.emotion,
            events=[span.event for span in heard.events],
        )

    def ended(self, speech: Speech, utterance: Utterance) -> None:
        """The turn is over."""
        before = self._conversation.memory.last_id
        self._conversation.memory.add(speech.item, Message("user", utterance.transcript.text))
        learn(self._conversation, utterance.transcript)
        self._language = utterance.transcript.language
        self._stopped(speech)
        item = spoken_json(speech.item, utterance.transcript.text)
        self._out.send("input_audio_buffer.committed", item_id=speech.item, previous_item_id=before)
        self._out.send("conversation.item.added", previous_item_id=before, item=item)
        self._out.send("conversation.item.done", previous_item_id=before, item=item)
        self._transcribed(speech.item, utterance)
        self._out.stage("thinking")

    def ignored(self, speech: Speech) -> None:
        """It was no turn."""
        if speech.granted:
            self._stopped(speech)
        reason = "backchannel" if speech.words else "noise"
        events = speech.heard.transcript.events if isinstance(speech.heard, Utterance) else ()
        names = [span.event for span in events]
        self._out.send("funaudio.ignored", item_id=speech.item, reason=reason, transcript=speech.words, events=names)
        if self.reply is None or not self.reply.active:
            self._out.stage("idle")

    def failed(self, speech: Speech, error: UserError) -> None:
        """What was said cannot be recognised."""
        self._stopped(speech)
        self._out.fail(error)
        self._out.stage("idle")

    # -- replies ---------------------------------------------------------------------------------------------------

    def _begin(
        self, item: str, began: float, settings: SessionSettings, *, tentative: bool, told: bool
    ) -> tuple[Reply, Response]:
        """``told``: what was said is known already, and so the client."""
        response = Response(self._out.send, settings.spoken, settings.turn.aloud, item or None)

        def report(event: TurnEvent) -> None:
            if isinstance(event, Heard):
                if not told:
                    self._transcribed(item, event.utterance)
                    self._out.stage("thinking")
            elif isinstance(event, Unspoken):
                self._out.fail(event.error)
            else:
                if isinstance(event, Spoke) and not response.aloud:
                    self._out.stage("speaking")
                response.tell(event)

        reply = Reply(
            self._engines,
            self._conversation,
            settings.turn,
            report,
            question=item,
            reply=response.item_id,
            began=began,
            tentative=tentative,
        )
        self._open[reply] = response
        return reply, response

    def _release(self, reply: Reply) -> None:
        response = self._open[reply]
        response.open()
        self.reply = reply
        self._known[response.item_id] = (reply, response)
        while len(self._known) > MAX_KNOWN_REPLIES:
            del self._known[next(iter(self._known))]

    async def _run(self, reply: Reply, response: Response, item: str, said: Said | Utterance) -> None:
        status, failure = "failed", None
        try:
            if isinstance(said, (Audio, asyncio.Future)):
                self._out.stage("hearing")
            if isinstance(said, asyncio.Future):
                said = await said
            if not isinstance(said, Utterance):
                self._out.stage("understanding" if isinstance(said, Audio) else "thinking")
            status = await self.in_thread(reply.run, said)
        except Cancelled:
            status = "cancelled"
        except UserError as error:
            failure = error
        except Exception:
            log.exception("unexpected failure")
            failure = _bug()
        reply.end()
        if failure is not None and reply in self._open:
            if isinstance(said, (Audio, asyncio.Future)):
                self._out.send(
                    "conversation.item.input_audio_transcription.failed",
                    item_id=item,
                    content_index=0,
                    error=error_json(failure),
                )
            self._out.fail(failure)
        self._close(reply, status, failure)

    def _close(self, reply: Reply, status: str, failure: UserError | None = None) -> None:
        response = self._open.pop(reply, None)
        if response is None or not reply.certain:
            return
        self.busy_at = time.monotonic()
        error = error_json(failure) if failure else None
        response.close(status, reply.turn.style, reply.marks.summary(), error)
        self._out.stage("idle")

    def _id(self, reply: Reply) -> str:
        """The id of its response."""
        return next((response.id for known, response in self._known.values() if known is reply), "")

    def _stopped(self, speech: Speech) -> None:
        at = speech.began if speech.ended is None else speech.ended
        self._out.send("input_audio_buffer.speech_stopped", item_id=speech.item, audio_end_ms=round(at * 1000))

    def _transcribed(self, item: str, utterance: Utterance) -> None:
        heard = utterance.transcript
        self._out.send(
            "conversation.item.input_audio_transcription.completed",
            item_id=item,
            content_index=0,
            transcript=heard.text,
            usage={"type": "duration", "seconds": round(utterance.audio.duration, 3)},
            funaudio=heard_json(utterance.audio, heard, rich(heard)),
        )

    def _keep(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)


def no_such_item() -> UserError:
    """A client has named an item that the conversation does not have."""
    return UserError("no_such_item", "There is no such item in this conversation.")


def _bug() -> UserError:
    return UserError("internal", "Something went wrong on our side. Try again; the log has the details.")


def _nothing() -> None:
    """Asks nobody."""
