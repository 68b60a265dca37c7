"""CosyVoice 1, 2 and 3: cloned voices, styles in words, voice conversion. The library lives in a worker process."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from webui.config import ROOT, Settings
from webui.engines.cosyvoice_voices import (
    LANGUAGES,
    LICENCE,
    TRAINED,
    capabilities,
    check_clip,
    generation,
    preset,
)
from webui.engines.house_voices import house_voices
from webui.engines.protocols import EngineInfo, SpeechRequest
from webui.engines.store import ModelStore
from webui.engines.worker.process import WorkerProcess
from webui.engines.worker.synthesizer import WorkerSynthesizer
from webui.errors import ModelError
from webui.types import Audio, SpeechChunk, Voice

# Model -> its generation, the best first. CosyVoice 3 needs code that no package has.
MODELS = {
    "cosyvoice3-0.5b": 3,
    "cosyvoice2-0.5b": 2,
    "cosyvoice-300m-instruct": 1,
    "cosyvoice-300m-sft": 1,
    "cosyvoice-300m": 1,
}
ENGINE = "webui.engines.cosyvoice_model:CosyVoiceModel"


class CosyVoiceSynthesizer:
    """A ``Synthesizer`` and ``VoiceConverter`` at 22.05 (CosyVoice 1) or 24 kHz. One instance serves all.

    A worker that dies takes its request with it, which says so in one sentence; the next request starts another.
    """

    def __init__(self, store: ModelStore, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._lock = threading.Lock()
        self._process: WorkerProcess | None = None
        self._synthesizer: WorkerSynthesizer | None = None

    @property
    def info(self) -> EngineInfo:
        """What the chosen model can do; before it is loaded, what its generation can."""
        synthesizer, process = self._synthesizer, self._process
        if synthesizer and process and synthesizer.info.name.startswith("CosyVoice"):
            return replace(synthesizer.info, loaded=synthesizer.info.loaded and process.pid is not None)
        name, number, _ = self._chosen()
        return EngineInfo(
            name=f"CosyVoice {number}",
            languages=LANGUAGES[number],
            capabilities=capabilities(number, told=number > 1 or "instruct" in Path(name).name.lower()),
            device="",
            licence=LICENCE,
            loaded=False,
        )

    @property
    def worker_pid(self) -> int | None:
        """The worker's process, where one runs."""
        return self._process.pid if self._process else None

    def load(self) -> None:
        """Start the worker and have it read the weights. Raises ``ModelError``."""
        self._ready().load()

    def close(self) -> None:
        """End the worker, and with it all memory it had."""
        with self._lock:
            if self._synthesizer:
                self._synthesizer.close()
            self._synthesizer = self._process = None

    def voices(self) -> Sequence[Voice]:
        """The speakers in the checkpoint, then voices from our own clips, which any CosyVoice but the SFT one takes."""
        name, number, _ = self._chosen()
        if self._synthesizer and self._synthesizer.info.loaded:
            stored = list(self._synthesizer.voices())
        elif name.endswith(("-sft", "-instruct")):
            stored = [preset(speaker, number) for speaker in TRAINED]
        else:
            stored = []
        return [*stored, *house_voices(LANGUAGES[number])]

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        """Yield ``request.text`` as speech; closing the iterator stops the worker's work on it.

        Raises ``EngineError`` and ``AudioError``, each with one sentence.
        """
        request = replace(request, voice=self._whole(request.voice))
        yield from self._ready().synthesize(request)

    def convert(self, source: Audio, voice: Voice) -> Iterator[SpeechChunk]:
        """Yield ``source`` (any length, at least 16 kHz) as ``voice`` would have said it, in pieces under 30 s."""
        yield from self._ready().convert(source, self._whole(voice))

    def _whole(self, voice: Voice) -> Voice:
        """The voice with its clip: ours are known by their ids."""
        if voice.sample is None:
            voice = next((own for own in house_voices(voice.languages) if own.id == voice.id), voice)
        if voice.sample is not None:
            check_clip(voice.sample)
        return voice

    def _ready(self) -> WorkerSynthesizer:
        with self._lock:
            if self._synthesizer is None:
                self._process = self._worker()
                self._synthesizer = WorkerSynthesizer(self._process)
            return self._synthesizer

    def _worker(self) -> WorkerProcess:
        settings = self._settings
        python = settings.cosyvoice_python or _own_python()
        if not python.is_file():
            raise ModelError(
                "cosyvoice_env_missing",
                "CosyVoice runs in an environment of its own; make it with: bash scripts/engine_envs.sh cosyvoice",
            )
        name, _, here = self._chosen()
        folder = Path(name) if here else self._store.ensure(name)
        switches = [s for s in ("fp16", "trt", "vllm") if getattr(settings, f"cosyvoice_{s}")]
        options = {"folder": str(folder), "threads": settings.threads, "device": settings.device, "switches": switches}
        return WorkerProcess(python, ENGINE, options, self._environment())

    def _environment(self) -> dict[str, str]:
        settings = self._settings
        environment = {
            "HF_HUB_OFFLINE": "1",  # nothing is fetched but by the model store
            "TRANSFORMERS_OFFLINE": "1",
            "TQDM_DISABLE": "1",
            "OMP_NUM_THREADS": str(settings.threads),
            "GOMP_SPINCOUNT": "10000",  # threads that wait longer sleep: others need the cores
        }
        if settings.device == "cpu":
            environment["CUDA_VISIBLE_DEVICES"] = ""
        if code := settings.cosyvoice_code:
            environment["PYTHONPATH"] = os.pathsep.join([str(code), str(code / "third_party" / "Matcha-TTS")])
        return environment

    def _chosen(self) -> tuple[str, int, bool]:
        """The model's name in the catalogue, or its folder; its generation; whether it is a folder that is there."""
        asked, code = self._settings.cosyvoice_model, self._settings.cosyvoice_code
        if asked:
            number = generation(Path(asked))
            return (str(Path(asked).resolve()), number, True) if number else (asked, MODELS.get(asked, 2), False)
        for name, number in MODELS.items():
            if (number < 3 or code) and generation(self._store.root / name):
                return str(self._store.root / name), number, True
        return ("cosyvoice3-0.5b", 3, False) if code else ("cosyvoice2-0.5b", 2, False)


def _own_python() -> Path:
    inside = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    return ROOT / ".cache" / "env-cosyvoice" / inside
