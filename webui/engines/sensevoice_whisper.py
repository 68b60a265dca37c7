"""More than 50 languages: SenseVoice hears the five that it knows, Whisper all others, stretch by stretch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from webui.audio.stretches import later
from webui.audio.vad import SpeechDetector
from webui.config import Settings
from webui.engines.listening import Stretch, listen
from webui.engines.protocols import EngineInfo, RecognitionRequest, Recognizer
from webui.engines.sensevoice_tags import LANGUAGES as SENSEVOICE_LANGUAGES
from webui.engines.store import ModelStore
from webui.engines.whisper_decoding import weigh
from webui.engines.whisper_languages import LANGUAGES as WHISPER_LANGUAGES
from webui.types import Segment

if TYPE_CHECKING:
    from webui.engines.whisper import WhisperRecognizer

_OTHERS = tuple(code for code in WHISPER_LANGUAGES if code not in SENSEVOICE_LANGUAGES)
FOREIGN = 0.5
"""Whisper's chance that it is none of SenseVoice's languages, above which it goes on. With base it made no difference
between 0.3 and 0.8: 33 clips in Chinese, English and Cantonese and 179 in German all went where they should."""


class SenseVoiceWhisper:
    """Two recognizers in one. Whisper's size is the largest that is here; it also tells the language of each stretch.

    SenseVoice itself cannot be asked: it takes every language for one of its five.
    """

    def __init__(
        self,
        store: ModelStore,
        settings: Settings,
        sensevoice: Recognizer | None = None,
        whisper: WhisperRecognizer | None = None,
    ) -> None:
        from webui.engines.sensevoice_onnx import SherpaSenseVoice
        from webui.engines.whisper_sizes import largest_here

        self._sensevoice: Recognizer = sensevoice or SherpaSenseVoice(store, settings)
        self._whisper = whisper or largest_here(store)(store, settings)

    @property
    def info(self) -> EngineInfo:
        """Both together: what one of them lacks in its languages, the whole lacks, in that one's words."""
        near, far = self._sensevoice.info, self._whisper.info
        names = {*near.capabilities, *far.capabilities} - {"yue"}
        return EngineInfo(
            name=f"{near.name}; other languages: {far.name}",
            languages=(*SENSEVOICE_LANGUAGES, *_OTHERS),
            capabilities={name: _both(name, near.capabilities, far.capabilities) for name in sorted(names)},
            device=near.device if near.device == far.device else f"{near.device}, {far.device}",
            licence=f"{near.licence}; {far.licence}",
            loaded=near.loaded and far.loaded,
        )

    def load(self) -> None:
        """Bring both into memory; a second call does nothing. Raises ``ModelError``."""
        self._sensevoice.load()
        self._whisper.load()

    def close(self) -> None:
        """Give the memory of both back; the next request loads again."""
        self._sensevoice.close()
        self._whisper.close()

    def transcribe(self, request: RecognitionRequest) -> Iterator[Segment]:
        """Yield each segment as it is done, in order of time.

        A language that is given decides; with ``auto`` each stretch of at most 30 s goes where its language is known,
        in doubt to SenseVoice. Raises ``AudioError`` where the recording is empty, ``EngineError`` for a language that
        neither knows.
        """
        spoken: dict[str, float] = {}  # seconds of each language so far
        for stretch in listen(request.audio, SpeechDetector()):
            language = request.language if request.language != "auto" else self._foreign(stretch, spoken)
            listener: Recognizer = self._sensevoice
            if language not in ("auto", *SENSEVOICE_LANGUAGES):
                listener = self._whisper
            for segment in listener.transcribe(replace(request, audio=stretch.audio, language=language)):
                if segment.text:
                    spoken[segment.language] = spoken.get(segment.language, 0.0) + segment.end - segment.start
                yield later(segment, stretch.start)

    def _foreign(self, stretch: Stretch, spoken: Mapping[str, float]) -> str:
        """The language for Whisper to expect; ``auto`` for what SenseVoice should hear and tell apart itself."""
        if stretch.speech is False:
            return "auto"
        among = (*WHISPER_LANGUAGES, "yue") if "yue" in self._whisper.languages else WHISPER_LANGUAGES
        chances = weigh(self._whisper.detect(stretch.audio, among), spoken)
        foreign = {code: chance for code, chance in chances.items() if code not in SENSEVOICE_LANGUAGES}
        if sum(foreign.values()) <= FOREIGN:
            return "auto"
        return max(foreign, key=lambda code: foreign[code])


def _both(name: str, near: Mapping[str, bool | str], far: Mapping[str, bool | str]) -> bool | str:
    lacks = [can[name] for can in (near, far) if can.get(name, True) is not True]
    return lacks[0] if lacks else True
