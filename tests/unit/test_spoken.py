import pytest

from webui.text.spoken import plain, spoken
from webui.text.spoken_zh import cardinal


def said(text: str, language: str) -> str:
    pieces = spoken(text, language)
    assert "".join(piece.written for piece in pieces) == text
    return "".join(piece.said for piece in pieces)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<|zh|><|HAPPY|><|Speech|><|withitn|>你好", "你好"),
        ("[laughter] That's <strong>great</strong>[breath]!", "That's great!"),
        ("# Title\n\n- **one** and *two*\n- `three`", "Title\none and two\nthree"),
        ("See [the page](https://example.com/x) ![a cat](cat.png)", "See the page a cat"),
        ("Good 😀👍🏽 morning ❤️", "Good morning"),
        ("Run\n```py\nprint(1)\n```\nnow", "Run\nnow"),
        ("zero\u200bwidth\x00", "zerowidth"),
        ("2 * 3 * 4 and a_b_c", "2 3 4 and a_b_c"),
        ("１２ＡＢ！", "12AB！"),
        ("!!!!!!!!!!!!", "!!!"),
        ("😀", ""),
    ],
)
def test_what_no_voice_should_say_is_taken_away(text: str, expected: str) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("0", "零"),
        ("10", "十"),
        ("12", "十二"),
        ("105", "一百零五"),
        ("110", "一百一十"),
        ("1001", "一千零一"),
        ("1010", "一千零一十"),
        ("10086", "一万零八十六"),
        ("100000", "十万"),
        ("1002000", "一百万二千"),
        ("1203000", "一百二十万三千"),
        ("100002000", "一亿零二千"),
        ("100000001", "一亿零一"),
        ("10100000000", "一百零一亿"),
        ("12345678", "一千二百三十四万五千六百七十八"),
    ],
)
def test_chinese_whole_numbers(number: str, expected: str) -> None:
    assert cardinal(number) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024年3月15日", "二零二四年三月十五日"),
        ("2024-03-05", "二零二四年三月五日"),
        ("8:05到14:30", "八点零五分到十四点三十分"),
        ("2:00", "两点整"),
        ("¥12.5元，$3万", "十二点五元，三万美元"),
        ("涨了12.5%", "涨了百分之十二点五"),
        ("气温-5℃", "气温负五摄氏度"),
        ("跑了3.5km", "跑了三点五公里"),
        ("2个人，第2个，22个", "两个人，第二个，二十二个"),
        ("3-5天", "三到五天"),
        ("1/2", "二分之一"),
        ("电话13812345678", "电话幺三八，幺二三四，五六七八"),
        ("1,234,567人", "一百二十三万四千五百六十七人"),
        ("1+1=2", "一加一等于二"),
        ("99:99", "九十九比九十九"),
        ("看 https://www.example.com/a?b=1，好", "看 example点com，好"),
    ],
)
def test_chinese_readings(text: str, expected: str) -> None:
    assert said(text, "zh") == expected


def test_addresses_in_english() -> None:
    assert said("See https://www.example.com/a?b=1.", "en") == "See example dot com."
    assert said("Write to ann@example.com!", "en") == "Write to ann at example dot com!"
    assert said("12345678901234567", "en") == "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:30と9:00", "10時30分と9時"),
        ("2026/1/5", "2026年1月5日"),
        ("¥98,000と$5", "98,000円と5ドル"),
        ("25.5%と3km", "25.5パーセントと3キロメートル"),
        ("iPhone 15", "iPhone １５"),
        ("99:99", "９９:９９"),
        ("example.jpは www.example.jp", "example.jpは exampleドットjp"),
    ],
)
def test_japanese_readings(text: str, expected: str) -> None:
    assert said(text, "ja") == expected
