"""The voice turn: hear, think, answer aloud, each stage starting on the first piece the one before it gives."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from webui.audio.convert import require_sound
from webui.conversation.latency import FIRST_AUDIO, FIRST_TOKEN, TRANSCRIPT, LatencyMarks
from webui.conversation.memory import Exchange, messages
from webui.conversation.pacing import Pacer
from webui.conversation.prompts import PERSONAS, opening, user_message
from webui.conversation.reply import ReplyParser
from webui.conversation.sentences import SentenceSplitter
from webui.conversation.session import Conversation
from webui.engines.background import Pulled
from webui.engines.protocols import ChatRequest, Message, RecognitionRequest, SpeechRequest, Synthesizer, words
from webui.engines.registry import Engines
from webui.errors import AudioError, Cancelled, EngineError, UserError
from webui.text.script import language_of
from webui.types import Audio, Event, SpeechChunk, Style, Transcript, Voice

log = logging.getLogger(__name__)

MAX_TURN_SECONDS = 300.0  # of one spoken question
MAX_TEXT_CHARS = 4000  # of one typed question
REPLY_TOKENS = 240  # a minute and a half of speech
TEMPERATURE = 0.3  # a small model that draws more freely answers beside the question

# Sounds that say something by themselves, so that they are answered even without words.
_TELLING = {Event.LAUGHTER, Event.CRY, Event.COUGH, Event.SNEEZE, Event.APPLAUSE, Event.SING}


@dataclass(frozen=True)
class TurnSettings:
    """How a turn is answered.

    ``voice`` is an id (empty: the best one that is at home in the reply's language), ``style`` a name or ``auto`` (the
    reply's own tone), ``reply_language`` a code or ``same``, ``persona`` the words that say who answers.
    """

    voice: str = ""
    style: str = "auto"
    style_strength: float = 1.0
    speed: float = 1.0
    reply_language: str = "same"
    persona: str = PERSONAS["friend"]["en"]
    itn: bool = True


@dataclass(frozen=True)
class Heard:
    """The person was understood."""

    transcript: Transcript


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
class Finished:
    """The turn is over."""

    reply: str
    style: str
    latency: dict[str, float]


TurnEvent = Heard | Wrote | Spoke | Unspoken | Finished


class Turn:
    """One exchange. ``run`` it once; cancel it through its ``scope``, from any thread."""

    def __init__(
        self, engines: Engines, conversation: Conversation, settings: TurnSettings, marks: LatencyMarks | None = None
    ) -> None:
        self.scope = conversation.generations.begin()
        self._engines = engines
        self._conversation = conversation
        self._settings = settings
        self._marks = marks or LatencyMarks()
        self._transcript: Transcript | None = None
        self._heard = ""
        self._reply = ""
        self.style = "neutral"
        self._spoken: list[SpeechChunk] = []
        self._events: queue.SimpleQueue[TurnEvent | Exception | None] = queue.SimpleQueue()
        self._sentences: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()

    def run(self, said: Audio | str) -> Generator[TurnEvent, None, None]:
        """Answer ``said`` (speech, or typed text), yielding what happens as it happens.

        Closing the iterator, or cancelling the scope, stops all work; the conversation then remembers only what was
        spoken until then. Raises ``UserError`` where nothing was said or an engine fails, ``Cancelled`` where the turn
        was overtaken.
        """
        finished = False
        try:
            if isinstance(said, Audio):
                self._transcript = self._hear(require_sound(said))
                self._marks.mark(TRANSCRIPT)
                yield Heard(self._transcript)
                self._heard = _words(self._transcript)
            else:
                self._heard = _typed(said)
            for event in self._answer():
                if isinstance(event, Spoke):
                    self._spoken.append(event.chunk)
                yield event
            self.scope.check()
            finished = True
            yield Finished(self._reply.strip(), self.style, self._marks.summary())
        finally:
            self.scope.cancel()
            if self._heard:
                self._remember(said, finished)
            log.info("turn %d %s %s", self.scope.generation, "done" if finished else "stopped", self._marks.summary())

    def _hear(self, audio: Audio) -> Transcript:
        """Understand one utterance against the speaker's own baseline, and add it to that baseline."""
        if audio.duration > MAX_TURN_SECONDS:
            minutes = round(MAX_TURN_SECONDS / 60)
            raise AudioError(
                "turn_too_long",
                f"Keep one question under {minutes} minutes, or use the Transcribe tab.",
                minutes=minutes,
            )
        talk = self._conversation
        request = RecognitionRequest(audio, itn=self._settings.itn, baseline=talk.baseline)
        segments = []
        for segment in self._engines.recognizer.transcribe(request):
            self.scope.check()
            segments.append(segment)
            talk.baseline = talk.baseline.including(segment.voice)
        return Transcript(tuple(segments), audio.duration)

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
            stream = self._engines.chat.chat(self._prompt())
            self.scope.on_cancel(stream.close)
            for piece in words(stream):
                self._marks.mark(FIRST_TOKEN)
                clean = parser.feed(piece)
                self._say(parser, clean, splitter.feed(clean))
            rest = parser.flush()
            self._say(parser, rest, splitter.feed(rest) + splitter.flush())
            if not self._reply.strip():
                raise EngineError("no_reply", "The language model had nothing to say. Ask again in other words.")
        except Exception as error:  # noqa: BLE001  (carried to the turn's own thread, and raised there)
            self._events.put(error)
        finally:
            self._sentences.put(None)

    def _prompt(self) -> ChatRequest:
        chat, settings = self._engines.chat, self._settings
        if settings.reply_language != "same":
            language = settings.reply_language
        elif self._transcript is not None and self._transcript.text:
            language = self._transcript.language
        else:
            language = language_of(self._heard)
        return ChatRequest(
            messages(
                opening(settings.persona, language),
                self._conversation.history,
                user_message(self._heard, self._transcript, language, settings.reply_language != "same"),
                chat.context_tokens - REPLY_TOKENS,
                chat.count_tokens,
            ),
            max_tokens=REPLY_TOKENS,
            temperature=TEMPERATURE,
        )

    def _say(self, parser: ReplyParser, text: str, sentences: list[str]) -> None:
        self.style = (parser.style or "neutral") if self._settings.style == "auto" else self._settings.style
        if text:
            self._reply += text
            self._events.put(Wrote(text))
        for sentence in sentences:
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
                    speech = synthesizer.synthesize(SpeechRequest(text, voice, manner, settings.speed, eager=eager))
                    if isinstance(speech, Pulled):  # a generator could not be closed while it works
                        self.scope.on_cancel(speech.close)
                    for chunk in pacer.watch(text, speech):
                        if self.scope.stale:
                            return
                        self._marks.mark(FIRST_AUDIO)
                        eager = False
                        self._events.put(Spoke(chunk, style))
        except UserError as error:
            self._events.put(Unspoken(error))
        except Exception as error:  # noqa: BLE001  (carried, as above)
            self._events.put(error)
        finally:
            self._events.put(None)

    def _remember(self, said: Audio | str, finished: bool) -> None:
        # Chunks come in order, so their texts are the beginning of the reply that was spoken.
        kept = self._reply.strip() if finished else " ".join(c.text for c in self._spoken if c.text).strip()
        heard = self._transcript
        sounds = {"you": said} if isinstance(said, Audio) else {}
        if self._spoken:
            samples = np.concatenate([chunk.audio.samples for chunk in self._spoken])
            sounds["reply"] = Audio(samples, self._spoken[0].audio.rate)
        record = {
            "you": self._heard,
            "reply": kept,
            "finished": finished,
            "style": self.style,
            "voice": self._settings.voice,
            "language": heard.language if heard else language_of(self._heard),
            "emotion": heard.emotion.value if heard else None,
            "events": [span.event.value for span in heard.events] if heard else [],
            "latency": self._marks.summary(),
        }
        self._conversation.history = (*self._conversation.history, Exchange(self._heard, kept))
        self._conversation.keep(self.scope.generation, record, sounds)


def warm(engines: Engines, settings: TurnSettings, language: str) -> None:
    """Have the model read what every turn in ``language`` begins with, so that the first need not wait for that."""
    prompt = (*opening(settings.persona, language), Message("user", ""))
    answer = engines.chat.chat(ChatRequest(prompt, max_tokens=1))
    next(iter(answer), None)
    answer.close()


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


def _words(transcript: Transcript) -> str:
    if text := transcript.text:
        return text
    if any(span.event in _TELLING for span in transcript.events):
        return "(no words)"
    raise AudioError("no_speech", "No words were heard. Speak a little closer to the microphone, and try again.")


def _typed(text: str) -> str:
    if not text.strip():
        raise UserError("nothing_typed", "There is nothing to answer yet: type something first.")
    if len(text) > MAX_TEXT_CHARS:
        raise UserError("text_too_long", f"Keep it under {MAX_TEXT_CHARS} characters.", limit=MAX_TEXT_CHARS)
    return text.strip()
