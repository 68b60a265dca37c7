import pytest

from webui.text.script import language_of, runs


@pytest.mark.parametrize(
    ("text", "hint", "expected"),
    [
        ("Hello world", "auto", "en"),
        ("你好，世界", "auto", "zh"),
        ("今日はいい天気ですね", "auto", "ja"),
        ("東京", "ja", "ja"),
        ("안녕하세요", "auto", "ko"),
        ("Привет", "auto", "ru"),
        ("¿Dónde está la estación?", "es", "es"),
        ("我喜欢用iPhone 15听Taylor Swift的歌", "auto", "zh"),
        ("请访问 https://www.example.com/a/long/path?with=words", "auto", "zh"),
        ("My friend 李明 lives in Beijing", "auto", "en"),
        ("", "auto", "en"),
        ("12:30", "zh", "zh"),
    ],
)
def test_the_language_of_a_text(text: str, hint: str, expected: str) -> None:
    assert language_of(text, hint) == expected


def test_a_mixed_text_is_cut_where_its_language_changes() -> None:
    text = "“我用 iPhone 15, 很好。” OK? 한국"
    pieces = runs(text)
    assert "".join(piece for _, piece in pieces) == text
    assert [(code, piece.strip()) for code, piece in pieces] == [
        ("zh", "“我用"),
        ("en", "iPhone 15,"),
        ("zh", "很好。”"),
        ("en", "OK?"),
        ("ko", "한국"),
    ]


def test_han_beside_kana_is_japanese() -> None:
    assert {code for code, _ in runs("東京へ行く")} == {"ja"}
    assert {code for code, _ in runs("北京 hello")} == {"zh", "en"}
