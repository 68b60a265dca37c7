"""Long texts in pieces."""

import re

import pytest

from webui.text.pieces import LONGEST, pieces, width

EN = (
    "The sea was calm. Nobody spoke, and the boat, which had been his father's, moved slowly along the coast. "
    "It cost 3.14 pounds! Was that much? Nobody knew; but then, who would ask? "
) * 4
ZH = "今天天气很好。我们去公园散步，看见很多人在湖边唱歌；孩子们在草地上跑来跑去。你喜欢吗？我很喜欢！" * 5


@pytest.mark.parametrize("text", [EN, ZH, "word " * 300, "字" * 500, "x" * 1000])
def test_nothing_is_lost_and_nothing_is_too_long(text: str) -> None:
    out = list(pieces(text))
    assert re.sub(r"\s", "", "".join(out)) == re.sub(r"\s", "", text)
    assert max(map(width, out)) <= LONGEST + 3
    assert len(out) > 1


@pytest.mark.parametrize("text", [EN, ZH])
def test_cuts_are_where_a_sentence_ends(text: str) -> None:
    assert all(re.search(r"[.!?。！？]$", piece) for piece in pieces(text))


def test_short_sentences_go_together() -> None:
    assert list(pieces("Yes. No. It costs 3.14 pounds.")) == ["Yes. No. It costs 3.14 pounds."]


def test_the_first_piece_may_be_a_clause() -> None:
    long = "Of course, that is a good question, and the answer to it is not hard to find. And so on."
    assert next(pieces(long, first=40)) == "Of course, that is a good question,"
    assert next(pieces(long)) == long
    assert next(pieces("当然可以，这个问题问得很好，答案也不难找到。", first=15)) == "当然可以，"


@pytest.mark.parametrize("text", ["", "  ", "…", "?! —", "。。。"])
def test_nothing_to_say(text: str) -> None:
    assert list(pieces(text)) == []


def test_a_mark_alone_joins_what_is_before() -> None:
    assert list(pieces("Well. … !")) == ["Well. … !"]
