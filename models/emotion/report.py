"""How well held-out scores do: recall, confusions, coverage, arousal, and what a speaker's baseline adds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from models.emotion.features import Corpus
from models.emotion.fit import AROUSAL, CLASSES, Model, log_softmax

Floats = npt.NDArray[np.float64]
THRESHOLDS = (0.0, 0.4, 0.5, 0.55, 0.6, 0.7, 0.8)


@dataclass(frozen=True, eq=False)
class Heldout:
    """Scores (clips, conditions, classes + 1) by models that had not heard the clip's speaker, sex or sentence."""

    corpus: Corpus
    conditions: list[str]
    scores: Floats

    def calibrated(self, model: Model) -> Heldout:
        """As ``model`` stretches them."""
        scores = self.scores.copy()
        scores[..., :-1] /= model.temperature
        scores[..., -1] = scores[..., -1] * model.arousal[0] + model.arousal[1]
        return replace(self, scores=scores)

    def against(self, usual: Floats, trust: float, half: float, neutral: int | None) -> Heldout:
        """Less each speaker's own mean in the same condition.

        The mean is over all else the speaker said, or over ``neutral`` neutral clips of theirs (the first ones).
        """
        scores, own = self.scores.copy(), self.corpus
        for i in range(len(scores)):
            others = own.speaker == own.speaker[i]
            others[i] = False
            if neutral is not None:
                others = np.isin(np.arange(len(scores)), np.flatnonzero(others & (own.emotion == "NEUTRAL"))[:neutral])
            n = others.sum()
            scores[i] -= trust * n / (n + half) * (np.nanmean(self.scores[others], axis=0) - usual)
        return replace(self, scores=scores)

    def judged(self, condition: int, threshold: float) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]:
        """Truth and verdict as indices into ``CLASSES`` of the clips of those classes; verdict -1 is unknown."""
        four = np.isin(self.corpus.emotion, CLASSES)
        y = np.array([CLASSES.index(name) for name in self.corpus.emotion[four]])
        p = np.exp(log_softmax(np.nan_to_num(self.scores[four, condition, :-1])))
        return y, np.where(p.max(axis=1) >= threshold, p.argmax(axis=1), -1)

    def arousal_auc(self, condition: int) -> float:
        """Area under the curve of energetic (happy, angry, fearful) over calm (sad, neutral, bored)."""
        scores = self.scores[:, condition, -1]
        known = np.isin(self.corpus.emotion, list(AROUSAL)) & ~np.isnan(scores)
        truth = [AROUSAL[name] == "ENERGETIC" for name in self.corpus.emotion[known]]
        return float(roc_auc_score(truth, scores[known]))


def recalls(y: npt.NDArray[np.int_], verdict: npt.NDArray[np.int_]) -> list[float]:
    """Of each class, the share that was found."""
    return [float((verdict[y == i] == i).mean()) for i in range(len(CLASSES))]


def _table(held: Heldout, title: str) -> None:
    print(f"\n{title:<34} " + " ".join(f"{name:>8}" for name in ("UAR", *CLASSES, "AUC")))
    rows = []
    for i, condition in enumerate(held.conditions):
        found = recalls(*held.judged(i, 0.0))
        rows.append([float(np.mean(found)), *found, held.arousal_auc(i)])
        print(f"  {condition:<32} " + " ".join(f"{value:8.3f}" for value in rows[-1]))
    print(f"  {'mean of the shifted':<32} " + " ".join(f"{value:8.3f}" for value in np.mean(rows[1:], axis=0)))


def _coverage(held: Heldout, title: str, conditions: list[int]) -> None:
    print(f"\n{title}\n  threshold  coverage  accuracy of what is kept  UAR of what is kept")
    for threshold in THRESHOLDS:
        y, verdict = (
            np.concatenate(part) for part in zip(*(held.judged(i, threshold) for i in conditions), strict=True)
        )
        kept = verdict >= 0
        uar = np.nanmean([(verdict[kept & (y == i)] == i).mean() for i in range(len(CLASSES))])
        print(f"  {threshold:9.2f} {kept.mean():9.3f} {(verdict == y)[kept].mean():25.3f} {uar:20.3f}")


def report(splits: dict[str, Heldout], usual: Floats, threshold: float, trust: float, half: float) -> None:
    """Print everything. UAR is the mean recall of the four classes with no clip left unlabelled."""
    for name, held in splits.items():
        _table(held, f"Without the {name}")
        shifted = list(range(1, len(held.conditions)))
        _coverage(held, f"Without the {name}, clean", [0])
        _coverage(held, f"Without the {name}, shifted", shifted)
        if name != "sentence":
            _table(held.against(usual, trust, half, None), "… with a baseline of all they said")
            _table(held.against(usual, trust, half, 3), "… with a baseline of 3 neutral")
    y, verdict = splits["speaker"].judged(0, threshold)
    print(f"\nConfusions without the speaker, clean, threshold {threshold} (rows: truth)")
    print(" " * 10 + " ".join(f"{name:>8}" for name in (*CLASSES, "UNKNOWN")))
    for i, name in enumerate(CLASSES):
        counts = [int((verdict[y == i] == j).sum()) for j in (*range(len(CLASSES)), -1)]
        print(f"  {name:<8}" + " ".join(f"{count:8d}" for count in counts))
