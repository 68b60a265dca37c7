"""One protocol per job. Requests are frozen, results stream through iterators, and closing one cancels its work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from webui.types import Audio, Segment, SpeechChunk, Style, Voice, VoiceBaseline


@dataclass(frozen=True)
class EngineInfo:
    """What an engine is, for the page and for the log.

    ``capabilities`` maps a name (``words``, ``emotion``, ``events``, ``styles``, ``clone`` …) to True, or to the
    sentence that says why the engine cannot. ``languages`` are codes; ``licence`` an SPDX name where there is one.
    """

    name: str
    languages: tuple[str, ...]
    capabilities: Mapping[str, bool | str]
    device: str
    licence: str
    loaded: bool


class Engine(Protocol):
    """What every engine has, whatever its job."""

    @property
    def info(self) -> EngineInfo:
        """What it is, and whether its weights are in memory."""
        ...

    def load(self) -> None:
        """Bring the weights into memory; a second call does nothing. Raises ``ModelError``."""
        ...

    def close(self) -> None:
        """Give the memory back; the next request loads again."""
        ...


@dataclass(frozen=True, eq=False)
class RecognitionRequest:
    """Speech to be understood.

    ``audio`` is one recording, or blocks of one long recording in order (any rate, the same throughout).
    ``language`` is a code or ``auto``. ``itn`` writes numbers as digits. ``words`` asks for word times.
    ``baseline`` is the speaker's usual voice, for emotion. ``speakers`` asks who speaks in each segment; segments then
    come when the whole recording was heard, and an engine whose ``capabilities`` lack ``speakers`` leaves them None.
    """

    audio: Audio | Iterable[Audio]
    language: str = "auto"
    itn: bool = True
    words: bool = True
    baseline: VoiceBaseline | None = None
    speakers: bool = False


class Recognizer(Engine, Protocol):
    """Speech in, segments out, in order of time."""

    def transcribe(self, request: RecognitionRequest) -> Iterator[Segment]:
        """Yield each segment as it is done. Silence yields none, or event-only segments. Raises ``AudioError``."""
        ...


@dataclass(frozen=True)
class Tool:
    """Something the model may ask its caller to do. ``parameters`` is the JSON Schema of the call's arguments."""

    name: str
    description: str
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class ToolCall:
    """The model's wish to have a tool used. ``arguments`` is JSON as the model wrote it: check it before use."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Message:
    """One message of a chat.

    An assistant's message may hold ``tool_calls``; the answer to each is a message of role ``tool`` whose
    ``tool_call_id`` is the call's id.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True)
class ChatRequest:
    """A chat to be continued. ``schema`` (JSON Schema) makes the answer one JSON value of that form.

    ``tools`` may be called by the model; a request that offers none is answered in words only.
    """

    messages: tuple[Message, ...]
    max_tokens: int = 320
    temperature: float = 0.7
    schema: Mapping[str, Any] | None = field(default=None, hash=False)
    tools: tuple[Tool, ...] = ()


class TextStream(Protocol):
    """An answer as it is written. ``close`` stops the model at once, from any thread."""

    def __iter__(self) -> Iterator[str | ToolCall]:
        """The pieces in order: text as it comes, and each call of an offered tool when it is whole."""
        ...

    def close(self) -> None:
        """Stop; what has not been read is dropped."""
        ...


def words(stream: TextStream) -> Iterator[str]:
    """The pieces of an answer to a request without tools, which are text and nothing else."""
    for piece in stream:
        assert isinstance(piece, str), "a tool was called that was not offered"
        yield piece


class ChatModel(Engine, Protocol):
    """Messages in, a stream of text and tool calls out."""

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""
        ...

    def count_tokens(self, text: str) -> int:
        """How many tokens ``text`` takes."""
        ...

    def chat(self, request: ChatRequest) -> TextStream:
        """Start an answer. Raises ``EngineError``, from here or from the stream."""
        ...


@dataclass(frozen=True)
class SpeechRequest:
    """Words to be spoken. ``language`` is a code or ``auto`` (told from the text). ``speed`` 0.5 to 2.

    ``eager`` gives a short first piece, for speech that nothing is playing before.
    """

    text: str
    voice: Voice
    style: Style = Style()
    speed: float = 1.0
    language: str = "auto"
    seed: int | None = None
    eager: bool = True


class Synthesizer(Engine, Protocol):
    """Text in, speech out, piece by piece."""

    def voices(self) -> Sequence[Voice]:
        """The voices that are there now, the best first."""
        ...

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        """Yield speech as it is made. Raises ``EngineError`` where the language or voice is not to be had."""
        ...


class VoiceConverter(Engine, Protocol):
    """Speech in, the same speech in another voice out. Some synthesizers are one too: their capability ``convert``."""

    def convert(self, source: Audio, voice: Voice) -> Iterator[SpeechChunk]:
        """Yield ``source`` as ``voice`` would have said it. Raises ``AudioError`` and ``EngineError``."""
        ...
