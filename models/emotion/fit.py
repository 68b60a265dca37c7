"""Fitting the linear heads: whitened within the class, so that voice, sentence, language and room count little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar
from sklearn.linear_model import LogisticRegression

from models.emotion.features import VARIED, WIDTH, Corpus
from webui.engines.emotion import PROSODY_CLIP, Head

CLASSES = ("HAPPY", "SAD", "ANGRY", "NEUTRAL")
EMOTIONS = {name: name for name in CLASSES}
AROUSAL = dict.fromkeys(("SAD", "NEUTRAL", "BOREDOM"), "CALM") | dict.fromkeys(
    ("HAPPY", "ANGRY", "FEARFUL"), "ENERGETIC"
)

RANK = 300  # directions of the encoder output that are looked at
SHRINKAGE = 0.1  # of the within-class covariance towards a sphere
REGULARISATION = 0.03  # scikit-learn's C on whitened features
FOREIGN_SHARE = 0.3  # of the weight of the calm class is synthetic speech of other languages …
OFFSET_WEIGHT = 10.0  # … and the way it differs from EmoDB's calm is a direction to be deaf to
PROSODY_SHARE = 0.4  # of the fused score

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Table:
    """Rows (n, prosody + encoder), their class, whether each is of ``tongues``, and its weight."""

    x: Floats
    y: npt.NDArray[np.str_]
    foreign: Mask
    weight: Floats


def table(corpus: Corpus, clips: Mask, tongues: Mask, names: Mapping[str, str]) -> Table:
    """The training rows of those clips and tongues, classes called by ``names``, every class weighing the same."""
    kept = clips & np.isin(corpus.emotion, list(names))
    y = np.array([names[emotion] for emotion in corpus.emotion[kept]])
    own = corpus.rows[kept, : 1 + VARIED]
    other = corpus.foreign[tongues]
    x = np.concatenate([own.reshape(-1, own.shape[-1]), other.reshape(-1, other.shape[-1])]).astype(np.float64)
    labels = np.concatenate([np.repeat(y, own.shape[1]), np.full(len(x) - y.size * own.shape[1], names["NEUTRAL"])])
    foreign = np.arange(len(x)) >= y.size * own.shape[1]
    good = ~np.isnan(x).any(axis=1)
    x, labels, foreign = x[good], labels[good], foreign[good]
    weight = np.zeros(len(x))
    for name in np.unique(labels):
        parts = [(labels == name) & foreign, (labels == name) & ~foreign]
        shares = (FOREIGN_SHARE, 1 - FOREIGN_SHARE) if parts[0].any() else (0.0, 1.0)
        for part, share in zip(parts, shares, strict=True):
            weight[part] = share / max(part.sum(), 1)
    return Table(x, labels, foreign, weight / weight.mean())


def whitening(z: Floats, data: Table, rank: int) -> Floats:
    """(features, rank): the main directions, scaled so that what varies inside a class has variance one."""
    _, vectors = np.linalg.eigh((z * data.weight[:, None]).T @ z / data.weight.sum())
    basis = vectors[:, ::-1][:, :rank]
    q = z @ basis
    names = np.unique(data.y)
    within = sum(np.cov(q[data.y == name].T, aweights=data.weight[data.y == name]) for name in names) / len(names)
    calm = np.isin(data.y, data.y[data.foreign])
    if data.foreign.any():
        offset = np.average(q[data.foreign], axis=0) - np.average(q[calm & ~data.foreign], axis=0)
        within = within + OFFSET_WEIGHT * np.outer(offset, offset)
    sphere = np.trace(within) / rank * np.eye(rank)
    within = (1 - SHRINKAGE) * within + SHRINKAGE * sphere
    return np.asarray(basis @ np.linalg.cholesky(np.linalg.inv(within)))


def head(data: Table, columns: slice, rank: int, order: tuple[str, ...], clip: float) -> Head:
    """One head on ``columns`` of the rows. Two classes give one score: the log-odds of the second in ``order``."""
    x = data.x[:, columns]
    mean = np.average(x, axis=0, weights=data.weight)
    scale = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=data.weight)) + 1e-6
    z = np.clip((x - mean) / scale, -clip, clip)
    white = whitening(z, data, rank)
    model = LogisticRegression(C=REGULARISATION, max_iter=500)
    model.fit(z @ white, data.y, sample_weight=data.weight)
    if len(order) == 2:
        sign = 1 if list(model.classes_) == list(order) else -1
        return Head(mean, scale, white @ model.coef_.T * sign, model.intercept_ * sign)
    at = [list(model.classes_).index(name) for name in order]
    return Head(mean, scale, white @ model.coef_.T[:, at], model.intercept_[at])


@dataclass(frozen=True)
class Model:
    """Both tasks' heads, and how their scores are stretched to become honest log-odds."""

    heads: dict[str, tuple[Head, Head]]  # by task: encoder, prosody
    temperature: float = 1.0
    arousal: tuple[float, float] = (1.0, 0.0)

    def scores(self, rows: npt.NDArray[np.floating]) -> Floats:
        """(n, classes + 1): log-odds of each class and, last, of being energetic. NaN where prosody is."""
        prosody, encoder = rows[:, :WIDTH], rows[:, WIDTH:]

        def fused(task: str) -> Floats:
            by_encoder, by_prosody = self.heads[task]
            return (1 - PROSODY_SHARE) * by_encoder.score(encoder) + PROSODY_SHARE * by_prosody.score(
                prosody, PROSODY_CLIP
            )

        slope, shift = self.arousal
        return np.hstack([fused("emotion") / self.temperature, fused("arousal") * slope + shift])


def fit(corpus: Corpus, clips: Mask, tongues: Mask) -> Model:
    """Fit both tasks on those clips and tongues, uncalibrated."""
    heads = {}
    for task, names, order in (("emotion", EMOTIONS, CLASSES), ("arousal", AROUSAL, ("CALM", "ENERGETIC"))):
        data = table(corpus, clips, tongues, names)
        heads[task] = (
            head(data, slice(WIDTH, None), RANK, order, np.inf),
            head(data, slice(0, WIDTH), WIDTH, order, PROSODY_CLIP),
        )
    return Model(heads)


def log_softmax(scores: Floats) -> Floats:
    """Over the last axis."""
    top = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(top - np.log(np.exp(top).sum(axis=-1, keepdims=True)))


def temperature(scores: Floats, y: npt.NDArray[np.int_]) -> float:
    """What held-out class scores must be divided by for their softmax to be right as often as it says."""

    def loss(log_t: float) -> float:
        return -float(log_softmax(scores / np.exp(log_t))[np.arange(len(y)), y].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 3), method="bounded").x))


def platt(score: Floats, energetic: Mask) -> tuple[float, float]:
    """Slope and shift that make held-out arousal scores log-odds (Platt 1999), both sides weighing the same."""
    weight = np.where(energetic, 0.5 / energetic.mean(), 0.5 / (~energetic).mean())

    def loss(at: Floats) -> float:
        return float(np.mean(weight * np.logaddexp(0, np.where(energetic, -1, 1) * (at[0] * score + at[1]))))

    slope, shift = minimize(loss, np.array([1.0, 0.0])).x
    return float(slope), float(shift)
