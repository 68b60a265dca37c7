"""Whether somebody is done speaking, told by the sound of it: Smart Turn v3.2, a small encoder over Whisper's features.

It hears the fall of a voice at the end of a sentence, and that a word was drawn out; the words themselves count for
little. Made for 23 languages, English and Chinese among them.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from webui.audio.convert import resample
from webui.engines.store import ModelStore
from webui.errors import ModelError
from webui.types import Audio

RATE = 16_000
SECONDS = 8  # that it hears, of what was said last
MODEL = "smart-turn"


class SmartTurn:
    """The model, on one thread of a CPU. Safe to share between threads."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._session: Any = None
        self._features: Any = None

    @property
    def loaded(self) -> bool:
        """Whether ``finality`` can be asked."""
        return self._session is not None

    def load(self) -> None:
        """Fetch the weights where they are not here, and load them. Raises ``ModelError``."""
        with self._lock:
            if self._session is not None:
                return
            import onnxruntime
            from faster_whisper.feature_extractor import FeatureExtractor

            path = self._store.ensure(MODEL) / "smart-turn-v3.2-cpu.onnx"
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.log_severity_level = 3
            try:
                session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            except Exception as error:  # onnxruntime raises types of its own that share no base
                raise ModelError("model_broken", "The end-of-turn model cannot be loaded: fetch it again.") from error
            self._features = FeatureExtractor(chunk_length=SECONDS)
            self._session = session

    def finality(self, audio: Audio) -> float:
        """How likely the speaker is done, 0 to 1, at the end of ``audio``: a turn so far. ``load`` comes first."""
        samples = resample(audio, RATE).samples[-SECONDS * RATE :]
        # It was taught so: silence before what is shorter, and then every clip equally loud.
        samples = np.pad(samples, (SECONDS * RATE - len(samples), 0))
        samples = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
        features = self._features(samples, padding=0)
        (chances,) = self._session.run(None, {"input_features": features[None].astype(np.float32)})
        return float(np.ravel(chances)[0])
