"""A recognizer behind an address: another program like this one, FunASR's server, or any of OpenAI's protocol."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from webui.audio.convert import is_silent, to_pcm16
from webui.audio.stretches import later
from webui.audio.vad import SpeechDetector
from webui.config import Settings
from webui.engines import http
from webui.engines.listening import Stretch, listen
from webui.engines.protocols import EngineInfo, RecognitionRequest
from webui.engines.recognizer_answers import Answer, foreign_segments, is_ours, our_segments
from webui.engines.store import ModelStore
from webui.errors import EngineError
from webui.types import Audio, Emotion, Segment

if TYPE_CHECKING:
    import httpx

# What OpenAI, FunASR's server and this program take for "whatever hears here".
USUAL_MODEL = "whisper-1"
FUNASR_MODEL = "fun-asr-nano"  # FunASR's server lists it, loaded or not, and not the usual one
_IN_PIECES: dict[str, bool | str] = {
    "speakers": "Recordings go to a server in pieces, so its speakers in one are not those in the next."
}
_HEARS = re.compile("whisper|asr|transcri|sensevoice|paraformer|voxtral|parakeet|canary", re.IGNORECASE)


@dataclass(frozen=True)
class _Server:
    """What is known of the server since it was first asked."""

    client: httpx.Client
    name: str
    model: str
    title: str
    languages: tuple[str, ...] = ()
    capabilities: Mapping[str, bool | str] = field(default_factory=dict)
    licence: str = ""
    ours: bool = False
    form: str = "verbose_json"


class RemoteRecognizer:
    """The server at ``settings.recognizer_url``. One instance serves all sessions; no request's state is kept."""

    def __init__(self, store: ModelStore, settings: Settings) -> None:
        self._url = settings.recognizer_url
        self._key = settings.recognizer_key
        self._lock = threading.Lock()
        self._server: _Server | None = None

    @property
    def info(self) -> EngineInfo:
        """What it is. What it can do is seen when it is asked: who it is by ``load``, its tags by the first answer."""
        server = self._server
        if server is None:
            return EngineInfo("Remote recognizer", (), _unless_seen("The server"), "remote", "", loaded=False)
        return EngineInfo(server.title, server.languages, server.capabilities, "remote", server.licence, loaded=True)

    def load(self) -> None:
        """Ask the server who it is; a second call does nothing. Raises ``EngineError`` where it cannot be asked."""
        self._ready()

    def close(self) -> None:
        """Forget the server once the requests that run now are done; the next request asks again."""
        with self._lock:
            self._server = None

    def transcribe(self, request: RecognitionRequest) -> Iterator[Segment]:
        """Yield each segment as its stretch of at most 30 s comes back, in order of time.

        What the server does not tell is absent: EMO_UNKNOWN, no events, no words. Raises ``AudioError`` where the
        recording is empty, ``EngineError`` where the server fails.
        """
        self._ready()
        for stretch in listen(request.audio, SpeechDetector()):
            if self._worth_sending(stretch):
                for segment in self._hear(stretch.audio, request):
                    yield later(segment, stretch.start)

    def _worth_sending(self, stretch: Stretch) -> bool:
        """Sounds without speech go to those only that tell sounds: others would invent words for them."""
        tells_sounds = self._ready().capabilities.get("events") is True
        return not is_silent(stretch.audio) and (stretch.speech is not False or tells_sounds)

    def _ready(self) -> _Server:
        with self._lock:
            if self._server is None:
                if not self._url:
                    raise EngineError(
                        "recognizer_url_missing", "Give the address of the server that hears, with --recognizer-url."
                    )
                self._server = _meet(http.connect(_root(self._url), self._key))
            return self._server

    def _hear(self, audio: Audio, request: RecognitionRequest) -> list[Segment]:
        server = self._ready()
        answer = self._ask(server, audio, request)
        try:
            if is_ours(answer):
                segments = our_segments(answer)
            else:
                segments = foreign_segments(answer, audio.duration, request.language, request.itn)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _no_transcript(server.name) from error
        self._learn(server, segments)
        return segments if request.words else [replace(s, words=()) for s in segments]

    def _ask(self, server: _Server, audio: Audio, request: RecognitionRequest) -> Answer:
        fields = {"model": server.model, "response_format": server.form}
        if request.language != "auto":
            fields["language"] = request.language
        if server.ours:
            fields["itn"] = str(request.itn).lower()
        elif request.words and server.form == "verbose_json":
            fields["timestamp_granularities[]"] = "word"
        sound = {"file": ("speech.flac", _flac(audio), "audio/flac")}
        try:
            return _json(
                http.send(server.client, "POST", "/v1/audio/transcriptions", data=fields, files=sound), server.name
            )
        except EngineError as error:
            if error.key != "server_refused" or server.form == "json":
                raise
        # Some models have no times to tell, and their servers refuse to be asked for them.
        server = replace(server, form="json")
        answer = self._ask(server, audio, request)
        self._remember(server)
        return answer

    def _learn(self, server: _Server, segments: list[Segment]) -> None:
        """What an answer has shown, the server can do."""
        new = {name for s in segments for name in _shown(s) if server.capabilities.get(name) is not True}
        if new:
            self._remember(replace(server, capabilities={**server.capabilities, **dict.fromkeys(new, True)}))

    def _remember(self, server: _Server) -> None:
        with self._lock:
            if self._server is not None and self._server.client is server.client:
                self._server = server


def _root(url: str) -> str:
    """The address without the ``/v1`` that people copy along with it."""
    return url.strip().rstrip("/").removesuffix("/v1")


def _meet(client: httpx.Client) -> _Server:
    """Ask the server who it is. One that lists no models is taken as it is."""
    name = http.host(str(client.base_url))
    try:
        listed = _json(http.send(client, "GET", "/v1/models"), name).get("data")
    except EngineError as error:
        if error.key != "server_path":
            raise
        listed = None
    models = [m for m in listed if isinstance(m, dict)] if isinstance(listed, list) else []
    about = next((m["funaudio"] for m in models if isinstance(m.get("funaudio"), dict)), None)
    if about is None:
        model = _choose([str(m.get("id", "")) for m in models])
        return _Server(client, name, model, f"{model} ({name})", (), _unless_seen(f"The server at {name}"))
    languages, can = about.get("languages"), about.get("capabilities")
    return _Server(
        client,
        name,
        USUAL_MODEL,
        f"{about.get('title')} ({name})",
        tuple(map(str, languages)) if isinstance(languages, list) else (),
        {str(k): v if v is True else str(v) for k, v in (can if isinstance(can, dict) else {}).items()} | _IN_PIECES,
        str(about.get("licence", "")),
        ours=True,
    )


def _choose(models: list[str]) -> str:
    """The model to ask for, among those that a server lists."""
    if not models or USUAL_MODEL in models or FUNASR_MODEL in models:
        return USUAL_MODEL
    return next((m for m in models if _HEARS.search(m)), models[0])


def _unless_seen(who: str) -> dict[str, bool | str]:
    return {
        "itn": True,
        "words": f"{who} has not told the times of words.",
        "events": f"{who} has not told of sounds other than words.",
        "emotion": f"{who} has not told how a voice sounds.",
        "arousal": f"{who} has not told how energetic a voice is.",
        **_IN_PIECES,
    }


def _shown(segment: Segment) -> Iterator[str]:
    """The capabilities that this segment is proof of."""
    if segment.words:
        yield "words"
    if segment.events:
        yield "events"
    if segment.emotion is not Emotion.EMO_UNKNOWN:
        yield "emotion"
    if segment.arousal is not None:
        yield "arousal"


def _flac(audio: Audio) -> bytes:
    """16-bit FLAC: half of what WAV takes, and every server reads it."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, to_pcm16(audio.samples), audio.rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def _json(response: httpx.Response, name: str) -> Answer:
    try:
        body: Any = response.json()
    except ValueError as error:
        raise _no_transcript(name) from error
    if not isinstance(body, dict):
        raise _no_transcript(name)
    return body


def _no_transcript(name: str) -> EngineError:
    return EngineError(
        "server_no_transcript",
        f"What the server at {name} answers is no transcript: check its address.",
        server=name,
    )
