"""Japanese readings of what OpenJTalk does not read by itself: clock times, dates with strokes, prices, measures."""

from __future__ import annotations

import re
from collections.abc import Callable

Rule = Callable[[re.Match[str]], "str | None"]

_MONEY = {"¥": "円", "￥": "円", "$": "ドル", "€": "ユーロ", "£": "ポンド"}
_UNITS = {
    "km": "キロメートル",
    "cm": "センチメートル",
    "mm": "ミリメートル",
    "m": "メートル",
    "kg": "キログラム",
    "g": "グラム",
}
_WIDE = {ord(sign): ord(sign) + 0xFEE0 for sign in "0123456789,."}
_N = r"\d[\d,]*(?:\.\d+)?"


def _time(match: re.Match[str]) -> str | None:
    hour, minute = int(match[1]), int(match[2])
    if hour > 24 or minute > 59:
        return None
    return f"{hour}時" + (f"{minute}分" if minute else "")


def _wide(match: re.Match[str]) -> str:
    """A number in wide digits, which are Japanese also behind a Latin word: in ``iPhone 15`` it is ジューゴ."""
    return match[0].translate(_WIDE)


RULES: list[tuple[re.Pattern[str], Rule]] = [
    (re.compile(r"(?<!\d)(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)"), lambda m: f"{m[1]}年{int(m[2])}月{int(m[3])}日"),
    (re.compile(r"(?<![\d:])(\d{1,2})[:：](\d{2})(?![\d:])"), _time),
    (re.compile(rf"([¥￥$€£])\s?({_N})\s?([万億]?)円?"), lambda m: m[2] + m[3] + _MONEY[m[1]]),
    (re.compile(rf"({_N})\s?[%％]"), lambda m: m[1] + "パーセント"),
    (re.compile(rf"({_N})\s?({'|'.join(_UNITS)})(?![A-Za-z])"), lambda m: m[1] + _UNITS[m[2]]),
    (re.compile(_N), _wide),
]
