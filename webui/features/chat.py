"""The voice turn: hear, think, answer aloud, each stage starting on the first piece the one before it gives."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from webui.conversation.latency import FIRST_AUDIO, FIRST_TOKEN, TRANSCRIPT, LatencyMarks
from webui.conversation.memory import fitting
from webui.conversation.pacing import Pacer
from webui.conversation.playback import Said, heard_of
from webui.conversation.prompts import PERSONAS, opening, user_message
from webui.conversation.reply import ReplyParser
from webui.conversation.sentences import SentenceSplitter
from webui.conversation.session import Conversation, new_id
from webui.engines.protocols import ChatRequest, Message, SpeechRequest, Synthesizer, Tool, ToolCall
from webui.engines.registry import Engines
from webui.errors import Cancelled, EngineError, UserError
from webui.features.hearing import Utterance, learn, understand
from webui.text.script import language_of
from webui.types import Audio, SpeechChunk, Style, Voice

log = logging.getLogger(__name__)

MAX_TEXT_CHARS = 4000  # of one typed question
REPLY_TOKENS = 240  # a minute and a half of speech
TEMPERATURE = 0.3  # a small model that draws more freely answers beside the question


@dataclass(frozen=True)
class TurnSettings:
    """How a turn is answered.

    ``voice`` is an id (empty: the best one that is at home in the reply's language), ``style`` a name or ``auto`` (the
    reply's own tone), ``reply_language`` a code or ``same``, ``persona`` the words that say who answers. ``tools`` may
    be called; ``aloud`` is whether the reply is spoken, not only written.
    """

    voice: str = ""
    style: str = "auto"
    style_strength: float = 1.0
    speed: float = 1.0
    reply_language: str = "same"
    persona: str = PERSONAS["friend"]["en"]
    itn: bool = True
    tools: tuple[Tool, ...] = ()
    aloud: bool = True


@dataclass(frozen=True)
class Heard:
    """The person was understood."""

    utterance: Utterance


@dataclass(frozen=True)
class Wrote:
    """A piece of the reply's text."""

    text: str


@dataclass(frozen=True)
class Spoke:
    """A piece of the reply's speech, and the style it is said in."""

    chunk: SpeechChunk
    style: str


@dataclass(frozen=True)
class Unspoken:
    """The reply, or the rest of it, can be read but not spoken."""

    error: UserError


@dataclass(frozen=True)
class Called:
    """The model wants a tool used. Its result goes into the conversation, and the conversation is answered again."""

    call: ToolCall
    item_id: str


@dataclass(frozen=True)
class Finished:
    """The turn is over."""

    reply: str
    style: str
    latency: dict[str, float]


TurnEvent = Heard | Wrote | Spoke | Unspoken | Called | Finished


class Turn:
    """One exchange. ``run`` it once; cancel it through its ``scope``, from any thread.

    ``question`` and ``reply`` are the ids that its messages have in the conversation. A ``tentative`` turn, one that
    was begun before it was certain that the person had finished, leaves no trace there until it is told to ``commit``.
    """

    def __init__(
        self,
        engines: Engines,
        conversation: Conversation,
        settings: TurnSettings,
        marks: LatencyMarks | None = None,
        *,
        question: str = "",
        reply: str = "",
        tentative: bool = False,
    ) -> None:
        self.scope = conversation.generations.begin()
        self.question, self.reply = question or new_id("item"), reply or new_id("item")
        self.style = "neutral"
        self._engines = engines
        self._conversation = conversation
        self._settings = settings
        self._marks = marks or LatencyMarks()
        self._tentative = tentative
        self._certain = threading.Event()  # set once it is known whether a tentative turn counts
        self.scope.on_cancel(self._certain.set)
        # Of what memory is told, by this turn's own thread and by who commits it and says how much was heard.
        self._lock = threading.RLock()
        self._said: Audio | str | Utterance | None = None
        self._words = ""
        self._understood = self._remembered = self._ended = False
        self._text = self._tone = ""
        self._calls: list[Called] = []
        self._spoken: list[SpeechChunk] = []
        self._pieces: list[Said] = []
        self._heard_s: float | None = None
        self._events: queue.SimpleQueue[TurnEvent | Exception | None] = queue.SimpleQueue()
        self._sentences: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()
        if not tentative:
            self._certain.set()

    def run(self, said: Audio | str | Utterance | None) -> Generator[TurnEvent, None, None]:
        """Answer ``said``, yielding what happens as it happens.

        ``said`` is speech, typed text, an utterance that was understood already, or None: the conversation as it is.
        Closing the iterator, or cancelling the scope, stops all work; the conversation then remembers only what was
        spoken until then. Raises ``UserError`` where nothing was said or an engine fails, ``Cancelled`` where the turn
        was overtaken. A tentative turn ends only when it was committed or cancelled.
        """
        finished = False
        try:
            if isinstance(said, Audio):
                said = understand(self._engines, self._conversation, said, self._settings.itn, self.scope.check)
                learn(self._conversation, said.transcript)
            if isinstance(said, Utterance):
                self._marks.mark(TRANSCRIPT)
                yield Heard(said)
            words = said.words if isinstance(said, Utterance) else typed(said) if said is not None else ""
            with self._lock:
                self._said, self._words, self._understood = said, words, True
                self._begin()
            for event in self._answer():
                if isinstance(event, Spoke):
                    with self._lock:
                        self._spoken.append(event.chunk)
                        self._pieces.append(Said.of(event.chunk))
                yield event
            self.scope.check()
            finished = True
            yield Finished(self._text.strip(), self.style, self._marks.summary())
        except (GeneratorExit, Cancelled):
            self.scope.cancel()
            raise
        finally:
            self._certain.wait()
            self.scope.cancel()
            self._end(finished)
            log.info("turn %d %s %s", self.scope.generation, "done" if finished else "stopped", self._marks.summary())

    def commit(self) -> None:
        """The person had finished: a tentative turn counts from now on."""
        with self._lock:
            self._tentative = False
            self._begin()
        self._certain.set()

    def heard_until(self, seconds: float) -> None:
        """Only so much of the reply's sound was heard; the conversation forgets the rest."""
        with self._lock:
            self._heard_s = seconds
            if not (self._ended and self._remembered):
                return
        kept = self._kept("")
        self._conversation.memory.amend(self.reply, kept, self._toned(kept))
        self._conversation.correct(self.scope.generation, kept)

    def _answer(self) -> Iterator[TurnEvent]:
        """Think in one thread and speak in another; whatever either makes comes out in the order it was made."""
        self.scope.on_cancel(lambda: self._events.put(Cancelled()))
        for work in (self._think, self._speak):
            threading.Thread(target=work, name=work.__name__, daemon=True).start()
        while (event := self._events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event

    def _think(self) -> None:
        try:
            parser, splitter = ReplyParser(), SentenceSplitter()
            request = self._prompt()
            self._conversation.warming.make_way(request.messages, self.scope.check)
            stream = self._engines.chat.chat(request)
            self.scope.on_cancel(stream.close)
            for piece in stream:
                self._marks.mark(FIRST_TOKEN)
                if isinstance(piece, ToolCall):
                    self._calls.append(Called(piece, new_id("item")))
                    self._events.put(self._calls[-1])
                    continue
                clean = parser.feed(piece)
                self._say(parser, clean, splitter.feed(clean))
            rest = parser.flush()
            self._say(parser, rest, splitter.feed(rest) + splitter.flush())
            if not self._text.strip() and not self._calls:
                raise EngineError("no_reply", "The language model had nothing to say. Ask again in other words.")
        except Exception as error:  # noqa: BLE001  (carried to the turn's own thread, and raised there)
            self._events.put(error)
        finally:
            self._sentences.put(None)

    def _prompt(self) -> ChatRequest:
        chat, settings = self._engines.chat, self._settings
        talk = list(self._conversation.memory.told(but=self.question))
        if self._words:
            talk.append(Message("user", self._noted()))
        begin = opening(settings.persona, self._language())
        return ChatRequest(
            fitting(begin, talk, chat.context_tokens - REPLY_TOKENS, chat.count_tokens),
            max_tokens=REPLY_TOKENS,
            temperature=TEMPERATURE,
            tools=settings.tools,
        )

    def _language(self) -> str:
        """The language (a code) to answer in."""
        if self._settings.reply_language != "same":
            return self._settings.reply_language
        if isinstance(self._said, Utterance) and self._said.transcript.text:
            return self._said.transcript.language
        talk = reversed(self._conversation.memory.messages)
        return language_of(self._words or next((m.content for m in talk if m.role == "user"), ""))

    def _noted(self) -> str:
        """The person's words as the model is told them."""
        transcript = self._said.transcript if isinstance(self._said, Utterance) else None
        return user_message(self._words, transcript, self._language(), self._settings.reply_language != "same")

    def _toned(self, reply: str) -> str:
        """The reply as the model wrote it, with the tone to say it in."""
        return f"{self._tone}: {reply}" if reply and self._tone else reply

    def _say(self, parser: ReplyParser, text: str, sentences: list[str]) -> None:
        self._tone = parser.style or ""
        self.style = (parser.style or "neutral") if self._settings.style == "auto" else self._settings.style
        if text:
            self._text += text
            self._events.put(Wrote(text))
        for sentence in sentences if self._settings.aloud else ():
            self._sentences.put((sentence, self.style))

    def _speak(self) -> None:
        try:
            synthesizer, settings = self._engines.synthesizer, self._settings
            voice: Voice | None = None
            pacer = Pacer()
            eager = True  # until something is playing
            while (sentence := self._sentences.get()) is not None:
                rest, style = sentence
                voice = voice or pick_voice(synthesizer, settings.voice, language_of(rest))
                manner = Style(style, settings.style_strength)
                while rest:
                    text, rest = pacer.cut(rest)
                    request = SpeechRequest(text, voice, manner, settings.speed, eager=eager)
                    with self.scope.stopping(synthesizer.synthesize(request)) as speech:
                        for chunk in pacer.watch(text, speech):
                            if self.scope.stale:
                                return
                            self._marks.mark(FIRST_AUDIO)
                            eager = False
                            self._events.put(Spoke(chunk, style))
                    self.scope.check()
        except Cancelled:
            return
        except UserError as error:
            self._events.put(Unspoken(error))
        except Exception as error:  # noqa: BLE001  (carried, as above)
            self._events.put(error)
        finally:
            self._events.put(None)

    def _begin(self) -> None:
        """Have the conversation remember what was said, and keep a place for the answer. Called with the lock held."""
        if self._tentative or self._remembered or not self._understood:
            return
        self._remembered = True
        memory = self._conversation.memory
        if self._words:
            memory.add(self.question, Message("user", self._words), told=self._noted())
        memory.add(self.reply, Message("assistant", ""))

    def _end(self, finished: bool) -> None:
        """Have the conversation remember what was answered, as far as it was heard."""
        with self._lock:
            self._ended = True
            if not self._remembered:
                return
            kept = self._kept(self._text.strip() if finished else "")
            self._conversation.memory.amend(self.reply, kept, self._toned(kept))
        before = self.reply
        for called in self._calls:
            message = Message("assistant", "", tool_calls=(called.call,))
            self._conversation.memory.add(called.item_id, message, after=before)
            before = called.item_id
        self._keep(kept, finished)

    def _kept(self, whole: str) -> str:
        """What of the reply was heard; where nobody told, ``whole``, or else what was spoken."""
        with self._lock:
            if self._heard_s is None:
                # Chunks come in order, so their texts are the beginning of the reply that was spoken.
                return whole or heard_of(self._pieces, float("inf"))
            return heard_of(self._pieces, self._heard_s)

    def _keep(self, kept: str, finished: bool) -> None:
        """Keep the turn for download."""
        said = self._said
        heard = said.transcript if isinstance(said, Utterance) else None
        sounds = {"you": said.audio} if isinstance(said, Utterance) else {}
        if self._spoken:
            samples = np.concatenate([chunk.audio.samples for chunk in self._spoken])
            sounds["reply"] = Audio(samples, self._spoken[0].audio.rate)
            self._spoken.clear()
        record = {
            "you": self._words,
            "reply": kept,
            "finished": finished,
            "style": self.style,
            "voice": self._settings.voice,
            "language": heard.language if heard else language_of(self._words),
            "emotion": heard.emotion.value if heard else None,
            "events": [span.event.value for span in heard.events] if heard else [],
            "latency": self._marks.summary(),
        }
        self._conversation.keep(self.scope.generation, record, sounds)


def warm(engines: Engines, conversation: Conversation, settings: TurnSettings, language: str) -> None:
    """Have the model read what every turn in ``language`` begins with, so that the first need not wait for that."""
    conversation.warming.read(engines.chat, opening(settings.persona, language))


def pick_voice(synthesizer: Synthesizer, voice_id: str, language: str) -> Voice:
    """The voice of that id; where it is empty, the first that is at home in ``language`` (a code), else the first.

    Raises ``EngineError`` for one that is not there.
    """
    voices = synthesizer.voices()
    if not voice_id:
        return next((voice for voice in voices if voice.languages[:1] == (language,)), voices[0])
    for voice in voices:
        if voice.id == voice_id:
            return voice
    raise EngineError("no_such_voice", "That voice is not installed here. Choose another one from the list.")


def typed(text: str) -> str:
    """A typed question without the spaces around it. Raises ``UserError`` where it is empty or too long."""
    if not text.strip():
        raise UserError("nothing_typed", "There is nothing to answer yet: type something first.")
    if len(text) > MAX_TEXT_CHARS:
        raise UserError("text_too_long", f"Keep it under {MAX_TEXT_CHARS} characters.", limit=MAX_TEXT_CHARS)
    return text.strip()
