"""The watermark in speech: found after everything that is promised, in nothing else. The whole set: bench/watermark.py."""

from __future__ import annotations

import pytest

from bench.watermark import ATTACKS, Look, looks, misheard, pieces, ratio_db, reading, sentences
from webui.config import ROOT, Settings
from webui.engines.kokoro import KokoroSynthesizer
from webui.engines.store import ModelStore
from webui.engines.whisper import WhisperRecognizer
from webui.types import Audio
from webui.voices.watermark import THRESHOLD, watermark

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def tracks() -> list[tuple[str, Audio]]:
    """What is read, and its sound, in English and Chinese."""
    synthesizer = KokoroSynthesizer(ModelStore(ROOT / "models"), Settings())
    read = []
    for language, voice in (("en", "af_heart"), ("zh", "zm_yunjian")):
        texts = sentences(language)[:5]
        read.append(("".join(texts), reading(synthesizer, texts, voice, language)))
    synthesizer.close()
    return read


@pytest.fixture(scope="module")
def speech(tracks: list[tuple[str, Audio]]) -> list[Audio]:
    """A dozen pieces of 3 to 8 seconds."""
    return list(pieces([audio for _, audio in tracks], 12, longest=8))


@pytest.fixture(scope="module")
def found(speech: list[Audio]) -> list[Look]:
    return [look for piece in speech for look in looks(piece, ATTACKS)]


@pytest.mark.parametrize("attack", ATTACKS)
def test_it_is_found_in_all_that_is_marked_and_in_nothing_else(found: list[Look], attack: str) -> None:
    of_it = [look for look in found if look.attack == attack]
    assert len(of_it) == 12
    assert min(look.marked for look in of_it) >= THRESHOLD
    assert max(look.unmarked for look in of_it) < THRESHOLD - 1


def test_it_lies_far_below_the_speech(speech: list[Audio]) -> None:
    assert min(ratio_db(piece, watermark(piece)) for piece in speech) > 27


def test_the_same_words_are_heard(tracks: list[tuple[str, Audio]]) -> None:
    recognizer = WhisperRecognizer(ModelStore(ROOT / "models"), Settings())
    plain, marked = (misheard(recognizer, tracks, change) for change in (ATTACKS["nothing"], watermark))
    recognizer.close()
    assert plain < 0.15
    assert marked < plain + 0.03
