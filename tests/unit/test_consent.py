"""The sentence that whose voice it is reads aloud, and what counts as having read it."""

from __future__ import annotations

import pytest

from webui.features.proof import compare, units
from webui.text.script import language_of
from webui.ui.labels import table
from webui.voices.consent import SIMILAR, WRONG, fresh_sentence, judge


@pytest.mark.parametrize(("asked", "language"), [("en", "en"), ("zh", "zh"), ("de", "en"), ("", "en")])
def test_sentences_are_in_their_language_and_new_each_time(asked: str, language: str) -> None:
    made = [fresh_sentence(asked) for _ in range(40)]
    assert {code for _, code in made} == {language}
    assert all(language_of(sentence) == language for sentence, _ in made)
    assert len({sentence for sentence, _ in made}) > 38
    assert all(4 <= len(units(sentence, language)) <= 30 for sentence, _ in made)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_old_recording_of_another_sentence_does_not_do(language: str) -> None:
    made = [units(fresh_sentence(language)[0], language) for _ in range(60)]
    wrong = sorted(compare(a, b)[0] for i, a in enumerate(made) for b in made[:i] if a != b)
    assert wrong[len(wrong) // 33] > WRONG


def test_words_and_voice_must_both_be_right() -> None:
    assert judge(0.0, 0.9).ok and judge(WRONG, SIMILAR).ok
    assert judge(WRONG + 0.01, 0.9).key == "consent_words"
    assert judge(0.0, SIMILAR - 0.01).key == "consent_voice"
    assert all(key in table()[lang] for lang in table() for key in ("consent_words", "consent_voice"))
