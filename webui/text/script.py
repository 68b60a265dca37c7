"""Which language a text is in, as far as its script tells: no model, no dictionary.

Han is Chinese unless kana stand beside it. Latin letters are English unless the caller knows better.
"""

from __future__ import annotations

import re
from collections import Counter

_SCRIPTS = {
    "han": r"\u2e80-\u2fdf\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff々〇",
    "kana": r"\u3041-\u309f\u30a0-\u30ff\u31f0-\u31ff\uff66-\uff9f",
    "hangul": r"\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "latin": r"A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u1e00-\u1eff",
    "cyrillic": r"\u0400-\u052f",
    "greek": r"\u0370-\u03ff\u1f00-\u1fff",
    "arabic": r"\u0600-\u06ff\u0750-\u077f",
    "hebrew": r"\u0590-\u05ff",
    "devanagari": r"\u0900-\u097f",
    "thai": r"\u0e00-\u0e7f",
}
_RUN = re.compile("|".join(f"(?P<{name}>[{ranges}]+)" for name, ranges in _SCRIPTS.items()))
_KANA = re.compile(f"[{_SCRIPTS['kana']}]")
_LANGUAGE = {
    "kana": "ja",
    "hangul": "ko",
    "cyrillic": "ru",
    "greek": "el",
    "arabic": "ar",
    "hebrew": "he",
    "devanagari": "hi",
    "thai": "th",
}
LATIN = frozenset({"en", "es", "fr", "it", "pt", "de"})
_ALPHABETS = frozenset({"ru", "el", "ar", "he", "hi"})
_ADDRESS = re.compile(r"[!-~]{0,200}(?:://|@|www\.)[!-~]{0,2000}")
_WORD = re.compile(r"[^\W\d_]+")


def runs(text: str, hint: str = "auto") -> list[tuple[str, str]]:
    """``text`` cut where its language changes, as (language code, piece); the pieces joined are ``text``.

    Spaces, digits and punctuation go with what stands before them, at the start with what follows. ``hint``
    (a code or ``auto``) decides what the script leaves open: Han in a Japanese text, Latin in a Spanish
    one, and a text of digits alone, which is English without a hint.
    """
    latin = hint if hint in LATIN else "en"
    han = "ja" if hint == "ja" or (hint != "zh" and _KANA.search(text)) else "zh"
    out: list[tuple[str, str]] = []
    start, language = 0, ""
    for match in _RUN.finditer(text):
        script = match.lastgroup or ""
        found = _LANGUAGE.get(script) or (han if script == "han" else latin)
        if found != language:
            if language:
                out.append((language, text[start : match.start()]))
                start = match.start()
            language = found
    if text:
        out.append((language or ("en" if hint == "auto" else hint), text[start:]))
    return out


def language_of(text: str, hint: str = "auto") -> str:
    """The language most of ``text`` is in, by words and by characters (``en`` where nothing tells)."""
    weight: Counter[str] = Counter()
    for language, piece in runs(_ADDRESS.sub(" ", text), hint):
        alphabetic = language in LATIN or language in _ALPHABETS
        weight[language] += len(_WORD.findall(piece)) if alphabetic else sum(map(str.isalpha, piece))
    return weight.most_common(1)[0][0] if weight else "en"
