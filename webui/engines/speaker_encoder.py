"""Whose voice it is: CAM++ makes a voice print of speech, and two prints are compared by their cosine."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from webui.audio.convert import resample
from webui.engines.campplus_graph import BINS, SIZE, campplus
from webui.engines.store import ModelStore
from webui.engines.torch_file import read_tensors
from webui.errors import AudioError, ModelError
from webui.types import Audio, Samples

RATE = 16_000
MODEL = "campplus-zh-en"
SHORTEST = 0.4  # seconds: less holds no voice
LONGEST = 10.0  # seconds that go through the network at once; more is heard in equal parts

_WINDOW, _HOP, _FFT = 400, 160, 512

Print = npt.NDArray[np.float32]
"""A voice print, (192,), of length 1."""


class SpeakerEncoder:
    """The network, on one thread of a CPU. Safe to share between threads."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._session: Any = None

    @property
    def loaded(self) -> bool:
        """Whether ``embed`` needs no loading first."""
        return self._session is not None

    def load(self) -> None:
        """Fetch the weights where they are not here, and load them. Raises ``ModelError``."""
        with self._lock:
            if self._session is not None:
                return
            import onnxruntime

            path = self._store.ensure(MODEL) / "campplus_cn_en_common.pt"
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.log_severity_level = 3
            try:
                graph = campplus(read_tensors(path))
                session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
            except Exception as error:  # onnxruntime raises types of its own that share no base
                raise ModelError("model_broken", "The voice print model cannot be loaded: fetch it again.") from error
            self._session = session

    def embed(self, audio: Audio) -> Print:
        """The voice print of ``audio``: speech of one person, silence taken out where there is much of it.

        Loads the model where that was not done. Raises ``ModelError``, and ``AudioError`` for less than ``SHORTEST``.
        """
        self.load()
        samples = resample(audio, RATE).samples
        if len(samples) < SHORTEST * RATE:
            raise AudioError("no_speech", "There is too little speech to know a voice by: speak a little longer.")
        parts = np.array_split(samples, -(-len(samples) // round(LONGEST * RATE)))
        total = np.zeros(SIZE, np.float32)
        for part in parts:
            (found,) = self._session.run(None, {"features": features(part)[None]})
            total += _unit(found[0])
        return _unit(total)


def similarity(a: Print, b: Print) -> float:
    """How alike two voices are: the cosine of their prints, -1 to 1. ``bench/speakers.py`` measures what it means."""
    return float(a @ b)


def features(samples: Samples) -> npt.NDArray[np.float32]:
    """Kaldi's log mel filter banks of 16 kHz sound, float32 (frames, 80), each bin's mean taken away."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP].astype(np.float64)
    frames = frames - frames.mean(axis=1, keepdims=True)
    frames = frames - 0.97 * np.concatenate((frames[:, :1], frames[:, :-1]), axis=1)
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW) ** 0.85, _FFT)) ** 2
    logs = np.log(np.maximum(power[:, : _FFT // 2] @ _filters(), np.finfo(np.float32).eps))
    found: npt.NDArray[np.float32] = (logs - logs.mean(axis=0)).astype(np.float32)
    return found


@cache
def _filters() -> npt.NDArray[np.float64]:
    """Triangles on the mel scale from 20 Hz to 8 kHz: (256, 80)."""
    hertz = np.arange(_FFT // 2) * RATE / _FFT
    edges = np.linspace(_mel(20.0), _mel(RATE / 2), BINS + 2)
    mel = _mel(hertz)[:, None]
    rise = (mel - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - mel) / (edges[2:] - edges[1:-1])
    filters: npt.NDArray[np.float64] = np.maximum(0.0, np.minimum(rise, fall))
    return filters


def _mel(hertz: Any) -> Any:
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


def _unit(values: npt.NDArray[np.float32]) -> Print:
    length = np.linalg.norm(values)
    return (values / max(float(length), 1e-9)).astype(np.float32)
