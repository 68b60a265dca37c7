"""Clips are kept for a while."""

from __future__ import annotations

import numpy as np
import pytest

from webui.errors import UserError
from webui.features import clips
from webui.features.clips import MAX_TRANSCRIPT, Clips
from webui.features.cloning import Prepared
from webui.types import Audio
from webui.voices.clip import Finding


def prepared(*levels) -> Prepared:
    sound = Audio(np.linspace(-1, 1, 24_000, dtype=np.float32), 24_000)
    findings = tuple(Finding("clip_quiet", level) for level in levels)
    return Prepared(sound, 1.0, (0.0, 1.0), findings, "Hello.", "en", np.zeros((2, 2), np.int8))


def test_a_clip_is_kept_as_it_is_until_it_is_deleted() -> None:
    kept = Clips()
    clip = kept.add(prepared())
    np.testing.assert_array_equal(kept.get(clip.id).prepared.clip.samples, prepared().clip.samples)
    kept.delete(clip.id)
    kept.delete(clip.id)
    with pytest.raises(UserError, match="is deleted"):
        kept.get(clip.id)


def test_the_one_that_nobody_has_used_for_longest_makes_room(monkeypatch) -> None:
    monkeypatch.setattr(clips, "MAX_CLIPS", 2)
    kept = Clips()
    first, second = kept.add(prepared()), kept.add(prepared())
    kept.get(first.id)
    third = kept.add(prepared())
    assert kept.get(first.id) is first and kept.get(third.id) is third
    with pytest.raises(UserError):
        kept.get(second.id)


def test_an_old_clip_is_deleted(monkeypatch) -> None:
    kept = Clips()
    old, young = kept.add(prepared()), kept.add(prepared())
    old.used -= clips.KEPT_S + 1
    kept._sweep()
    assert kept.get(young.id) is young
    with pytest.raises(UserError):
        kept.get(old.id)


def test_the_words_can_be_corrected_within_limits() -> None:
    clip = Clips().add(prepared())
    clip.correct("  Hello,\n you. ")
    assert clip.transcript == "Hello, you."
    with pytest.raises(UserError, match="under 1000 characters"):
        clip.correct("x" * (MAX_TRANSCRIPT + 1))


def test_what_is_bad_cannot_be_used() -> None:
    assert prepared().usable and prepared("ok", "warn").usable
    assert not prepared("warn", "bad").usable
