"""Numbers, names and signs that are easily said wrong, in English and Chinese: as written, and as a person says them."""

import re

import pytest

from webui.engines.g2p import G2P
from webui.text.spoken import in_words, plain

READ = G2P()

ENGLISH = [
    ("$3.50", "three dollars and fifty cents"),
    ("It costs $1,234.56.", "It costs one thousand two hundred thirty four dollars and fifty six cents."),
    ("$0.99", "ninety nine cents"),
    ("$1", "one dollar"),
    ("£5.99", "five pounds and ninety nine pence"),
    ("€20", "twenty euros"),
    ("¥500", "five hundred yen"),
    ("$1.5M", "one point five million dollars"),
    ("$3bn", "three billion dollars"),
    ("US$50", "fifty U.S. dollars"),
    ("$5–$10", "five to ten dollars"),
    ("$20/month", "twenty dollars per month"),
    ("100 EUR", "one hundred euros"),
    ("5€", "five euros"),
    ("50¢", "fifty cents"),
    ("1,234,567", "one million two hundred thirty four thousand five hundred sixty seven"),
    ("1 000 000", "one million"),
    ("3/4 of it", "three quarters of it"),
    ("2 1/2 cups", "two and a half cups"),
    ("1½ cups", "one and a half cups"),
    ("5/8", "five eighths"),
    ("0.5", "zero point five"),
    (".5", "zero point five"),
    ("1.0", "one point zero"),
    ("50%", "fifty percent"),
    ("12.5%", "twelve point five percent"),
    ("10–20%", "ten to twenty percent"),
    ("3rd place", "third place"),
    ("21st", "twenty first"),
    ("in 1905", "in nineteen O five"),
    ("the 1990s", "the nineteen nineties"),
    ("in 2026", "in twenty twenty six"),
    ("2026-11-22", "November twenty second, twenty twenty six"),
    ("11/22/2026", "November twenty second, twenty twenty six"),
    ("22 Nov 2026", "the twenty second of November twenty twenty six"),
    ("Jan. 5", "January fifth"),
    ("10:45 p.m. sharp", "ten forty five P.M. sharp"),
    ("12:00", "twelve o'clock"),
    ("7:30-8:30", "seven thirty to eight thirty"),
    ("10am-5pm", "ten A.M. to five PM"),
    ("won 3:2", "won three to two"),
    ("16:9", "sixteen to nine"),
    ("24/7", "twenty four seven"),
    ("pages 3-5", "pages three to five"),
    ("5 km/h", "five kilometers per hour"),
    ("5 m/s", "five meters per second"),
    ("100㎡", "one hundred square meters"),
    ("80 m²", "eighty square meters"),
    ("6 L/100 km", "six liters per one hundred kilometers"),
    ("2h 15min", "two hours fifteen minutes"),
    ("220V", "two hundred twenty volts"),
    ("5–10 kg", "five to ten kilograms"),
    ("10 cm x 20 cm", "ten centimeters by twenty centimeters"),
    ("10x faster", "ten times faster"),
    ("5'10\"", "five foot ten"),
    ("-12°C", "minus twelve degrees Celsius"),
    ("−5", "minus five"),
    ("72°F", "seventy two degrees Fahrenheit"),
    ("~5 minutes", "about five minutes"),
    ("≥10", "at least ten"),
    (">10", "more than ten"),
    ("№ 5", "number five"),
    ("No. 5", "Number five"),
    ("#1", "number one"),
    ("v2.1", "version two point one"),
    ("version 2.1.3", "version two point one point three"),
    ("192.168.1.1", "one nine two dot one six eight dot one dot one"),
    ("call 555-1234", "call five five five, one two three four"),
    ("(415) 555-2671", "four one five, five five five, two six seven one"),
    ("+1 415 555 2671", "plus one, four one five, five five five, two six seven one"),
    ("007", "zero zero seven"),
    ("room 101", "room one oh one"),
    ("Boeing 747", "Boeing seven forty seven"),
    ("Louis XIV", "Louis the fourteenth"),
    ("Henry VIII's", "Henry the eighth's"),
    ("Chapter IV", "Chapter four"),
    ("World War II", "World War two"),
    ("Super Bowl LVIII", "Super Bowl fifty eight"),
    ("Dr. Smith", "Doctor Smith"),
    ("St. Paul", "Saint Paul"),
    ("Mt. Everest", "Mount Everest"),
    ("WiFi", "Wi-Fi"),
    ("H2O", "H two O"),
    ("CO2", "C O two"),
    ("C#", "C sharp"),
    ("JSON", "Jason"),
    ("a naïve Zoë", "a naive Zoe"),
    ("Sean in Los Angeles", "Shawn in Loss Angeles"),
    ("€10–12 million", "ten to twelve million euros"),
    ("300,000 km/s", "three hundred thousand kilometers per second"),
    ("ann@example.com", "ann at example dot com"),
    ("www.example.com/a?b=1", "example dot com"),
    ("https://example.com/a", "example dot com"),
    ("example.com", "example dot com"),
    ("Good 😀 day", "Good day"),
    ("iPhone 15 Pro", "iPhone fifteen Pro"),
    ("x²", "x squared"),
    ("2×4", "two times four"),
]

# The library's own rules make "James the zeroth Lewis" of it.
NAMES = [
    "Henry Lee",
    "James Lewis",
    "George Lucas",
    "Peter Cook",
    "Book Club",
    "Type C",
    "King Charles",
    "Peter V. Smith",
]

CHINESE = [
    ("¥12.5", "十二点五元"), ("￥1,234.56", "一千二百三十四点五六元"), ("$1.5M", "一点五百万美元"), ("¥5-10", "五到十元"),
    ("100 USD", "一百美元"), ("5元/斤", "每斤五元"), ("80元/m²", "每平方米八十元"), ("3/4", "四分之三"), ("1½杯", "一又二分之一杯"),
    ("1,234,567", "一百二十三万四千五百六十七"), ("1 234 567", "一百二十三万四千五百六十七"), ("2万", "两万"), ("20000", "两万"),
    ("2000多人", "两千多人"), ("12000人", "一万二千人"), ("10万～20万元", "十万到二十万元"), ("0.05", "零点零五"), ("100.00", "一百点零零"),
    ("50%", "百分之五十"), ("10-20%", "百分之十到百分之二十"), ("10%-20%", "百分之十到百分之二十"), ("5‰", "千分之五"),
    ("2026-11-22", "二零二六年十一月二十二日"), ("2026/11", "二零二六年十一月"), ("12/25", "十二月二十五日"), ("3月5号", "三月五号"),
    ("3月5日-8日", "三月五日到八日"), ("2020-2024年", "二零二零到二零二四年"), ("2024-25赛季", "二零二四到二五赛季"), ("90年代", "九十年代"),
    ("90后", "九零后"), ("10年", "十年"), ("08年", "零八年"), ("2025年后", "二零二五年后"), ("100年前", "一百年前"),
    ("晚上10:45", "晚上十点四十五分"), ("10:45 p.m.", "下午十点四十五分"), ("9:00-21:30", "九点整到二十一点三十分"),
    ("周一-周五", "周一到周五"), ("2点", "两点"), ("1'30\"", "一分三十秒"), ("结果是3:2", "结果是三比二"), ("比分10:45", "比分十比四十五"),
    ("1:1000", "一比一千"), ("3-5天", "三到五天"), ("气温-3~5℃", "气温负三到五摄氏度"), ("降到了-8度", "降到了负八度"),
    ("-12°C", "负十二摄氏度"), ("5 km/h", "五公里每小时"), ("100㎡", "一百平方米"), ("5kWh", "五千瓦时"), ("1米75", "一米七五"),
    ("3-1=2", "三减一等于二"), ("7x24小时", "七乘二十四小时"), ("10^3", "十的三次方"), ("x²", "x平方"), ("≥10", "大于等于十"),
    ("<3", "小于三"), ("±2", "正负二"), ("第2章", "第二章"), ("第IV章", "第四章"), ("Ⅳ", "四"), ("①", "一"), ("№ 5", "编号 五"),
    ("No.1", "第一"), ("2nd", "第二"), ("版本2.1.3", "版本二点一点三"), ("192.168.1.1", "一九二点一六八点一点一"),
    ("13812345678", "幺三八，幺二三四，五六七八"), ("010-12345678", "零幺零，幺二三四，五六七八"), ("400-123-4567", "四零零，幺二三，四五六七"),
    ("+86 138 1234 5678", "加八六，幺三八，幺二三四，五六七八"), ("拨打120", "拨打幺二零"), ("房间1203", "房间幺二零三"),
    ("3楼302室", "三楼三零二室"), ("邮编100000", "邮编幺零零零零零"), ("京A12345", "京A 幺二三四五"), ("G1234次", "G幺二三四次"),
    ("iPhone 15 Pro", "iPhone 十五 Pro"), ("B2B", "B to B"), ("Q&A", "Q and A"), ("C#", "C sharp"), ("24/7", "二十四七"),
    ("#话题#", "话题"), ("@小明", "艾特小明"), ("a@b.com", "a艾特b点com"), ("https://example.com/a", "example点com"),
    ("example.com", "example点com"), ("😀你好", "你好"), ("真好☀️，走吧", "真好，走吧"),
]  # fmt: skip


def sounds(text: str, language: str) -> str:
    """Its phonemes without stress and spaces: those depend on what stands beside a word."""
    said = "".join(piece.phonemes for piece in READ(text, language))
    return re.sub("[ˈˌ ]", "", said).rstrip(".")


@pytest.mark.parametrize(("written", "said"), ENGLISH)
def test_english(written: str, said: str) -> None:
    assert sounds(written, "en") == sounds(said, "en")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_begins_like_a_numeral_is_a_name(name: str) -> None:
    assert in_words(name, "en") == name
    assert "zˌɪɹO" not in "".join(piece.phonemes for piece in READ(name, "en"))


@pytest.mark.parametrize(("written", "said"), CHINESE)
def test_chinese(written: str, said: str) -> None:
    assert in_words(plain(written), "zh") == said
    assert sounds(f"今天我们要说的是：{written}", "zh") == sounds(f"今天我们要说的是：{said}", "zh")


@pytest.mark.parametrize(
    ("text", "language", "sound"),
    [
        ("A股", "zh", "ˈA ku↓"),
        ("选A还是B", "zh", "ɕɥɛ↓n ˈA xai↗ʂɨ↘ bˈi"),
        ("This is plan A.", "en", "ðˌɪs ɪz plˈæn ˈA."),
    ],
)
def test_a_letter_is_said_as_a_letter(text: str, language: str, sound: str) -> None:
    assert "".join(piece.phonemes for piece in READ(text, language)).strip() == sound


@pytest.mark.parametrize(
    "text", ["1" * 4000, "1-" * 2000, "$1," * 1500, "1:2" * 1500, "1.2" * 1500, "+1 " * 1500, "1 000 " * 800]
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_hostile_numbers_are_read_too(text: str, language: str) -> None:
    assert in_words(plain(text), language)
