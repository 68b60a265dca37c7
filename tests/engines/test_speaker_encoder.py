"""Whose voice it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest

from tests.engines.spoken import EN, RATE, ZH, join, say, silence
from tests.loopback import catalog, entry
from webui.audio.convert import resample
from webui.config import ROOT
from webui.engines.campplus_graph import campplus
from webui.engines.speaker_encoder import MODEL, SpeakerEncoder, similarity
from webui.engines.store import ModelStore
from webui.engines.torch_file import read_tensors
from webui.errors import AudioError, ModelError
from webui.types import Audio

pytestmark = pytest.mark.engine

OTHER = "What is the difference between a frog and a toad? I never knew."


@pytest.fixture(scope="module")
def encoder() -> SpeakerEncoder:
    return SpeakerEncoder(ModelStore(ROOT / "models"))


def test_the_network_gives_what_the_published_one_gives(encoder: SpeakerEncoder) -> None:
    """The numbers are from FunASR's own PyTorch code, with the same weights and the same input."""
    graph = campplus(read_tensors(ModelStore(ROOT / "models").ensure(MODEL) / "campplus_cn_en_common.pt"))
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    wave = np.sin(np.arange(331 * 80) * 0.37).reshape(1, 331, 80).astype(np.float32)
    (found,) = session.run(None, {"features": wave})
    known = [-1.3496317, -0.1935273, 0.7674305, -0.9771625, -0.8001424, 0.6279945, -0.27925205, -0.15668163]
    np.testing.assert_allclose(found[0, :8], known, atol=1e-4)


def test_a_voice_is_known_again_whatever_it_says_and_others_are_not(encoder: SpeakerEncoder) -> None:
    first, again = encoder.embed(Audio(say(EN, "en"), RATE)), encoder.embed(Audio(say(OTHER, "en"), RATE))
    other = encoder.embed(Audio(say(ZH, "zh"), RATE))
    assert first.shape == (192,) and np.linalg.norm(first) == pytest.approx(1, abs=1e-5)
    assert similarity(first, again) > 0.7
    assert similarity(first, other) < 0.5


def test_rate_loudness_and_length_change_little(encoder: SpeakerEncoder) -> None:
    sound = Audio(say(EN, "en"), RATE)
    known = encoder.embed(sound)
    assert similarity(known, encoder.embed(Audio(sound.samples * np.float32(0.1), RATE))) > 0.95
    assert similarity(known, encoder.embed(resample(sound, 24_000))) > 0.95
    assert similarity(known, encoder.embed(join(*[sound.samples] * 5))) > 0.9


def test_too_little_is_said(encoder: SpeakerEncoder) -> None:
    with pytest.raises(AudioError, match="too little speech"):
        encoder.embed(Audio(say(EN, "en")[: RATE // 4], RATE))


def test_silence_has_a_print_of_finite_numbers(encoder: SpeakerEncoder) -> None:
    for samples in (np.zeros(RATE, np.float32), silence(1.0)):
        assert np.isfinite(encoder.embed(Audio(samples, RATE))).all()


def test_many_may_ask_at_once(encoder: SpeakerEncoder) -> None:
    clips = [Audio(say(EN, "en"), RATE), Audio(say(ZH, "zh"), RATE)] * 3
    alone = [encoder.embed(clip) for clip in clips]
    with ThreadPoolExecutor(3) as pool:
        for one, other in zip(pool.map(encoder.embed, clips), alone, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_file_that_is_no_model_is_said(tmp_path) -> None:
    files = {"campplus_cn_en_common.pt": b"abc"}
    (tmp_path / MODEL).mkdir()
    (tmp_path / MODEL / "campplus_cn_en_common.pt").write_bytes(b"abc")
    source = {"kind": "url", "url": "http://127.0.0.1:9"}
    model = SpeakerEncoder(ModelStore(tmp_path, catalog(entry(files, source, model_id=MODEL))))
    with pytest.raises(ModelError, match="voice print model cannot be loaded"):
        model.load()
    assert not model.loaded
