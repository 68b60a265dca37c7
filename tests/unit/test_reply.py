import pytest

from webui.conversation.reply import ReplyParser


def parse(text: str, step: int) -> tuple[str, str | None]:
    parser = ReplyParser()
    clean = "".join(parser.feed(text[i : i + step]) for i in range(0, len(text), step)) + parser.flush()
    return clean.strip(), parser.style


@pytest.mark.parametrize("step", [1, 4, 1000])
@pytest.mark.parametrize(
    ("text", "clean", "style"),
    [
        ("<sad> I'm sorry.", "I'm sorry.", "sad"),
        ("<Sad>, hmm", "hmm", "sad"),
        ("＜happy＞：太好了！", "太好了！", "happy"),
        ("【excited】好！", "好！", "excited"),
        ("sad: I'm sorry.", "I'm sorry.", "sad"),
        ("Calm： 好的。", "好的。", "calm"),
        ("curious: What is it?", "What is it?", None),
        ("Paris: a city.", "Paris: a city.", None),
        ("Yes", "Yes", None),
        ("At 3:30 we go: now.", "At 3:30 we go: now.", None),
        ("[sad, calm] <sad>Oh no", "Oh no", "sad"),
        ("[answer in English] sad: Oh no", "Oh no", "sad"),
        ("(happy) Great <calm> stuff", "Great stuff", "happy"),
        ("I like [brackets] and a < b.", "I like [brackets] and a < b.", None),
        ("<laughter> That is <b>funny</b>.", "That is funny.", None),
        ("Hello<|im_end|>", "Hello", None),
        ("An open ( bracket at the end", "An open ( bracket at the end", None),
        ("", "", None),
    ],
)
def test_the_protocol_is_taken_out_and_the_words_stay(text: str, clean: str, style: str | None, step: int) -> None:
    assert parse(text, step) == (clean, style)


def test_an_open_bracket_does_not_hold_a_long_text_back() -> None:
    parser = ReplyParser()
    assert parser.feed("a (" + "b" * 300).startswith("a (bbb")
