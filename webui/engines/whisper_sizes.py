"""Larger Whispers: better in every language, slower, and not fetched unless they are chosen by name."""

from __future__ import annotations

from webui.engines.store import ModelStore
from webui.engines.whisper import WhisperRecognizer
from webui.engines.whisper_languages import LANGUAGES


class WhisperSmall(WhisperRecognizer):
    """0.5 GB of weights; on a CPU about three times the work of base."""

    model_id = "whisper-small"
    languages = LANGUAGES


class WhisperMedium(WhisperRecognizer):
    """1.5 GB of weights; for a GPU, or for patience."""

    model_id = "whisper-medium"
    languages = LANGUAGES


class WhisperTurbo(WhisperRecognizer):
    """1.6 GB of weights: the encoder of large v3 with a short decoder, for a GPU."""

    model_id = "whisper-turbo"
    languages = (*LANGUAGES, "yue")


class WhisperLarge(WhisperRecognizer):
    """3.1 GB of weights: large v3, for a GPU."""

    model_id = "whisper-large-v3"
    languages = (*LANGUAGES, "yue")


def largest_here(store: ModelStore) -> type[WhisperRecognizer]:
    """The largest size whose weights are here already; base, which can always be had, where there is none."""
    sizes = (WhisperLarge, WhisperTurbo, WhisperMedium, WhisperSmall)
    return next((size for size in sizes if store.present(size.model_id)), WhisperRecognizer)
