"""SenseVoice on the CPU without torch: the int8 graph in sherpa-onnx."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from webui.audio.vad import RATE, SpeechDetector
from webui.config import Settings
from webui.engines.listening import Stretch, listen
from webui.engines.protocols import EngineInfo, RecognitionRequest
from webui.engines.sensevoice_export import EXPORTED, MODEL, TOKENS
from webui.engines.sensevoice_segments import Heard, check_language, tell, worth_hearing
from webui.engines.sensevoice_signed import fastest
from webui.engines.sensevoice_tags import CAPABILITIES, LANGUAGES, read_one
from webui.engines.store import ModelStore
from webui.errors import ModelError
from webui.types import Segment

MODEL_ID = "sensevoice-int8"
KEPT = 2  # recognizers in memory: language and itn are fixed when one is made
FRAME_SECONDS = 0.06


class SherpaSenseVoice:
    """SenseVoice-Small, int8. One instance serves all sessions."""

    def __init__(self, store: ModelStore, settings: Settings) -> None:
        self._store = store
        self._threads = settings.threads
        self._lock = threading.Lock()
        self._recognizers: OrderedDict[tuple[str, bool], Any] = OrderedDict()

    @property
    def info(self) -> EngineInfo:
        """What it is, and whether its weights are in memory."""
        return EngineInfo(
            name="SenseVoice Small (int8)",
            languages=LANGUAGES,
            capabilities={
                **CAPABILITIES,
                "speakers": "This engine does not tell speakers apart: SenseVoice through funasr does.",
            },
            device="CPU",
            licence="FunASR Model License (SenseVoice), MIT (Silero VAD)",
            loaded=bool(self._recognizers),
        )

    def load(self) -> None:
        """Bring the weights into memory; a second call does nothing. Raises ``ModelError``."""
        self._recognizer("auto", itn=True)

    def close(self) -> None:
        """Give the memory back once the requests that run now are done; the next request loads again."""
        with self._lock:
            self._recognizers.clear()

    def transcribe(self, request: RecognitionRequest) -> Iterator[Segment]:
        """Yield each segment as it is done, in order of time.

        A recording of at most 30 s is one segment; a longer one is cut in the pauses of speech, and what is loud
        between them comes as segments without words. Memory does not grow with the recording. Raises ``AudioError``
        where it is empty, ``EngineError`` for a language that SenseVoice does not know.
        """
        check_language(request)
        for stretch in listen(request.audio, SpeechDetector()):
            if worth_hearing(stretch):
                segment = tell(self.hear(stretch, request.language, request.itn), stretch, request.words)
                if segment is not None:
                    yield segment

    def hear(self, stretch: Stretch, language: str = "auto", itn: bool = True) -> Heard:
        """What SenseVoice says of one stretch of at most 30 s: tags, words, and the onset of each piece of them."""
        recognizer = self._recognizer(language, itn)
        stream = recognizer.create_stream()
        stream.accept_waveform(RATE, stretch.audio.samples)
        recognizer.decode_stream(stream)
        said = stream.result
        style = "<|withitn|>" if itn else "<|woitn|>"
        tagged = read_one(f"{said.lang}{said.emotion}{said.event}{style}{said.text}")
        times = zip(said.tokens, said.timestamps, strict=True)
        return Heard(tagged, [(token, at, at + FRAME_SECONDS) for token, at in times])

    def _recognizer(self, language: str, itn: bool) -> Any:
        """sherpa-onnx can change these two later, but forgets how features are made when it does."""
        with self._lock:
            key = (language, itn)
            if key not in self._recognizers:
                while len(self._recognizers) >= KEPT:
                    self._recognizers.popitem(last=False)
                self._recognizers[key] = _load(self._folder(), self._threads, language, itn)
            self._recognizers.move_to_end(key)
            return self._recognizers[key]

    def _folder(self) -> Path:
        exported = self._store.root / EXPORTED
        return exported if (exported / MODEL).exists() else self._store.ensure(MODEL_ID)


def _load(folder: Path, threads: int, language: str, itn: bool) -> Any:
    import sherpa_onnx

    # It ends the whole process where the graph is none of its own, so the file is looked at first.
    if b"sense_voice_ctc" not in _tail(folder / MODEL) or not (folder / TOKENS).is_file():
        raise ModelError("model_broken", "The speech recognition model cannot be loaded: fetch it again.")
    try:
        return sherpa_onnx.OfflineRecognizer.from_sense_voice(
            model=str(fastest(folder / MODEL)),
            tokens=str(folder / TOKENS),
            num_threads=threads,
            language=language,
            use_itn=itn,
        )
    except (RuntimeError, ValueError) as error:
        raise ModelError("model_broken", "The speech recognition model cannot be loaded: fetch it again.") from error


def _tail(path: Path) -> bytes:
    """The end of the file, where ONNX keeps metadata."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - (1 << 18)))
        return file.read()
