"""Emotion from how something is said: Whisper's encoder output and prosody, each through a linear head of our own.

The heads, and how well they do, are described in ``models/emotion/README.md``; ``models/emotion/train.py`` fits them.
The labels are the four that carry over to voices the training never heard; everything else is EMO_UNKNOWN.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from webui.audio import prosody
from webui.errors import ModelError
from webui.types import Audio, Emotion, VoiceBaseline

WEIGHTS = "emotion.safetensors"
MIN_SECONDS = 1.0  # in less, a label would be a guess
MIN_SPEECH_FRAMES = 30  # of 16 ms
PROSODY_CLIP = 4.0  # standard deviations; a pitch tracker's blunder must not decide

Matrix = npt.NDArray[np.floating]
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EmotionEstimate:
    """What a voice sounds like.

    ``confidence`` is the probability, in [0, 1], that ``emotion`` is right, 0 for EMO_UNKNOWN. ``arousal`` is 0
    (calm) to 1 (energetic), None where nobody speaks. ``voice`` is what ``VoiceBaseline.including`` takes: the
    scores of this utterance before any baseline, empty where nobody speaks.
    """

    emotion: Emotion
    confidence: float
    arousal: float | None
    voice: tuple[float, ...]


UNHEARD = EmotionEstimate(Emotion.EMO_UNKNOWN, 0.0, None, ())


class Head(NamedTuple):
    """Linear scores of standardised features: ``((x - mean) / scale) @ weight + bias``."""

    mean: Matrix
    scale: Matrix
    weight: Matrix
    bias: Matrix

    def score(self, x: npt.NDArray[np.floating], clip: float = np.inf) -> Vector:
        """Of a vector or of rows; each standardised feature is held within ``clip``."""
        z = np.clip((x - self.mean) / self.scale, -clip, clip)
        return np.asarray(z @ self.weight + self.bias, dtype=np.float64)


class EmotionClassifier:
    """Two heads and what they need to know when to keep silent. Stateless: safe to share between threads."""

    def __init__(self, tensors: dict[str, Matrix], facts: dict[str, float], classes: list[str]) -> None:
        self.classes = [Emotion(name) for name in classes]
        self._encoder = Head(*(tensors[f"encoder.{part}"] for part in Head._fields))
        self._prosody = Head(*(tensors[f"prosody.{part}"] for part in Head._fields))
        self._speech_mean, self._speech_basis = tensors["speech.mean"], tensors["speech.basis"]
        self._usual = tensors["usual"].astype(np.float64)
        self._facts = facts

    @classmethod
    def load(cls, folder: Path) -> EmotionClassifier:
        """Read the weights in ``folder``. Raises ``ModelError`` where they are missing or broken."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(folder / WEIGHTS, framework="numpy") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
                about = json.loads(file.metadata()["about"])
            return cls(tensors, about["facts"], about["classes"])
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise ModelError(
                "emotion_weights_broken",
                "The emotion classifier's weights are missing or damaged; get the program's files again.",
            ) from error

    def classify(
        self, encoder: npt.NDArray[np.float32], audio: Audio, baseline: VoiceBaseline | None
    ) -> EmotionEstimate:
        """Judge one utterance.

        ``encoder`` is Whisper base's final encoder output (frames, 512) at 50 Hz without the padding's frames,
        ``audio`` the same stretch at 16 kHz, ``baseline`` the mean of the speaker's earlier ``voice``.
        """
        if audio.duration < MIN_SECONDS or not len(encoder):
            return UNHEARD
        measured = prosody.measure(audio)
        pooled = encoder.mean(axis=0, dtype=np.float64)
        if measured.values is None or measured.speech.sum() < MIN_SPEECH_FRAMES or not self._is_speech(pooled):
            return UNHEARD
        raw = self.scores(pooled, measured.values)
        scores = self.against(raw, baseline)
        p = np.exp(scores[:-1] - scores[:-1].max())
        p /= p.sum()
        best = int(p.argmax())
        known = bool(p[best] >= self._facts["threshold"])
        return EmotionEstimate(
            emotion=self.classes[best] if known else Emotion.EMO_UNKNOWN,
            confidence=float(p[best]) if known else 0.0,
            arousal=float(1 / (1 + np.exp(-scores[-1]))),
            voice=tuple(float(s) for s in raw),
        )

    def scores(self, pooled: npt.NDArray[np.floating], values: npt.NDArray[np.floating]) -> Vector:
        """Calibrated log-odds of each class and, last, of being energetic; works on rows too."""
        return self._encoder.score(pooled) + self._prosody.score(values, PROSODY_CLIP)

    def against(self, scores: Vector, baseline: VoiceBaseline | None) -> Vector:
        """``scores`` less what is usual for this speaker, trusted more the more was heard of them."""
        if baseline is None or len(baseline.mean) != len(self._usual):
            return scores
        n = baseline.count
        trust = self._facts["baseline_trust"] * n / (n + self._facts["baseline_half"])
        return np.asarray(scores - trust * (np.array(baseline.mean) - self._usual))

    def _is_speech(self, pooled: Vector) -> bool:
        """Whether the encoder output lies near the plane that all speech of the training lies in."""
        away = pooled - self._speech_mean
        left = away - (away @ self._speech_basis) @ self._speech_basis.T
        return bool(left @ left <= self._facts["speech_distance"])
