"""What a reading is written in: pinyin syllables with tone digits, and CMU's English phones with stress digits."""

from __future__ import annotations

import re

VOWELS = tuple("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())  # with a stress: 0, 1 or 2
CONSONANTS = tuple("B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split())

# The finals that each initial goes with in Mandarin, as pinyin writes them.
FINALS = {
    initial: frozenset(finals.split())
    for initial, finals in {
        "": "a ai an ang ao e ei en eng er o ou",
        "b": "a ai an ang ao ei en eng i ian iang iao ie in ing o u",
        "c": "a ai an ang ao e en eng i ong ou u uan ui un uo",
        "ch": "a ai an ang ao e en eng i ong ou u ua uai uan uang ui un uo",
        "d": "a ai an ang ao e ei en eng i ia ian iao ie in ing iu ong ou u uan ui un uo",
        "f": "a an ang ei en eng o ou u",
        "g": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
        "h": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
        "j": "i ia ian iang iao ie in ing iong iu u uan ue un",
        "k": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
        "l": "a ai an ang ao e ei en eng i ia ian iang iao ie in ing iu o ong ou u uan un uo ü üe",
        "m": "a ai an ang ao e ei en eng i ian iao ie in ing iu o ou u",
        "n": "a ai an ang ao e ei en eng i ian iang iao ie in ing iu ong ou u uan un uo ü üe",
        "p": "a ai an ang ao ei en eng i ian iao ie in ing o ou u",
        "q": "i ia ian iang iao ie in ing iong iu u uan ue un",
        "r": "an ang ao e en eng i ong ou u ua uan ui un uo",
        "s": "a ai an ang ao e en eng i ong ou u uan ui un uo",
        "sh": "a ai an ang ao e ei en eng i ou u ua uai uan uang ui un uo",
        "t": "a ai an ang ao e ei eng i ian iao ie ing ong ou u uan ui un uo",
        "w": "a ai an ang ei en eng o u",
        "x": "i ia ian iang iao ie in ing iong iu u uan ue un",
        "y": "a an ang ao e i in ing o ong ou u uan ue un",
        "z": "a ai an ang ao e ei en eng i ong ou u uan ui un uo",
        "zh": "a ai an ang ao e ei en eng i ong ou u ua uai uan uang ui un uo",
    }.items()
}
_SYLLABLE = re.compile(r"((?:[zcs]h|[b-df-hj-np-tw-z])?)([aeiouü]{1,3}(?:ng?|r)?)([1-5])")
_PHONE = re.compile(rf"(?:{'|'.join(VOWELS)})[012]|{'|'.join(CONSONANTS)}")
_TONED = {"a": "aāáǎàa", "e": "eēéěèe", "i": "iīíǐìi", "o": "oōóǒòo", "u": "uūúǔùu", "ü": "üǖǘǚǜü"}
_BEARER = re.compile(r"[aeo]|[iuü](?![aeiouü])")  # which vowel bears the tone: the later one of iu and ui


def is_phone(sound: str) -> bool:
    """Whether ``sound`` is one of CMU's phones: a vowel with its stress (``EH1``), or a consonant (``R``)."""
    return _PHONE.fullmatch(sound) is not None


def is_syllable(sound: str) -> bool:
    """Whether ``sound`` is a Mandarin syllable with its tone, 5 being none: ``chong2``, ``lü4``, ``ma5``."""
    match = _SYLLABLE.fullmatch(sound)
    return match is not None and match[2] in FINALS.get(match[1], ())


def toned(syllable: str) -> tuple[str, str]:
    """A syllable's initial, which may be empty, and its final with the tone mark: ``qing4`` is ``q`` and ``ìng``."""
    match = _SYLLABLE.fullmatch(syllable)
    assert match is not None, "not a syllable"
    initial, final, tone = match.groups()
    return initial, _BEARER.sub(lambda vowel: _TONED[vowel[0]][int(tone)], final, count=1)
