"""Who hears what: SenseVoice its five languages, Whisper the others, and every segment at its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.engines.spoken import EN, ZH, join, say, silence
from tests.scripted import ScriptedRecognizer, tone
from webui.audio.decode import decode
from webui.config import ROOT, Settings
from webui.engines.protocols import EngineInfo, RecognitionRequest
from webui.engines.sensevoice_whisper import SenseVoiceWhisper
from webui.engines.store import ModelStore
from webui.engines.whisper import WhisperRecognizer
from webui.engines.whisper_sizes import WhisperMedium, largest_here
from webui.errors import AudioError, EngineError
from webui.types import Audio, Segment

RATE = 16_000
EMODB = ROOT.parent / "shared" / "audio" / "emodb"


class Near(ScriptedRecognizer):
    """Stands for SenseVoice: hears English in whatever it is given."""

    @property
    def info(self) -> EngineInfo:
        can = {"words": True, "emotion": True, "arousal": "SenseVoice cannot.", "yue": True}
        return EngineInfo("Near", ("zh", "en", "yue", "ja", "ko"), can, "CPU", "A", True)

    def transcribe(self, request: RecognitionRequest) -> Iterator[Segment]:
        assert isinstance(request.audio, Audio)
        self.segments = [Segment(0.0, request.audio.duration, "near", "en")]
        yield from super().transcribe(request)


class Far(WhisperRecognizer):
    """Whisper whose ear for languages is told what to say: one answer for each stretch."""

    def __init__(self, *answers: dict[str, float]) -> None:
        super().__init__(ModelStore(ROOT / "models"), Settings(device="cpu"))
        self.answers = list(answers)
        self.requests: list[RecognitionRequest] = []

    def load(self) -> None:
        """Nothing to load."""

    def detect(self, audio: Audio, among: object) -> dict[str, float]:
        return self.answers.pop(0)

    def transcribe(self, request: RecognitionRequest) -> Iterator[Segment]:
        assert isinstance(request.audio, Audio)
        self.requests.append(request)
        yield Segment(0.0, request.audio.duration, "far", request.language)


def both(*answers: dict[str, float]) -> tuple[SenseVoiceWhisper, Near, Far]:
    near, far = Near(), Far(*answers)
    return SenseVoiceWhisper(far._store, Settings(), near, far), near, far


def hear(engine: SenseVoiceWhisper, audio: Audio, **options: object) -> list[Segment]:
    return list(engine.transcribe(RecognitionRequest(audio, **options)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("chances", "heard", "language"),
    [
        ({"en": 0.9, "de": 0.1}, "near", "en"),
        ({"de": 0.9, "en": 0.1}, "far", "de"),
        ({"en": 0.35, "de": 0.3, "nl": 0.35}, "far", "nl"),
        ({"zh": 0.3, "ja": 0.25, "vi": 0.45}, "near", "en"),
        ({}, "near", "en"),
    ],
)
def test_a_stretch_goes_where_its_language_is_known(chances: dict[str, float], heard: str, language: str) -> None:
    engine, near, far = both(chances)
    (segment,) = hear(engine, tone(2.0, RATE))
    assert (segment.text, segment.language) == (heard, language)
    assert [r.language for r in near.requests] == (["auto"] if heard == "near" else [])
    assert [r.language for r in far.requests] == ([language] if heard == "far" else [])


@pytest.mark.parametrize(("language", "heard"), [("yue", "near"), ("ko", "near"), ("de", "far"), ("sw", "far")])
def test_a_language_that_is_given_decides_without_listening(language: str, heard: str) -> None:
    engine, near, far = both()
    (segment,) = hear(engine, tone(2.0, RATE), language=language, itn=False, words=False)
    assert segment.text == heard
    (request,) = near.requests + far.requests
    assert (request.language, request.itn, request.words) == (language, False, False)


def test_an_unsure_stretch_goes_with_what_was_spoken_before() -> None:
    long = join(say(EN, "en"), silence(30), say(EN, "en"), silence(4))
    engine, *_ = both({"de": 0.99, "en": 0.01}, {"de": 0.4, "en": 0.6})
    first, second = hear(engine, long)
    assert (first.language, second.language) == ("de", "de")
    assert second.start == pytest.approx(first.end + 30, abs=1.0) and second.end <= long.duration


def test_what_both_can_and_what_one_lacks(tmp_path: Path) -> None:
    engine, *_ = both()
    info = engine.info
    assert len(info.languages) == len(set(info.languages)) == 58 and {"yue", "de", "sw"} <= set(info.languages)
    assert info.capabilities["words"] is True and info.capabilities["emotion"] is True
    assert info.capabilities["arousal"] == "SenseVoice cannot." and "yue" not in info.capabilities
    assert not info.loaded
    assert largest_here(ModelStore(tmp_path)) is WhisperRecognizer
    (tmp_path / "whisper-medium").symlink_to(ROOT / "models" / "whisper-base")
    stand_in = ModelStore(tmp_path)
    base = stand_in.catalog["whisper-base"]
    stand_in.catalog["whisper-medium"] = base.model_copy(update={"id": "whisper-medium"})
    assert largest_here(stand_in) is WhisperMedium


def test_nothing_is_an_error_and_so_is_a_language_of_nobody() -> None:
    engine, *_ = both()
    with pytest.raises(AudioError) as caught:
        hear(engine, Audio(np.zeros(0, np.float32), RATE))
    assert caught.value.key == "empty"
    real = SenseVoiceWhisper(ModelStore(ROOT / "models"), Settings(device="cpu"), Near())
    with pytest.raises(EngineError) as unknown:
        hear(real, tone(2.0, RATE), language="tlh")
    assert unknown.value.key == "language_unknown"


@pytest.mark.engine
def test_whisper_itself_tells_the_languages_apart() -> None:
    near = Near()
    engine = SenseVoiceWhisper(ModelStore(ROOT / "models"), Settings(device="cpu"), near)
    for audio in (join(say(EN, "en")), join(silence(2), say(ZH, "zh")), tone(3.0, RATE)):
        assert [s.text for s in hear(engine, audio)] == ["near"]
    assert len(near.requests) == 3 and engine.info.languages
    engine.close()
    assert not engine.info.loaded


@pytest.mark.engine
@pytest.mark.skipif(not EMODB.is_dir(), reason="EmoDB is not beside the project (../shared/audio/emodb)")
def test_german_is_heard_by_whisper() -> None:
    near = Near()
    engine = SenseVoiceWhisper(ModelStore(ROOT / "models"), Settings(device="cpu"), near)
    (segment,) = hear(engine, decode(EMODB / "03a01Nc.flac"))
    assert segment.language == "de" and "Lappen" in segment.text and near.requests == []
