"""Chinese readings of digits, dates, times, money, measures and signs."""

from __future__ import annotations

import re
from collections.abc import Callable

Rule = Callable[[re.Match[str]], "str | None"]

_DIGITS = "零一二三四五六七八九"
_UNITS = {
    "km/h": "公里每小时", "m/s": "米每秒", "km²": "平方公里", "m²": "平方米", "m³": "立方米", "km": "公里",
    "cm": "厘米", "mm": "毫米", "m": "米", "kg": "公斤", "mg": "毫克", "g": "克", "ml": "毫升", "mL": "毫升",
    "L": "升", "h": "小时", "min": "分钟", "s": "秒", "ms": "毫秒", "kW": "千瓦", "W": "瓦", "V": "伏",
    "Hz": "赫兹", "kHz": "千赫", "MHz": "兆赫", "GHz": "吉赫", "℃": "摄氏度", "°C": "摄氏度", "℉": "华氏度",
    "°F": "华氏度", "°": "度",
}  # fmt: skip
_MONEY = {"¥": "元", "￥": "元", "$": "美元", "€": "欧元", "£": "英镑", "₩": "韩元"}
_SIGNS = {"+": "加", "=": "等于", "×": "乘以", "÷": "除以", "&": "和", "@": "艾特", "%": "百分号", "#": "井号"}
_MEASURES = "个位只条张件本杯瓶天次种名块分钟小时岁斤公里米倍家台辆支口周年"  # before these, two is 两


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
            out += ("零" if out and (gap or group < 1000) else "") + _thousands(group) + ("", "万", "亿", "万亿")[power]
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


def _date(match: re.Match[str]) -> str | None:
    year, month, day = match.groups()
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return None
    return f"{digits(year)}年{cardinal(month)}月{cardinal(day)}日"


def _time(match: re.Match[str]) -> str | None:
    hour, minute, second = match.groups()
    if int(hour) > 24 or int(minute) > 59 or int(second or 0) > 59:
        return None
    out = ("两" if int(hour) == 2 else cardinal(hour)) + "点"
    if int(minute):
        out += ("零" if int(minute) < 10 else "") + cardinal(minute) + "分"
    elif not second:
        out += "整"
    return out + (cardinal(second) + "秒" if second else "")


_N = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_FREE = r"(?<![\d.A-Za-z])"
_UNIT = "|".join(re.escape(u) for u in sorted(_UNITS, key=len, reverse=True))

RULES: list[tuple[re.Pattern[str], Rule]] = [
    (re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?![\d.])"), _date),
    (re.compile(r"(?<![\d:])(\d{1,2})[:：](\d{2})(?:[:：](\d{2}))?(?![\d:])"), _time),
    (re.compile(r"(?<!\d)(\d{4}|\d{2})(?=年(?!前|后|来|内|间))"), lambda m: digits(m[1])),
    (re.compile(rf"([¥￥$€£₩])\s?({_N})\s?([万亿百千]*)元?"), lambda m: number(m[2]) + m[3] + _MONEY[m[1]]),
    (re.compile(rf"(-?{_N})\s?[%％]"), lambda m: "百分之" + number(m[1])),
    (re.compile(rf"{_FREE}(-?{_N})\s?({_UNIT})(?![A-Za-z])"), lambda m: _counted(m[1]) + _UNITS[m[2]]),
    (re.compile(r"(?<!\d)(1[3-9]\d{9}|0\d{2,3}-?\d{7,8}|[48]00-?\d{3}-?\d{4})(?!\d)"),
     lambda m: digits(m[1].replace("-", "")).replace("一", "幺")),
    (re.compile(rf"{_FREE}({_N})\s?[-~～–—]\s?({_N})(?![\d.])"), lambda m: f"{number(m[1])}到{number(m[2])}"),
    (re.compile(r"(?<![\d/])(\d{1,3})/(\d{1,3})(?![\d/])"),
     lambda m: f"{cardinal(m[2])}分之{cardinal(m[1])}" if int(m[2]) else None),
    (re.compile(r"(?<!\d)(0\d+|\d{12,})(?![\d.])"), lambda m: digits(m[1])),
    (re.compile(rf"(?<![\d.第])2(?=[{_MEASURES}])"), lambda m: "两"),
    (re.compile(rf"(?<![\w.])-{_N}|{_N}"), lambda m: number(m[0])),
    (re.compile(f"[{re.escape(''.join(_SIGNS))}]"), lambda m: _SIGNS[m[0]]),
]  # fmt: skip
