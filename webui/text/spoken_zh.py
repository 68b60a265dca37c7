"""Chinese readings of digits, dates, times, money, measures and signs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

Rule = Callable[[re.Match[str]], "str | None"]

_DIGITS = "零一二三四五六七八九"
_UNITS = {
    "km/h": "公里每小时", "m/s": "米每秒", "km²": "平方公里", "m²": "平方米", "m³": "立方米", "km": "公里",
    "cm": "厘米", "mm": "毫米", "m": "米", "kg": "公斤", "mg": "毫克", "g": "克", "ml": "毫升", "mL": "毫升",
    "L": "升", "h": "小时", "min": "分钟", "s": "秒", "ms": "毫秒", "kWh": "千瓦时", "kW": "千瓦", "W": "瓦",
    "V": "伏", "Hz": "赫兹", "kHz": "千赫", "MHz": "兆赫", "GHz": "吉赫", "Mbps": "兆比特每秒", "Gbps": "吉比特每秒",
    "MB/s": "兆字节每秒", "fps": "帧每秒", "℃": "摄氏度", "°C": "摄氏度", "℉": "华氏度", "°F": "华氏度", "°": "度",
    "㎡": "平方米", "㎥": "立方米", "㎞": "公里", "㎝": "厘米", "㎜": "毫米", "㎏": "公斤", "㎎": "毫克",
}  # fmt: skip
_MONEY = {"¥": "元", "￥": "元", "$": "美元", "€": "欧元", "£": "英镑", "₩": "韩元"}
_CURRENCIES = {
    "USD": "美元", "RMB": "元", "CNY": "元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元", "HKD": "港元",
}  # fmt: skip
_LARGE = {"K": "千", "k": "千", "M": "百万", "B": "十亿"}
_SIGNS = {
    "+": "加", "=": "等于", "×": "乘以", "÷": "除以", "&": "和", "@": "艾特", "%": "百分号", "#": "井号", "±": "正负",
    "≥": "大于等于", "≤": "小于等于", "≈": "约等于", "≠": "不等于", "№": "编号", "²": "平方", "³": "立方",
}  # fmt: skip
# before these, two is 两
_MEASURES = (
    "个位只条张件本杯瓶天次种名块分钟小时岁斤公里米倍家台辆支口周年万亿千点"
    "层颗间座项双对句段片遍趟顿节株匹头册副套份把根朵批笔"
)
_PLACES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"  # how a number plate begins
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def digits(number: str) -> str:
    """Digit by digit: ``2024`` is 二零二四."""
    return "".join(_DIGITS[int(d)] for d in number)


def cardinal(number: str) -> str:
    """A whole number in words: ``10086`` is 一万零八十六. Beyond 16 digits it is read digit by digit."""
    number = number.lstrip("0") or "0"
    if len(number) > 16:
        return digits(number)
    groups: list[str] = []
    while number:
        groups.append(number[-4:])
        number = number[:-4]
    out, gap = "", False
    for power in range(len(groups) - 1, -1, -1):
        group = int(groups[power])
        if group:
            said = "两" if group == 2 and power and not out else _thousands(group)
            if not out and 2000 <= group < 3000:
                said = "两" + said[1:]
            out += ("零" if out and (gap or group < 1000) else "") + said + ("", "万", "亿", "万亿")[power]
        gap = group == 0
    if out.startswith("一十"):
        out = out[1:]
    return out or "零"


def _thousands(group: int) -> str:
    out, gap = "", False
    for value, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = group // value % 10
        if digit:
            out += ("零" if gap and out else "") + _DIGITS[digit] + name
            gap = False
        else:
            gap = True
    return out


def number(text: str) -> str:
    """A number as written (sign, thousands commas, decimals): ``-1,234.5`` is 负一千二百三十四点五."""
    sign = "负" if text[:1] in "-−" and text[:1] else ""
    whole, _, rest = text.lstrip("-−+").replace(",", "").partition(".")
    return sign + cardinal(whole) + ("点" + digits(rest) if rest else "")


def _counted(text: str) -> str:
    return "两" if text == "2" else number(text)


def _called(number: str) -> str:
    """A number that names something, such as a telephone: digit by digit, one being 幺."""
    return digits(re.sub(r"\D", "", number)).replace("一", "幺")


def _telephone(number: str) -> str:
    """With pauses, as people say it: 138 1234 5678."""
    number = re.sub(r"\D", "", number)
    first = 3 if number[0] in "148" or number[1] in "12" else 4
    return "，".join(_called(group) for group in (number[:first], number[first:-4], number[-4:]))


def _parts(number: str) -> str:
    """Numbers with more than one point: versions and addresses."""
    return "点".join(digits(part) if len(part) > 2 else cardinal(part) for part in number.split("."))


def _roman(numeral: str) -> str | None:
    values = [_ROMAN[sign] for sign in numeral]
    total = sum(-v if v < after else v for v, after in zip(values, [*values[1:], 0], strict=True))
    return cardinal(str(total)) if 0 < total < 100 else None


def _mixed(match: re.Match[str]) -> str:
    """½ and the like, with the whole before it."""
    above, below = unicodedata.normalize("NFKC", match[2]).split("⁄")
    return (f"{number(match[1])}又" if match[1] else "") + f"{cardinal(below)}分之{cardinal(above)}"


def _date(match: re.Match[str]) -> str | None:
    year, month, day = match.groups()
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return None
    return f"{digits(year)}年{cardinal(month)}月{cardinal(day)}日"


def _time(match: re.Match[str]) -> str | None:
    hour, minute, second, half = match.groups()
    if int(hour) > 24 or int(minute) > 59 or int(second or 0) > 59:
        return None
    out = ("两" if int(hour) == 2 else cardinal(hour)) + "点"
    if half:
        out = ("上午" if half in "aA" else "下午") + out
    if int(minute):
        out += ("零" if int(minute) < 10 else "") + cardinal(minute) + "分"
    elif not second:
        out += "整"
    return out + (cardinal(second) + "秒" if second else "")


def _stroke(match: re.Match[str]) -> str | None:
    """3/4 is a fraction, 12/25 a date."""
    first, second = int(match[1]), int(match[2])
    if first <= 12 < second <= 31:
        return f"{cardinal(match[1])}月{cardinal(match[2])}日"
    return f"{cardinal(match[2])}分之{cardinal(match[1])}" if second else None


def _short_year(match: re.Match[str]) -> str:
    """98年 is a year, 20年 a time."""
    return digits(match[1]) if match[1][0] in "06789" else cardinal(match[1])


_N = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_FREE = r"(?<![\d.A-Za-z])"
_TO = r"\s?[-~～–—]\s?"
_YEAR = r"(?<!\d)((?:1[89]|20)\d{2})"
_UNIT = "|".join(re.escape(u) for u in sorted(_UNITS, key=len, reverse=True))
_COIN = "".join(_MONEY)
_BEFORE_NAMES = "|".join(
    f"(?<={word})" for word in "拨打 拨 打 电话 热线 客服 尾号 邮编 编号 密码 验证码 房间 房间号 房号 卡号 QQ".split()
)
_DAY = re.compile(r"\d{4}\.\d{1,2}\.\d{1,2}")

RULES: list[tuple[re.Pattern[str], Rule]] = [
    (re.compile(r"([<>＜＞])(?=\s?\d)"), lambda m: "小于" if m[1] in "<＜" else "大于"),
    (re.compile(r"(?<=[\dA-Za-z])\^(\d{1,3})(?!\d)"), lambda m: f"的{cardinal(m[1])}次方"),
    # telephones and other names
    (re.compile(r"(?<!\d)\+(\d{1,3})[ -]?((?:\d[ -]?){6,13}\d)(?!\d)"),
     lambda m: f"加{_called(m[1])}，{_telephone(m[2])}"),
    (re.compile(r"(?<!\d)(1[3-9]\d[ -]?\d{4}[ -]?\d{4}|0\d{2,3}-?\d{7,8}|[48]00-?\d{3}-?\d{4})(?!\d)"),
     lambda m: _telephone(m[1])),
    (re.compile(rf"(?:{_BEFORE_NAMES})[:：是为]?\s?(\d{{3,}})(?!\d)(?![.个台部次元万亿多余])"),
     lambda m: _called(m[1])),
    (re.compile(rf"(?<=[{_PLACES}])([A-Z])[·\s]?((?=[A-Z]{{0,5}}\d)[A-Z0-9]{{5,6}})(?![A-Za-z0-9])"),
     lambda m: m[1] + " " + re.sub(r"\d", lambda d: _called(d[0]), m[2])),
    (re.compile(r"(?<=[A-Z])(\d{3,4})(?=次|航班)|(?<![\d.])(\d{3,4})(?=室|房间|号房|教室)"),
     lambda m: _called(m[1]) if m[1] else digits(m[2])),
    (re.compile(r"(?<=波音|空客)\s?(\d{3})(?!\d)"), lambda m: digits(m[1])),
    (re.compile(r"(?<![\d.])(\d{1,4}(?:\.\d{1,4}){2,5})(?![\d.]*\d)"),
     lambda m: None if _DAY.fullmatch(m[1]) else _parts(m[1])),
    (re.compile(r"(?<![A-Za-z])([BCGOP])2([BCGOP])(?![A-Za-z0-9])"), lambda m: f"{m[1]} to {m[2]}"),
    (re.compile(r"(?<![A-Za-z])C#"), lambda m: "C sharp"),
    (re.compile(r"#([^#\s]{1,40})#"), lambda m: m[1]),
    # dates and times
    (re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?![\d.])"), _date),
    (re.compile(rf"{_YEAR}/(0?[1-9]|1[0-2])(?![\d/])"), lambda m: f"{digits(m[1])}年{cardinal(m[2])}月"),
    (re.compile(rf"{_YEAR}{_TO}((?:1[89]|20)\d{{2}})(?!\d)"), lambda m: f"{digits(m[1])}到{digits(m[2])}"),
    (re.compile(rf"{_YEAR}[-–/](\d{{2}})(?=赛季|学年|财年|年度)"), lambda m: f"{digits(m[1])}到{digits(m[2])}"),
    (re.compile(rf"{_YEAR}(?=年(?!前)|赛季|学年|财年|年度|款|版)"), lambda m: digits(m[1])),
    (re.compile(r"(?<!\d)(\d{4})(?=年(?!前|后|来|内|间))"), lambda m: digits(m[1])),
    (re.compile(r"(?<![\d.])(\d{2})(?=年(?!前|后|来|内|间|代))"), _short_year),
    (re.compile(r"(?<![\d.])(\d[05])(?=后(?![\d天年月日来]))"), lambda m: digits(m[1])),
    (re.compile(r"(?<=比分)\s?(\d{1,3})[:：](\d{1,3})(?!\d)|"
                r"(?<![\d:])(\d{1,3})[:：](\d{1,3})(?=[战大险小]?胜|击败|惜败)"),
     lambda m: f"{cardinal(m[1] or m[3])}比{cardinal(m[2] or m[4])}"),
    (re.compile(rf"(?<=[:：]\d\d){_TO}(?=\d{{1,2}}[:：]\d\d)|(?<=[年月日号点时周一二三四五六日万亿元]){_TO}(?=\d|周|星期)"),
     lambda m: "到"),
    (re.compile(r"(?<![\d:])(\d{1,2})[:：](\d{2})(?:[:：](\d{2}))?(?:\s?([AaPp])\.?[Mm]\b\.?)?(?![\d:])"), _time),
    (re.compile(r"(?<![\d:])(\d{1,5})[:：](\d{1,5})(?![\d:])"), lambda m: f"{cardinal(m[1])}比{cardinal(m[2])}"),
    (re.compile(r"(?<!\d)(\d{1,2})['′](\d{1,2})[\"″]"), lambda m: f"{cardinal(m[1])}分{cardinal(m[2])}秒"),
    # money, measures, ranges
    (re.compile(rf"([{_COIN}])\s?({_N}){_TO}[{_COIN}]?({_N})([万亿百千]*)元?"),
     lambda m: f"{number(m[2])}到{number(m[3])}{m[4]}{_MONEY[m[1]]}"),
    (re.compile(rf"([{_COIN}])\s?({_N})\s?(?:([万亿百千]+)|([KkMB])(?![A-Za-z]))?元?"),
     lambda m: number(m[2]) + (m[3] or _LARGE.get(m[4], "")) + _MONEY[m[1]]),
    (re.compile(rf"{_FREE}({_N})\s?({'|'.join(_CURRENCIES)})(?![A-Za-z])"), lambda m: number(m[1]) + _CURRENCIES[m[2]]),
    (re.compile(rf"{_FREE}(-?{_N})\s?[%％]?{_TO}(-?{_N})\s?[%％]"),
     lambda m: f"百分之{number(m[1])}到百分之{number(m[2])}"),
    (re.compile(rf"(?<![\d.])(-?{_N})\s?([%％‰])"), lambda m: ("千" if m[2] == "‰" else "百") + "分之" + number(m[1])),
    (re.compile(rf"{_FREE}({_N})([\u4e00-\u9fff]{{1,2}})/([\u4e00-\u9fff]{{1,2}}|{_UNIT})(?![A-Za-z])"),
     lambda m: f"每{_UNITS.get(m[3], m[3])}{_counted(m[1])}{m[2]}"),
    (re.compile(rf"{_FREE}({_N})\s?[-−]\s?({_N})(?=\s?=)"), lambda m: f"{number(m[1])}减{number(m[2])}"),
    (re.compile(rf"{_FREE}(-?{_N}){_TO}(-?{_N})\s?({_UNIT})(?![A-Za-z])"),
     lambda m: f"{number(m[1])}到{number(m[2])}{_UNITS[m[3]]}"),
    (re.compile(rf"{_FREE}(-?{_N})\s?({_UNIT})(?![A-Za-z])"), lambda m: _counted(m[1]) + _UNITS[m[2]]),
    (re.compile(rf"{_FREE}({_N}){_TO}({_N})(?![\d.])"), lambda m: f"{number(m[1])}到{number(m[2])}"),
    (re.compile(r"(?<=\d米)(\d{2})(?!\d)"), lambda m: digits(m[1])),
    (re.compile(r"(?<=\d)\s?[xX]\s?(?=\d)"), lambda m: "乘"),
    # what is left of numbers
    (re.compile(r"(\d*)([¼-¾⅐-⅞])"), _mixed),
    (re.compile(r"[①-⑳Ⅰ-Ⅻ]"), lambda m: cardinal(str(round(unicodedata.numeric(m[0]))))),
    (re.compile(r"(?<=第)([IVXLC]{1,6})(?![A-Za-z])"), lambda m: _roman(m[1])),
    (re.compile(r"N[oO]\.\s?(\d+)|(?<![\d.])(\d+)(?:st|nd|rd|th)(?![A-Za-z])"),
     lambda m: "第" + cardinal(m[1] or m[2])),
    (re.compile(r"(?<![\d/])24/7(?![\d/])"), lambda m: "二十四七"),
    (re.compile(r"(?<![\d/])(\d{1,3})/(\d{1,3})(?![\d/])"), _stroke),
    (re.compile(r"(?<![\d.])(\d{1,3}(?:[ \u00a0]\d{3}){2,4})(?![\d.])"), lambda m: cardinal(re.sub(r"\D", "", m[1]))),
    (re.compile(r"(?<![\d.])(0\d+|\d{12,})(?![\d.])"), lambda m: digits(m[1])),
    (re.compile(rf"(?<![\d.第])2(?=[{_MEASURES}])"), lambda m: "两"),
    (re.compile(rf"(?<![\w.])-{_N}|(?<=[了为是至到约达低])-{_N}|-{_N}(?=度)|{_N}"), lambda m: number(m[0])),
    # signs
    (re.compile(r"(?<=[A-Za-z])\s?&\s?(?=[A-Za-z])"), lambda m: " and "),
    (re.compile(f"[{re.escape(''.join(_SIGNS))}]"), lambda m: _SIGNS[m[0]]),
]  # fmt: skip
