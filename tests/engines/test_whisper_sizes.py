"""Larger Whispers, with base's weights in their place: what depends on the size and what must not."""

from __future__ import annotations

from pathlib import Path

import ctranslate2
import pytest

from tests.engines.spoken import EN, ZH, join, say
from webui.config import ROOT, Settings
from webui.engines.catalog import load_catalog
from webui.engines.protocols import RecognitionRequest
from webui.engines.store import ModelStore
from webui.engines.whisper import WhisperRecognizer
from webui.engines.whisper_decoding import Whisper
from webui.engines.whisper_sizes import WhisperLarge, WhisperMedium, WhisperSmall, WhisperTurbo
from webui.errors import EngineError, ModelError
from webui.types import Emotion

SIZES = (WhisperSmall, WhisperMedium, WhisperTurbo, WhisperLarge)


def store(root: Path, *models: str) -> ModelStore:
    """A store in which base's files stand for every Whisper of ``models``."""
    catalog = load_catalog()
    for model in (*models, "yamnet"):
        there = "yamnet" if model == "yamnet" else "whisper-base"
        (root / model).symlink_to(ROOT / "models" / there)
        catalog[model] = catalog[there].model_copy(update={"id": model, "title": catalog[model].title, "sources": ()})
    return ModelStore(root, catalog)


@pytest.mark.engine
def test_emotion_is_heard_with_bases_encoder_where_it_is_there(tmp_path: Path) -> None:
    speech = RecognitionRequest(join(say(EN, "en")))
    small = WhisperSmall(store(tmp_path, "whisper-small", "whisper-base"), Settings(device="cpu"))
    assert small.info.capabilities["emotion"] is True
    (heard,) = small.transcribe(speech)
    base = WhisperRecognizer(ModelStore(ROOT / "models"), Settings(device="cpu"))
    (usual,) = base.transcribe(speech)
    assert (heard.emotion, heard.arousal, heard.voice) == (usual.emotion, usual.arousal, usual.voice)
    assert heard.arousal is not None and heard.words and "London" in heard.text


@pytest.mark.engine
def test_without_bases_encoder_no_emotion_is_made_up(tmp_path: Path) -> None:
    medium = WhisperMedium(store(tmp_path, "whisper-medium"), Settings(device="cpu"))
    assert "whisper-base" in str(medium.info.capabilities["emotion"])
    (heard,) = medium.transcribe(RecognitionRequest(join(say(ZH, "zh"))))
    assert (heard.language, heard.emotion, heard.arousal, heard.voice) == ("zh", Emotion.EMO_UNKNOWN, None, ())
    assert heard.emotion_confidence == 0.0 and heard.events
    assert medium.info.device == "CPU" and medium.info.name == "Whisper medium + YAMNet"


def test_larger_sizes_know_more_languages_and_large_knows_cantonese(tmp_path: Path) -> None:
    models = ModelStore(tmp_path)
    for size in SIZES:
        info = size(models, Settings()).info
        assert len(info.languages) >= 57 and not info.loaded
        assert size.model_id in models.catalog
        assert ("yue" in info.languages) == (info.capabilities["yue"] is True) == (size in (WhisperTurbo, WhisperLarge))


@pytest.mark.engine
def test_cantonese_is_asked_of_none_but_those_that_know_it(tmp_path: Path) -> None:
    request = RecognitionRequest(join(say(ZH, "zh")), language="yue")
    with pytest.raises(EngineError) as caught:
        list(WhisperSmall(store(tmp_path, "whisper-small"), Settings(device="cpu")).transcribe(request))
    assert caught.value.key == "cantonese_unknown"


@pytest.mark.engine
def test_only_base_was_measured_with_short_windows() -> None:
    samples = join(say(ZH, "zh")).samples
    for short, window in ((True, 8.0), (False, 30.0)):
        assert Whisper(ROOT / "models" / "whisper-base", 1, short_windows=short).encode(samples).window == window


@pytest.mark.skipif(ctranslate2.get_cuda_device_count() > 0, reason="there is a GPU here")
def test_a_gpu_that_is_asked_for_and_not_there_is_not_replaced_in_silence() -> None:
    with pytest.raises(ModelError) as caught:
        Whisper(ROOT / "models" / "whisper-base", 1, device="cuda")
    assert caught.value.key == "no_cuda"


def test_weights_that_are_not_there_are_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        Whisper(tmp_path, 1)
    assert caught.value.key == "model_broken"
