"""English readings of what neither hibari nor CosyVoice's own rules read right: money, scores, versions, telephones.

The words given are ones that both read further: numbers stay digits where those are read well (``2 to 1``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

Rule = Callable[[re.Match[str]], "str | None"]

_COINS = {"$": ("dollar", "cent"), "£": ("pound", "penny"), "€": ("euro", "cent")}
_DOLLARS = {"US": "US", "A": "Australian", "AU": "Australian", "C": "Canadian", "CA": "Canadian", "HK": "Hong Kong",
            "NT": "Taiwan", "S": "Singapore", "NZ": "New Zealand"}  # fmt: skip
_CODES = {
    "USD": "US dollars", "EUR": "euros", "GBP": "pounds", "JPY": "yen", "CNY": "yuan", "RMB": "yuan",
    "CHF": "Swiss francs", "HKD": "Hong Kong dollars", "CAD": "Canadian dollars", "AUD": "Australian dollars",
}  # fmt: skip
_LARGE = {
    "k": "thousand", "K": "thousand", "m": "million", "M": "million", "mn": "million", "b": "billion", "B": "billion",
    "bn": "billion", "tn": "trillion", "T": "trillion",
}  # fmt: skip
_LARGE |= {word: word for word in ("hundred", "thousand", "million", "billion", "trillion")}
# One, many. A unit with a stroke in it is read from its parts.
_UNITS = {
    "m": ("meter", "meters"), "km": ("kilometer", "kilometers"), "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"), "g": ("gram", "grams"), "kg": ("kilogram", "kilograms"),
    "mg": ("milligram", "milligrams"), "l": ("liter", "liters"), "L": ("liter", "liters"),
    "ml": ("milliliter", "milliliters"), "mL": ("milliliter", "milliliters"), "h": ("hour", "hours"),
    "hr": ("hour", "hours"), "hrs": ("hour", "hours"), "min": ("minute", "minutes"), "sec": ("second", "seconds"),
    "ft": ("foot", "feet"), "mi": ("mile", "miles"), "V": ("volt", "volts"), "W": ("watt", "watts"),
    "kWh": ("kilowatt hour", "kilowatt hours"), "MB": ("megabyte", "megabytes"), "GB": ("gigabyte", "gigabytes"),
    "m²": ("square meter", "square meters"), "m2": ("square meter", "square meters"),
    "㎡": ("square meter", "square meters"), "km²": ("square kilometer", "square kilometers"),
    "m³": ("cubic meter", "cubic meters"), "㎏": ("kilogram", "kilograms"), "㎞": ("kilometer", "kilometers"),
    "㎝": ("centimeter", "centimeters"), "㎜": ("millimeter", "millimeters"),
    "fps": ("frame per second", "frames per second"),
}  # fmt: skip
_PER = {"s": "second", "h": "hour", "hr": "hour", "d": "day", "mo": "month", "yr": "year"}
_SPELLED = {"H2O": "H two O", "CO2": "C O two", "JSON": "Jason", "JPEG": "jay peg", "YAML": "yammel", "WiFi": "Wi-Fi"}
_SIGNS = {"<": "less than", ">": "more than", "≤": "at most", "≥": "at least", "≈": "about", "±": "plus or minus"}
_DAYS = {day[:3]: day for day in "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()}
_COUNTED = (
    "Chapter|Part|Act|Scene|Section|Volume|Book|Phase|Article|War|Mark|Type|type|Level|Stage|stage|Class|Grade|Bowl|Apollo|"
    "Gemini|Fantasy|Episode|Round|Rocky|Title|Appendix|Division|Tier"
)
_RULERS = (
    "Pope|King|Queen|Henry|Louis|Edward|George|William|Charles|James|Richard|Elizabeth|Napoleon|Pius|Benedict|Leo|Paul|"
    "Ramses|Frederick|Philip|Felipe|Alexander|Nicholas|Peter|Catherine|Ivan|Emmanuel|Gustav|Christian|Ferdinand|Francis|"
    "Wilhelm|Gregory|Innocent|Clement|Mary|Leopold|Albert"
)
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50}
_ORDINALS = {1: "st", 2: "nd", 3: "rd"}


def _spaced(digits: str) -> str:
    """Digit by digit."""
    return " ".join(re.sub(r"\D", "", digits))


def _groups(number: str) -> str:
    """A telephone's groups, digit by digit, with a pause between them."""
    return ", ".join(_spaced(group) for group in re.findall(r"\d+", number))


def _plural(word: str) -> tuple[str, str]:
    return word, word + "s"


def _few(number: str, one: str, many: str) -> str:
    return one if number.replace(",", "") in ("1", "-1", "1.0") else many


def _money(match: re.Match[str]) -> str:
    """$3.50 is three dollars and fifty cents; $1.5M has no cents."""
    one, cent = _COINS[match["coin"]]
    whole, cents, large = match["whole"], match["cents"], match["large"]
    if large:
        return f"{whole}{match['rest'] or ''} {_LARGE[large]} {one}s"
    if match["rest"] and not cents:  # $3.125
        return f"{whole}{match['rest']} {one}s"
    parts = [f"{whole} {_few(whole, one, one + 's')}"] if int(whole.replace(",", "")) or not int(cents or 0) else []
    if int(cents or 0):
        parts.append(
            f"{int(cents)} "
            + ("pence" if cent == "penny" and int(cents) > 1 else _few(str(int(cents)), cent, cent + "s"))
        )
    return " and ".join(parts)


def _measure(match: re.Match[str]) -> str:
    number, unit, hundred, per = match[1].replace("−", "-"), match[2], match[3], match[4]
    said = f"{number} {_few(number, *_UNITS[unit])}"
    if not per:
        return said
    one, many = _UNITS[per] if per in _UNITS else _plural(_PER[per])
    return f"{said} per {'100 ' + many if hundred else one}"


def _score(match: re.Match[str]) -> str | None:
    """3:2 is a score or a ratio, 3:05 a time, which others read."""
    first, second = match[1], match[2]
    time = len(second) == 2 and int(first) <= 24 and int(second) <= 59 and first != "16"
    return None if time else f"{first} to {second}"


def _version(match: re.Match[str]) -> str | None:
    parts = match[2].split(".")
    if len(parts) < 3 and not match[1]:
        return None
    dot = " dot " if len(parts) == 4 else " point "
    said = dot.join(part if len(part) < 3 else _spaced(part) for part in parts)
    return f"version {said}" if match[1] and match[1].lower() == "v" else (match[1] or "") + said


def _roman(numeral: str) -> int:
    values = [_VALUES[sign] for sign in numeral]
    return sum(-v if v < after else v for v, after in zip(values, [*values[1:], 0], strict=True))


def _ruler(match: re.Match[str]) -> str:
    number = _roman(match[1])
    return f"the {number}{_ORDINALS.get(number % 10 if number not in (11, 12, 13) else 0, 'th')}"


def _vulgar(match: re.Match[str]) -> str:
    """1½ is one and a half, ¾ three quarters."""
    above, below = unicodedata.normalize("NFKC", match[2]).split("⁄")
    if not match[1]:
        return f"{above}/{below}"
    return f"{match[1]} and a half" if (above, below) == ("1", "2") else f"{match[1]} and {above}/{below}"


def _behind(words: str) -> str:
    """A place with one of ``words`` before it."""
    return "(?:" + "|".join(rf"(?<=\b{word} )" for word in words.split("|")) + ")"


_N = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_FREE = r"(?<![\w.,/$£€¥-])"
_TO = r"\s?[-–—]\s?"
_BIG = "|".join(sorted(_LARGE, key=len, reverse=True))
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_COIN = "".join(map(re.escape, _COINS))
# a single letter is a numeral only where no initial and no "I" can stand: "Peter V. Smith", "in Part I say"
_NUMERAL = (
    r"(?!L\b|[IVX]\.\s?[A-Z]|I\s+(?!of|and|was|in|began|ended|died|became|ruled)[a-z])"
    r"(X{0,3}(?:IX|IV|V?I{1,3}|V)|X{1,3}|X?L(?:IX|IV|V?I{0,3}))\b(?!['’][a-rt-z])"
)

RULES: list[tuple[re.Pattern[str], Rule]] = [
    # names and signs
    (re.compile(rf"(?<!\w)({'|'.join(_SPELLED)})(?!\w)"), lambda m: _SPELLED[m[1]]),
    (re.compile(r"(?<!\w)([CF])#"), lambda m: f"{m[1]} sharp"),
    (re.compile(r"№\s?(?=\d)"), lambda m: "number "),
    (re.compile(rf"(?=[IVXL]){_behind(_COUNTED)}{_NUMERAL}"), lambda m: str(_roman(m[1]))),
    (re.compile(rf"(?=[IVXL]){_behind(_RULERS)}{_NUMERAL}"), _ruler),
    (re.compile(r"[Ⅰ-Ⅻ]"), lambda m: str(round(unicodedata.numeric(m[0])))),
    (re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun),(?=\s\d)"), lambda m: _DAYS[m[1]] + ","),
    (re.compile(r"~(?=\s?[\d$£€])"), lambda m: "about "),
    (re.compile(r"([<>≤≥≈±])\s?(?=[\d$£€])"), lambda m: _SIGNS[m[1]] + " "),
    # telephones and other names made of digits
    (re.compile(r"(?<![\w.,])(\+\d{1,3}(?:[ -]?\(?\d{1,4}\)?){2,5})(?![\w-])"), lambda m: "plus " + _groups(m[1])),
    (re.compile(r"(?<![\w.,])(\d{1,3}(?:[ \u00a0\u202f]\d{3}){2,4})(?![\w.,]*\d|[ -]\d)"),
     lambda m: re.sub(r"\D", "", m[1])),
    (re.compile(r"(?<![\w.,-])((?:\(\d{3}\)\s?|\d{3}[-. ])\d{3}[-. ]\d{4})(?![\w-])"), lambda m: _groups(m[1])),
    (re.compile(r"(?<![\w.,-])(\d{3}-\d{4})(?![\w-])"), lambda m: _groups(m[1])),
    (re.compile(r"(?<![\w.,-])(\d+(?:-\d+){3,})(?![\w-])"), lambda m: _groups(m[1])),
    (re.compile(r"(?:(?<=[Cc]all )|(?<=[Dd]ial ))(\d{3})(?![\w.,:-]\w|\s?\w)"), lambda m: _spaced(m[1])),
    (re.compile(r"(?<=\b[Rr]oom )(\d)0(\d)(?!\d)"), lambda m: f"{m[1]} oh {m[2]}"),
    (re.compile(r"(?<=\bBoeing )7(\d)7(?!\d)"), lambda m: f"7 {m[1]}7"),
    (re.compile(r"(?<![\w.])([Vv](?:ersion )?)?(\d{1,4}(?:\.\d{1,4}){1,4})(?![\w.]*\d|%)"), _version),
    (re.compile(r"(?<![\w.,:/-])(0\d+)(?![\w:/-]|[.,]\d)"), lambda m: _spaced(m[1])),
    # times, scores, fractions
    (re.compile(rf"(?<=:\d\d){_TO}(?=\d{{1,2}}:\d\d)|(?<=[apAP][mM]){_TO}(?=\d)|(?<=[ap]\.m\.){_TO}(?=\d)"),
     lambda m: " to "),
    (re.compile(r"(?<=\d)\s?([AaPp])[Mm]\b(?=(\.?))"), lambda m: f" {m[1].upper()}.M" + ("" if m[2] else ".")),
    (re.compile(r"(?<![\w:])(\d{1,5}):(\d{1,5})(?![\w:])"), _score),
    (re.compile(r"(?<![\w/])24/7(?![\w/])"), lambda m: "24 7"),
    (re.compile(r"(?<![\w.,])(\d*)\s?([¼-¾⅐-⅞])"), _vulgar),
    (re.compile(r"(?<=\d)\s(?=1/2(?![\w/]))1/2"), lambda m: " and a half"),
    (re.compile(r"(?<![\w.,/])(\d+)\s(?=([1-9])/([2-9]|10|16)(?![\w/]))"), lambda m: f"{m[1]} and "),
    (re.compile(r"(?<!\w)(\d{1,2})['′]\s?(\d{1,2})[\"″]"), lambda m: f"{m[1]} foot {m[2]}"),
    # money
    (re.compile(r"(?<=[A-Za-z\d])/(?=(?:month|year|week|day|night|hour|minute|second|person|head|mile|kg|lb)\b)"),
     lambda m: " per "),
    (re.compile(r"(?<=[\dmt])\s?x\s?(?=\d)"), lambda m: " by "),
    (re.compile(rf"\b({'|'.join(_DOLLARS)})\$\s?({_N})(?:\s?({_BIG})\b)?"),
     lambda m: f"{m[2]} {_LARGE[m[3]] + ' ' if m[3] else ''}{_DOLLARS[m[1]]} dollars"),
    (re.compile(rf"([{_COIN}])({_N}){_TO}[{_COIN}]?({_N})(?:\s?({_BIG})\b)?"),
     lambda m: f"{m[2]} to {m[3]} {_LARGE[m[4]] + ' ' if m[4] else ''}{_COINS[m[1]][0]}s"),
    (re.compile(rf"(?<![A-Za-z])(?P<coin>[{_COIN}])\s?(?P<whole>\d{{1,3}}(?:,\d{{3}})+|\d+)"
                rf"(?P<rest>\.(?P<cents>\d\d)(?!\d)|\.\d+)?(?:\s?(?P<large>{_BIG})\b)?"), _money),
    (re.compile(rf"{_FREE}({_N})\s?([{_COIN}])(?!\d)"), lambda m: f"{m[1]} {_few(m[1], *_plural(_COINS[m[2]][0]))}"),
    (re.compile(rf"{_FREE}({_N})\s?({'|'.join(_CODES)})\b"), lambda m: f"{m[1]} {_CODES[m[2]]}"),
    # measures and ranges
    (re.compile(r"(?<!\w)[-−](?=\d+(?:\.\d+)?\s?(?:°|degrees))"), lambda m: "minus "),
    (re.compile(r"(?<!\w)−(?=\d)"), lambda m: "minus "),
    (re.compile(rf"{_FREE}({_N}){_TO}({_N})\s?%"), lambda m: f"{m[1]} to {m[2]} percent"),
    (re.compile(rf"{_FREE}({_N}){_TO}({_N})\s?({_UNIT})(?![\w/²³])"), lambda m: f"{m[1]} to {m[2]} {_UNITS[m[3]][1]}"),
    (re.compile(rf"{_FREE}([-−]?{_N})\s?({_UNIT})(?:/(100 )?(s|hr|h|d|mo|yr|km|kg|l|L|m|m²))?(?![\w/²³])"), _measure),
    (re.compile(r"(?<=\d)\s?[–—]\s?(?=\d)"), lambda m: " to "),
    (re.compile(r"(?<=\d)x(?=\s|[.,!?]|$)"), lambda m: " times"),
    # decimals that would lose a part
    (re.compile(r"(?<![\w.,])\.(\d+)(?![\w.])"), lambda m: f"0.{m[1]}"),
    (re.compile(r"(?<![\w.,$£€])(\d+)\.(\d*0)(?![\w%]|\.\d)"), lambda m: f"{m[1]} point {_spaced(m[2])}"),
]  # fmt: skip
