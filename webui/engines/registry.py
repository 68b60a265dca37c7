"""The engines of this process. Adapters are named by import string, built on first use, lent, and switched."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, cast

from webui.config import Settings
from webui.engines.choosing import EMBEDDED, JOBS, Choice, Option, Sentence, choose, model_for, options
from webui.engines.lending import Seat
from webui.engines.probe import Probe, look, models_here
from webui.engines.protocols import ChatModel, Engine, Recognizer, Synthesizer
from webui.engines.smart_turn import SmartTurn
from webui.engines.speaker_encoder import SpeakerEncoder
from webui.engines.store import ModelStore
from webui.errors import Cancelled, EngineError, ModelError, UserError

log = logging.getLogger(__name__)

# job -> name -> import string of a class that takes (store, settings).
BUILT_IN = {
    "recognizer": {
        "whisper": "webui.engines.whisper:WhisperRecognizer",
        "whisper-small": "webui.engines.whisper_sizes:WhisperSmall",
        "whisper-medium": "webui.engines.whisper_sizes:WhisperMedium",
        "whisper-turbo": "webui.engines.whisper_sizes:WhisperTurbo",
        "whisper-large-v3": "webui.engines.whisper_sizes:WhisperLarge",
        "sensevoice": "webui.engines.sensevoice_onnx:SherpaSenseVoice",
        "sensevoice-whisper": "webui.engines.sensevoice_whisper:SenseVoiceWhisper",
        "funasr": "webui.engines.sensevoice_funasr:FunAsrSenseVoice",
        "remote": "webui.engines.recognizer_remote:RemoteRecognizer",
    },
    "chat": {
        "llama": "webui.engines.llama:LlamaChat",
        "transformers": "webui.engines.transformers_chat:TransformersChat",
        "openai": "webui.engines.openai_chat:RemoteChat",
    },
    "synthesizer": {
        "kokoro": "webui.engines.kokoro:KokoroSynthesizer",
        "cosyvoice": "webui.engines.cosyvoice:CosyVoiceSynthesizer",
        "remote": "webui.engines.speech_remote:RemoteSynthesizer",
    },
}
# Packages add engines of their own as entry points "<job>.<name>" of this group.
ENTRY_POINT_GROUP = "funaudio_webui.engines"


def available() -> dict[str, dict[str, str]]:
    """Every engine that can be named, third-party ones included: job -> name -> import string."""
    found = {job: dict(engines) for job, engines in BUILT_IN.items()}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        job, _, name = point.name.partition(".")
        if job in found and name:
            found[job][name] = point.value
    return found


def check_names(settings: Settings) -> None:
    """Raise ``EngineError`` where the settings name an engine that there is not."""
    for job, engines in available().items():
        name = str(getattr(settings, job))
        if name and name not in engines:
            raise _unknown(name, engines)


class Engines:
    """The engines of this process: one instance for each job, shared by all sessions, built on first use.

    The machine is looked at in a thread that starts here; ``choices`` waits for it where the profile needs to know.
    ``changed`` is called, from any thread, when another engine has taken over a job.
    """

    def __init__(
        self, settings: Settings, store: ModelStore, probe: Callable[[Settings, ModelStore, bool], Probe] = look
    ) -> None:
        self.settings = settings
        self.store = store
        self.changed: Callable[[], None] = _nothing
        self.turn_end = SmartTurn(store)
        """Tells by the sound whether somebody is done, once it is ``loaded``; where it is not, the words must do."""
        self.speaker = SpeakerEncoder(store)
        """Knows a voice again; it is loaded by who first asks."""
        self._sought_turn_end = False
        self._seen = Probe()
        self._lock = threading.RLock()
        self._busy = {job: threading.Lock() for job in JOBS}
        self._choices: dict[str, Choice] = {}
        self._seats: dict[str, Seat] = {}
        self._looking = threading.Thread(target=self._look, args=(probe,), name="probe", daemon=True)
        self._looking.start()

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Who does which job, in the order of ``JOBS``."""
        if self.settings.profile != "embedded":
            self._looking.join()
        with self._lock:
            if not self._choices:
                self._choices = {choice.job: choice for choice in choose(self.settings, self._seen)}
                for choice in self._choices.values():
                    log.info("%s: %s (%s)", choice.job, choice.name, choice.why.key)
            return tuple(self._choices[job] for job in JOBS)

    @property
    def probe(self) -> Probe:
        """What was found on this machine, with the weights that are here now."""
        self._looking.join()
        return replace(self._seen, models=models_here(self.settings, self.store))

    @property
    def recognizer(self) -> Recognizer:
        """Speech in, transcript out."""
        return cast(Recognizer, self._fit("recognizer").lend())

    @property
    def chat(self) -> ChatModel:
        """Messages in, text out."""
        return cast(ChatModel, self._fit("chat").lend())

    @property
    def synthesizer(self) -> Synthesizer:
        """Text in, speech out."""
        return cast(Synthesizer, self._fit("synthesizer").lend())

    def get(self, job: str) -> Engine:
        """The engine for ``job``, one of ``JOBS``, as it is: to ask what it is, not to use it."""
        return self._seat(job).engine

    def options(self, job: str) -> tuple[Option, ...]:
        """The engines that ``job`` could be switched to, and what the others lack."""
        return options(job, available()[job], self.settings, self.probe)

    def load(self, begun: Callable[[str], object] = lambda _: None) -> None:
        """Load every engine now; ``begun`` is told each job's name before it is loaded."""
        for job in JOBS:
            begun(job)
            self._fit(job).engine.load()
        self._load_turn_end()

    def switch(self, job: str, name: str, settings: Settings | None = None) -> None:
        """Have engine ``name`` do ``job`` from now on, made from ``settings`` where they are to change.

        It is loaded first. Requests under way finish on the old one, which is then closed. Where the new one cannot be
        loaded, the old one stays, and ``UserError`` says why.
        """
        engines = available()[job]
        if name not in engines:
            raise _unknown(name, engines)
        with self._busy[job]:
            if self._choice(job).name == name and settings is None:
                return
            choice = Choice(job, name, Sentence("why_switched"))
            if settings is None:
                choice = replace(choice, model=model_for(job, name, self.settings, self.probe))
            new = Seat(name, self._build(choice, settings or self.settings))
            try:
                new.engine.load()
            except Exception as error:
                new.engine.close()
                if isinstance(error, (UserError, Cancelled)):
                    raise
                log.exception("%s could not be loaded", name)
                raise _broken(name) from error
            with self._lock:
                self.settings = settings or self.settings
            self._seat_anew(choice, new)

    def close(self) -> None:
        """Free every engine that was built."""
        with self._lock:
            for seat in self._seats.values():
                seat.engine.close()

    def _load_turn_end(self) -> None:
        """Once: a network that is not there keeps nobody waiting twice for what can be done without."""
        with self._lock:
            sought, self._sought_turn_end = self._sought_turn_end, True
        if sought:
            return
        try:
            self.turn_end.load()
        except ModelError as error:
            log.warning("where a turn ends is told by its words alone: %s", error.message)

    def _look(self, probe: Callable[[Settings, ModelStore, bool], Probe]) -> None:
        # The embedded engines are for those who want no network, too: no hub is asked for them.
        try:
            self._seen = probe(self.settings, self.store, self.settings.profile != "embedded")
            self.store.hub = self._seen.hub
        except Exception:
            log.exception("this machine could not be looked at; the embedded engines are used")

    def _choice(self, job: str) -> Choice:
        return next(choice for choice in self.choices if choice.job == job)

    def _fit(self, job: str) -> Seat:
        """The seat of ``job``, fit for use: an engine that was not asked for gives way where it cannot be had."""
        seat, choice = self._seat(job), self._choice(job)
        embedded = choice.name == EMBEDDED[job] and not choice.model
        if not choice.automatic or embedded or seat.engine.info.loaded:
            return seat
        with self._busy[job]:
            seat = self._seat(job)
            try:
                seat.engine.load()
                self._check_model(choice, seat)
            except Cancelled:
                raise
            except UserError as error:
                log.warning("%s stands in for %s: %s", EMBEDDED[job], seat.name, error.message)
                self._stand_in(job, seat, error)
            except Exception:
                log.exception("%s stands in: %s cannot be used", EMBEDDED[job], seat.name)
                self._stand_in(job, seat, _broken(seat.name))
        return self._seat(job)

    def _check_model(self, choice: Choice, seat: Seat) -> None:
        """The embedded engine takes its own model where it cannot have the larger one: then the reason is another."""
        if choice.name != EMBEDDED[choice.job]:
            return
        wanted = self.store.entry(choice.model).title
        if seat.engine.info.name == wanted:
            return
        log.warning("%s stands in for %s, which could not be had", seat.engine.info.name, wanted)
        missing = Sentence("model_unavailable", {"name": wanted})
        with self._lock:
            why = Sentence("why_stands_in", {"engine": wanted})
            self._choices[choice.job] = replace(choice, why=why, missing=missing, model="")
        self.changed()

    def _stand_in(self, job: str, failed: Seat, error: UserError) -> None:
        reason = Sentence(error.key, {name: str(value) for name, value in error.values.items()})
        why = Sentence("why_stands_in", {"engine": failed.engine.info.name})
        choice = Choice(job, EMBEDDED[job], why, missing=reason)
        self._seat_anew(choice, Seat(choice.name, self._build(choice, self.settings)))

    def _seat_anew(self, choice: Choice, seat: Seat) -> None:
        with self._lock:
            old = self._seats.get(choice.job)
            self._seats[choice.job] = seat
            self._choices[choice.job] = choice
        if old is not None:
            old.relieve()
        self.changed()

    def _seat(self, job: str) -> Seat:
        choice = self._choice(job)
        with self._lock:
            if job not in self._seats:
                self._seats[job] = Seat(choice.name, self._build(choice, self.settings))
            return self._seats[job]

    def _build(self, choice: Choice, settings: Settings) -> Engine:
        module, _, attribute = available()[choice.job][choice.name].partition(":")
        build: Any = getattr(import_module(module), attribute)
        if choice.model:
            settings = settings.model_copy(update={"chat_model": choice.model})
        return cast(Engine, build(self.store, settings))


def _unknown(name: str, engines: dict[str, str]) -> EngineError:
    names = ", ".join(engines)
    return EngineError(
        "engine_unknown", f"There is no engine named {name}; choose one of {names}.", name=name, names=names
    )


def _broken(name: str) -> EngineError:
    return EngineError(
        "engine_broken", f"{name} does not start on this machine; the log says why. Choose another engine.", name=name
    )


def _nothing() -> None:
    """Heard by nobody."""
