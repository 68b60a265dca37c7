"""The marks of a text: what they are, what is left of the text without them, and what only looks like one."""

import pytest

from webui.errors import UserError
from webui.text import marks
from webui.text.marks import Pause, Reading, Token
from webui.text.phones import is_phone, is_syllable, toned
from webui.text.pieces import LONGEST, pieces, width
from webui.text.spoken import plain


def test_all_marks_in_order() -> None:
    text = "住在{重庆|chong2 qing4}。[pause 0.5]I {read|R EH1 D} <strong>it</strong>[breath]"
    assert marks.parse(text) == [
        "住在",
        Reading("重庆", ("chong2", "qing4")),
        "。",
        Pause(0.5),
        "I ",
        Reading("read", ("R", "EH1", "D")),
        " ",
        Token("<strong>"),
        "it",
        Token("</strong>"),
        Token("[breath]"),
    ]
    assert marks.tokens(text + "[breath]") == ("strong", "breath")


@pytest.mark.parametrize(
    "text",
    [
        "[pause 9]", "[pause 0.01]", "[pause]", "[Pause 1]", "{a|b}", "{read|r eh1 d}", "{重庆|chong9}", "{重庆|chung2}",
        "{a|}", "{|a1}", "{a\nb|a1}", "[giggle]", "<b>", "{" + "a" * 41 + "|a1}", "{ |a1}", "{a|EH}", "{a|R3}",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_mark_is_text(text: str) -> None:
    assert marks.parse(text) == [text]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Wait [pause 9] here.", "pause_wrong"),
        ("Wait [Pause 1] here.", "pause_wrong"),
        ("Wait [pause] here.", "pause_wrong"),
        ("I {read|r eh1 d} it.", "reading_wrong"),
        ("去{重庆|chung2}", "reading_wrong"),
        ("{a|b|c}", "reading_wrong"),
        ("[pause 5]" * 121, "pauses_long"),
    ],
)
def test_what_was_meant_as_a_mark_is_told(text: str, key: str) -> None:
    with pytest.raises(UserError) as caught:
        marks.check(text)
    assert caught.value.key == key
    assert len(caught.value.message) < 160


@pytest.mark.parametrize("text", ["", "{a}", "a | b", "[paused]", "f(x) = {x: 1}", "[pause 5]" * 120, "{Li|lv4 R}"])
def test_what_is_right_passes(text: str) -> None:
    marks.check(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Well [laughter] yes.", "Well yes."),
        ("Yes [laughter].", "Yes."),
        ("[breath]Hello", "Hello"),
        ("Hello[breath]world", "Hello world"),
        ("你好[breath]世界", "你好世界"),
        ("好。[pause 1]\n再见", "好。\n再见"),
        ("one [breath] [sigh] two", "one two"),
        ("That's <strong>great</strong>[breath]!", "That's great!"),
        ("{重庆|chong2 qing4}很大", "重庆很大"),
        ("keep  two  spaces", "keep  two  spaces"),
    ],
)
def test_as_it_is_read_by_eye(text: str, shown: str) -> None:
    assert marks.shown(text) == shown


def test_an_engine_keeps_the_tokens_it_has_and_every_reading() -> None:
    text = "Oh [breath] no [cough] {no|N OW1} <strong>no</strong>[pause 1]"
    assert marks.without(text, {"breath"}) == "Oh [breath] no {no|N OW1} no"


def test_pauses_cut_a_text() -> None:
    assert marks.cut("[pause 1]One {two|T UW1}.[pause 0.5] [pause 2]Three.") == [
        Pause(1.0),
        "One {two|T UW1}.",
        Pause(0.5),
        Pause(2.0),
        "Three.",
    ]


def test_hidden_readings_come_back() -> None:
    text = "A {read|R EH1 D} and\U000f0000 {重庆|chong2 qing4}"
    hidden, readings = marks.hide(text)
    assert "|" not in hidden and len(readings) == 2
    assert marks.restore(hidden, readings) == text.replace("\U000f0000", "")
    assert marks.restore(hidden, readings, lambda reading: reading.shown) == "A read and 重庆"


def test_a_stretch_ends_in_the_piece_where_it_begins() -> None:
    assert list(marks.closed(["</strong>a <strong>b.", "c.", "d</strong> <strong>e"])) == [
        "a <strong>b.</strong>",
        "<strong>c.</strong>",
        "<strong>d</strong> <strong>e</strong>",
    ]


def test_pieces_never_cut_a_mark() -> None:
    text = "去{重庆|chong2 qing4}的路，" * 40 + "and <strong>so {read|R EH1 D} " + "on and on " * 60 + "</strong>."
    made = list(pieces(text))
    assert len(made) > 4
    assert sum(piece.count("chong2 qing4}") for piece in made) == 40
    assert all(piece.count("{") == piece.count("}") for piece in made)
    assert all(piece.count("<strong>") == piece.count("</strong>") for piece in made)
    assert all(width(marks.shown(piece)) <= 2 * LONGEST for piece in made)
    assert list(pieces("{重庆|chong2 qing4}")) == ["{重庆|chong2 qing4}"]


def test_no_mark_is_said_aloud() -> None:
    assert plain("[pause 1]Go [laughter] to {重庆|chong2 qing4} <strong>now</strong>!") == "Go to 重庆 now!"


@pytest.mark.parametrize(
    "text",
    [
        "{" * 50_000, "{a|" * 30_000, "[pause " * 20_000, "{a|b " * 30_000, "{" + "a" * 100_000,
        " " * 100_000 + "[breath]", "[mn] " * 20_000, "<strong>" * 10_000, "{a|a1}" * 15_000,
    ],
)  # fmt: skip
def test_hostile_texts_are_read_too(text: str) -> None:
    assert len(marks.shown(text)) <= len(text)
    assert marks.restore(*marks.hide(text)) == text
    assert len("".join(marks.closed([text]))) <= len(text) + 20


def test_syllables_and_phones() -> None:
    assert all(map(is_syllable, "chong2 lü4 nüe4 er2 a5 yuan2 xiong1 zhi1".split()))
    assert not any(map(is_syllable, ("chong", "chong6", "xong2", "ju", "bua1", "EH1", "")))
    assert all(map(is_phone, ("EH1", "R", "ZH", "AH0")))
    assert not any(map(is_phone, ("EH", "EH3", "R1", "r", "eh1", "")))
    assert [toned(s) for s in "chong2 liu2 gui4 lü4 er2 xue2 hao3 ma5".split()] == [
        ("ch", "óng"),
        ("l", "iú"),
        ("g", "uì"),
        ("l", "ǜ"),
        ("", "ér"),
        ("x", "ué"),
        ("h", "ǎo"),
        ("m", "a"),
    ]
