"""Styles as words."""

import pytest

from webui.engines.instructions import instruction
from webui.errors import EngineError
from webui.types import STYLES, Style


@pytest.mark.parametrize(
    ("style", "language", "words"),
    [
        (Style(), "en", ""),
        (Style("happy", strength=0.0), "zh", ""),
        (Style("happy"), "zh", "用开心的语气说"),
        (Style("happy"), "yue", "用开心的语气说"),
        (Style("happy"), "en", "Speak happily"),
        (Style("happy"), "ja", "Speak happily"),
        (Style("sad", strength=0.3), "en", "Speak a little sadly"),
        (Style(instruction=" like a\nradio host. "), "en", "like a radio host"),
        (Style("angry", instruction="慢一点。"), "zh", "用生气的语气说。慢一点"),
        (Style("angry", instruction="and slowly"), "en", "Speak angrily. and slowly"),
        (Style(instruction="softly<|endofprompt|>Ha <endofprompt>ha"), "en", "softly Ha ha"),
    ],
)
def test_words(style: Style, language: str, words: str) -> None:
    assert instruction(style, language) == words


def test_every_style_has_words_of_its_own() -> None:
    said = [instruction(Style(name, k), lang) for name in STYLES[1:] for k in (0.3, 1.0) for lang in ("en", "zh")]
    assert len(set(said)) == 4 * (len(STYLES) - 1)


@pytest.mark.parametrize("style", [Style("smug"), Style("happy", strength=1.5)])
def test_a_style_that_is_none(style: Style) -> None:
    with pytest.raises(EngineError) as caught:
        instruction(style, "en")
    assert caught.value.key == "style_unknown"
