"""Mandarin phonemes: words by jieba, readings by pypinyin, and the IPA that Kokoro v1.0 learnt."""

from __future__ import annotations

import re
from threading import Lock

from webui.engines.g2p import Said, signs_joined, tidy
from webui.text.spoken import Piece

_TONES = {"1": "→", "2": "↗", "3": "↓", "4": "↘", "5": ""}
_INITIALS = {
    "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l", "g": "k", "k": "kʰ", "h": "x",
    "j": "ʨ", "q": "ʨʰ", "x": "ɕ", "zh": "ꭧ", "ch": "ꭧʰ", "sh": "ʂ", "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s", "": "",
}  # fmt: skip
# Finals as pypinyin writes them in strict mode; the tone mark goes where the 0 stands.
_FINALS = {
    "a": "a0", "ai": "ai0", "an": "a0n", "ang": "a0ŋ", "ao": "au0", "e": "ɤ0", "ei": "ei0", "en": "ə0n", "eng": "ə0ŋ",
    "i": "i0", "ia": "ja0", "ian": "jɛ0n", "iang": "ja0ŋ", "iao": "jau0", "ie": "je0", "in": "i0n", "iou": "jou0",
    "ing": "i0ŋ", "iong": "jʊ0ŋ", "ong": "ʊ0ŋ", "ou": "ou0", "u": "u0", "uei": "wei0", "ua": "wa0", "uai": "wai0",
    "uan": "wa0n", "uen": "wə0n", "uang": "wa0ŋ", "ueng": "wə0ŋ", "uo": "wo0", "o": "wo0", "ü": "y0", "üe": "ɥe0",
    "üan": "ɥɛ0n", "ün": "y0n",
}  # fmt: skip
_WHOLE = {"er": "ɚ0", "o": "ɔ0", "ê": "ɛ0", "io": "jɔ0", "hm": "hm0", "hng": "hŋ0", "m": "m0", "n": "n0", "ng": "ŋ0"}
_APICAL = {"zh", "ch", "sh", "r", "z", "c", "s"}
_MARKS = {"，": ",", "、": ",", "/": ",", "。": ".", "．": ".", "！": "!", "？": "?", "：": ":", "；": ";"}
_PAUSES = str.maketrans(
    {mark: pause + " " for mark, pause in _MARKS.items()}
    | dict.fromkeys("（《〈「『【", " “")
    | dict.fromkeys("）》〉」』】", "” ")
    | dict.fromkeys("～·-\n", " ")
)
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff〇]+")


class Chinese:
    """Polyphones by jieba's words and pypinyin's phrases; a space between words, as the model was trained."""

    def __init__(self) -> None:
        import logging

        import jieba  # type: ignore[import-untyped]
        from pypinyin import Style, lazy_pinyin

        jieba.setLogLevel(logging.WARNING)
        jieba.initialize()
        self._cut = jieba.lcut
        self._pinyin = lazy_pinyin
        self._style = Style.TONE3
        self._lock = Lock()

    def __call__(self, pieces: list[Piece]) -> list[Said]:
        """One ``Said`` for each Han character, digit group or sign."""
        texts: list[str] = []
        said = ""
        owner: list[int] = []
        for piece in pieces:
            same = piece.said == piece.written
            for written in piece.written if same else [piece.written]:
                texts.append(written)
                spoken = written if same else piece.said
                said += spoken
                owner += [len(texts) - 1] * len(spoken)
        phonemes = [""] * len(texts)
        for index, sound in zip(owner, self._sounds(said), strict=True):
            phonemes[index] += sound
        return signs_joined([Said(text, tidy(ph)) for text, ph in zip(texts, phonemes, strict=True)])

    def _sounds(self, text: str) -> list[str]:
        """The phonemes of each character of ``text``, a space behind the last one of each word."""
        out: list[str] = []
        start = 0
        for match in _HAN.finditer(text):
            out += [sign.translate(_PAUSES) for sign in text[start : match.start()]]
            with self._lock:
                words = self._cut(match[0])
            for word in words:
                syllables = self._pinyin(word, style=self._style, neutral_tone_with_five=True)
                if len(syllables) != len(word):  # a rare character without a reading: pypinyin joins such
                    syllables = [self._pinyin(c, style=self._style, neutral_tone_with_five=True)[0] for c in word]
                sounds = [syllable(s) for s in syllables]
                sounds[-1] += " "
                out += sounds
            start = match.end()
        return out + [sign.translate(_PAUSES) for sign in text[start:]]


def syllable(pinyin: str) -> str:
    """Kokoro's phonemes of one syllable with its tone number: ``zhong1`` is ``ꭧʊ→ŋ``; of an unknown one, none."""
    from pypinyin.contrib.tone_convert import to_finals, to_initials

    name, tone = pinyin[:-1], _TONES.get(pinyin[-1:], "")
    if name in _WHOLE:
        return _WHOLE[name].replace("0", tone)
    initial = to_initials(name, strict=True)
    final = to_finals(name, strict=True, v_to_u=True)
    if initial in _APICAL and final == "i":
        return _INITIALS[initial] + "ɨ" + tone
    if initial not in _INITIALS or final not in _FINALS:
        return ""
    return _INITIALS[initial] + _FINALS[final].replace("0", tone)
