"""Every sentence the program can say stands in the label table, in every language, with the same blanks."""

import re
import string

import pytest

from webui.config import ROOT
from webui.conversation.prompts import PERSONAS
from webui.types import STYLES, Emotion, Event
from webui.ui.labels import table

RAISED = re.compile(r'(?:User|Audio|Model|Engine|Request)Error\(\s*"(\w+)"')


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def raised() -> set[str]:
    return {key for file in (ROOT / "webui").rglob("*.py") for key in RAISED.findall(file.read_text("utf-8"))}


def test_there_are_errors_to_check() -> None:
    assert {"no_speech", "not_audio", "empty_audio"} <= raised()


@pytest.mark.parametrize("lang", table())
def test_every_error_has_its_sentence(lang: str) -> None:
    assert not raised() - table()[lang].keys()


@pytest.mark.parametrize("lang", table())
def test_every_name_that_is_shown_has_a_label(lang: str) -> None:
    shown = [f"emotion_{e.value}" for e in Emotion] + [f"event_{e.value}" for e in Event]
    shown += [f"style_{s}" for s in STYLES] + [f"persona_{p}" for p in PERSONAS]
    assert not [key for key in shown if key not in table()[lang]]


def test_languages_have_the_same_keys_and_blanks() -> None:
    english = table()["en"]
    for words in table().values():
        assert words.keys() == english.keys()
        assert not [key for key in words if blanks(words[key]) != blanks(english[key])]
