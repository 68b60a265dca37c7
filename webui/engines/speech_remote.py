"""Speech from another machine: a server of any kind over HTTP, or a worker of this program (``tcp://HOST:PORT``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from webui.config import Settings
from webui.engines.protocols import EngineInfo, SpeechRequest, Synthesizer
from webui.engines.speech_http import UNKNOWN, HttpSynthesizer
from webui.engines.store import ModelStore
from webui.engines.worker.client import RemoteWorker
from webui.engines.worker.synthesizer import WorkerSynthesizer
from webui.errors import EngineError
from webui.types import Audio, SpeechChunk, Voice


class RemoteSynthesizer:
    """The ``Synthesizer`` at ``settings.synthesizer_url``; the address says of which kind it is."""

    def __init__(self, store: ModelStore, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _there(self) -> Synthesizer:
        s = self._settings
        if s.synthesizer_url.startswith("tcp://"):
            return WorkerSynthesizer(RemoteWorker(s.synthesizer_url, s.synthesizer_key.get_secret_value()))
        return HttpSynthesizer(s.synthesizer_url, s.synthesizer_model, s.synthesizer_key)

    @property
    def info(self) -> EngineInfo:
        """What is known of it; little before it was first asked."""
        try:
            return self._there.info
        except EngineError:  # an address that is none, which whoever speaks is told
            return EngineInfo("Speech server", (), {}, "", "", loaded=False)

    def load(self) -> None:
        """Ask what is there, and have a worker load its engine. Raises ``EngineError``."""
        self._there.load()

    def close(self) -> None:
        """Drop the connections."""
        self._there.close()

    def voices(self) -> Sequence[Voice]:
        """The voices there; one named Default where they cannot be had, for which whoever speaks is told the reason."""
        try:
            return self._there.voices()
        except EngineError:
            return (UNKNOWN,)

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        """Yield speech as it comes; closing the iterator stops the work there. Raises ``EngineError``."""
        return self._there.synthesize(request)

    def convert(self, source: Audio, voice: Voice) -> Iterator[SpeechChunk]:
        """Yield ``source`` as ``voice`` would have said it; only a worker can. Raises ``UserError``."""
        there = self._there
        if not isinstance(there, WorkerSynthesizer):
            raise EngineError("convert_by_worker", "This server cannot change voices: a worker of this program can.")
        return there.convert(source, voice)
