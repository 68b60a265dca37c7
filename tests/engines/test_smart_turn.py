"""Whether somebody is done speaking, told by the sound of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bench.turntaking_set import trim
from tests.engines.spoken import EN, RATE, ZH, say
from tests.loopback import catalog, entry
from webui.config import ROOT
from webui.engines.smart_turn import SmartTurn
from webui.engines.store import ModelStore
from webui.errors import ModelError
from webui.types import Audio, Samples

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def smart_turn() -> SmartTurn:
    model = SmartTurn(ModelStore(ROOT / "models"))
    assert not model.loaded
    model.load()
    assert model.loaded
    return model


QUESTION = "What is the difference between a frog and a toad?"


def spoken(text: str, language: str, share: float = 1.0) -> Samples:
    """``text``, or the first part of it, and a tenth of a second of silence: a pause that has just been noticed."""
    samples = trim(say(text, language))
    return np.pad(samples[: round(len(samples) * share)], (0, RATE // 10))


@pytest.mark.parametrize(
    ("text", "language", "share"),
    [(EN, "en", 0.4), (QUESTION, "en", 0.7), ("今天晚上回家以后我想做点简单的饭。", "zh", 0.6)],
)
def test_done_at_the_end_and_not_in_the_middle(smart_turn: SmartTurn, text: str, language: str, share: float) -> None:
    assert smart_turn.finality(Audio(spoken(text, language), RATE)) > 0.9
    assert smart_turn.finality(Audio(spoken(text, language, share), RATE)) < 0.2


def test_only_the_last_eight_seconds_count(smart_turn: SmartTurn) -> None:
    said = np.concatenate([spoken(EN, "en")] * 4)
    assert len(said) > 12 * RATE
    assert smart_turn.finality(Audio(said, RATE)) == smart_turn.finality(Audio(said[-8 * RATE :], RATE))


def test_silence_and_nothing_are_no_error(smart_turn: SmartTurn) -> None:
    for count in (0, 1, RATE):
        assert 0 <= smart_turn.finality(Audio(np.zeros(count, np.float32), RATE)) <= 1


def test_many_may_ask_at_once(smart_turn: SmartTurn) -> None:
    clips = [Audio(sound, RATE) for sound in (spoken(EN, "en"), spoken(EN, "en", 0.4), spoken(ZH, "zh"))] * 4
    alone = [smart_turn.finality(clip) for clip in clips]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(smart_turn.finality, clips)) == alone


def test_a_file_that_is_no_model_is_said(tmp_path) -> None:
    files = {"smart-turn-v3.2-cpu.onnx": b"abc"}
    (tmp_path / "smart-turn").mkdir()
    (tmp_path / "smart-turn" / "smart-turn-v3.2-cpu.onnx").write_bytes(b"abc")
    source = {"kind": "url", "url": "http://127.0.0.1:9"}
    model = SmartTurn(ModelStore(tmp_path, catalog(entry(files, source, model_id="smart-turn"))))
    with pytest.raises(ModelError, match="end-of-turn model cannot be loaded"):
        model.load()
    assert not model.loaded
