import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui.conversation.sentences import LONGEST, SentenceSplitter


def split(text: str, step: int = 3) -> list[str]:
    splitter = SentenceSplitter()
    out: list[str] = []
    for i in range(0, len(text), step):
        out += splitter.feed(text[i : i + step])
    return out + splitter.flush()


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("I'm sorry to hear that, it must hurt. Yes.", ["I'm sorry to hear that,", "it must hurt.", "Yes."]),
        (
            "Dr. Smith paid $3.50 at 12:30, e.g. for tea! Ok.",
            ["Dr. Smith paid $3.50 at 12:30,", "e.g. for tea!", "Ok."],
        ),
        ('"Really?" she said... Yes.', ['"Really?"', "she said...", "Yes."]),
        ("今天天气真好，我们去公园吧！你觉得呢？", ["今天天气真好，", "我们去公园吧！", "你觉得呢？"]),
        ("“好的。”他说。", ["“好的。”", "他说。"]),
        ("こんにちは。元気ですか？はい。", ["こんにちは。", "元気ですか？", "はい。"]),
        ("1. Do this. 2. Then that.\nNext line", ["1. Do this.", "2. Then that.", "Next line"]),
        ("Pi is 3.14. Next", ["Pi is 3.14.", "Next"]),
        ("Well, no.", ["Well, no."]),
        ("So do I. And you?", ["So do I.", "And you?"]),
        ("   \n ", []),
    ],
)
def test_splits_where_a_speaker_would(text: str, pieces: list[str]) -> None:
    assert split(text) == pieces


def test_the_first_clause_comes_before_the_sentence_is_complete() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("I'm sorry to hear that, it") == ["I'm sorry to hear that,"]


def test_text_without_an_end_is_cut() -> None:
    assert max(len(p) for p in split("word " * 200)) <= LONGEST
    assert max(len(p) for p in split("字" * 1000)) <= LONGEST


@given(st.text(alphabet='ab.,!?。，！？… \n"”1', max_size=80), st.integers(1, 9))
def test_the_split_does_not_depend_on_how_the_text_arrives_and_loses_nothing(text: str, step: int) -> None:
    pieces = split(text, step)
    assert pieces == split(text, 1)
    assert "".join("".join(pieces).split()) == "".join(text.split())
