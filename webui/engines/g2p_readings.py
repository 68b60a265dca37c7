"""A reading that somebody wrote, pinyin or CMU's phones, in the symbols that Kokoro v1.0 learnt."""

from __future__ import annotations

from webui.engines.g2p_zh import syllable
from webui.text.marks import Reading
from webui.text.phones import VOWELS, is_syllable

_VOWELS = dict(zip(VOWELS, "ɑ æ ʌ ɔ W I ɛ ɜɹ A ɪ i O Y ʊ u".split(), strict=True))
_BRITISH = {"AA": "ɑː", "AO": "ɔː", "ER": "ɜː", "IY": "iː", "OW": "Q", "UW": "uː"}
_FAINT = {"AH": "ə", "ER": "əɹ"}  # without stress
_FAINT_BRITISH = {"AH": "ə", "ER": "ə", "IY": "i"}
_STRESS = {"0": "", "1": "ˈ", "2": "ˌ"}
_CONSONANTS = {
    "CH": "ʧ", "DH": "ð", "G": "ɡ", "HH": "h", "JH": "ʤ", "NG": "ŋ", "R": "ɹ", "SH": "ʃ", "TH": "θ", "Y": "j",
    "ZH": "ʒ",
}  # fmt: skip


def symbols(reading: Reading, british: bool) -> str:
    """Kokoro's symbols for it, with a space between its English and its Chinese: ``R EH1 D`` is ``ɹˈɛd``."""
    out = ""
    chinese = False
    for sound in reading.said:
        if out and is_syllable(sound) != chinese:
            out += " "
        chinese = is_syllable(sound)
        out += syllable(sound) if chinese else _phone(sound, british)
    return out


def _phone(phone: str, british: bool) -> str:
    if not phone[-1].isdigit():
        return _CONSONANTS.get(phone, phone.lower())
    name, stress = phone[:-1], phone[-1]
    told = _VOWELS | (_BRITISH if british else {})
    if stress == "0":
        told |= _FAINT_BRITISH if british else _FAINT
    return _STRESS[stress] + told[name]
