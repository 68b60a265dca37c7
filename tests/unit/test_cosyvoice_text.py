"""What CosyVoice is given to read."""

import pytest

from webui.engines.cosyvoice_text import ENOUGH, MOST, _weight, between_tokens, clean, sentences

TOKENS = ("[laughter]", "<strong>", "</strong>", "[j]", "[ǐ]")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Well [laughter] yes.", "Well [laughter] yes."),
        ("<strong>Now</strong>!", "<strong>Now</strong>!"),
        ("报道[j][ǐ]予好评。", "报道[j][ǐ]予好评。"),
        ("<|HAPPY|>Hi <b>you</b> [cough] there <|endofprompt|>", "Hi you there"),
        ("**bold** and `code`", "bold and code"),
        ("[laughter]", "[laughter]"),
    ],
)
def test_own_tokens_pass_and_foreign_tags_go(text: str, said: str) -> None:
    assert clean(text, TOKENS) == said


def test_without_tokens_all_tags_go() -> None:
    assert clean("Well [laughter] <strong>yes</strong>.", ()) == "Well yes."


def test_what_stands_between_tokens_is_changed() -> None:
    assert (
        between_tokens("3 [laughter]3[ǐ] …", TOKENS, lambda part: part.replace("3", "three"))
        == "three [laughter]three[ǐ] …"
    )


def test_short_sentences_are_said_together() -> None:
    text = "Yes. No. Maybe so. " * 20
    pieces = list(sentences(text, eager=False))
    assert 2 <= len(pieces) < 20
    assert " ".join(pieces) == text.strip()
    assert all(ENOUGH <= _weight(piece) <= MOST for piece in pieces[:-1])


def test_the_first_sentence_comes_alone_when_someone_waits() -> None:
    text = "Hello there. " + "This is what comes next. " * 5
    assert next(sentences(text, eager=True)) == "Hello there."
    assert next(sentences(text, eager=False)) != "Hello there."


@pytest.mark.parametrize("text", ["一" * 500, "word " * 300, "这是，" * 100, "x" * 900])
def test_no_piece_is_too_long_and_nothing_is_lost(text: str) -> None:
    pieces = list(sentences(text, eager=True))
    assert all(_weight(piece) <= MOST for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("text", ["", "…", "?! ", " \n\n "])
def test_without_a_word_there_is_nothing_to_say(text: str) -> None:
    assert list(sentences(text, eager=True)) == []


def test_a_point_within_a_sentence_ends_nothing() -> None:
    assert list(sentences("It is 3.14 today, says Mr. Smith. Good.", eager=True)) == [
        "It is 3.14 today, says Mr. Smith.",
        "Good.",
    ]
