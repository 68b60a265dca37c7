"""Japanese phonemes: readings by pyopenjtalk-plus (MIT, dictionary included), and the IPA that Kokoro v1.0 learnt."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from threading import Lock
from typing import Any
from unicodedata import normalize

from webui.engines.g2p import Said, signs_joined
from webui.text.spoken import Piece

_ROWS = {
    "アイウエオ": "a i ɯ e o", "カキクケコ": "ka kʲi kɯ ke ko", "ガギグゲゴ": "ɡa ɡʲi ɡɯ ɡe ɡo",
    "サシスセソ": "sa ɕi sɨ se so", "ザジズゼゾ": "ʣa ʥi zɨ ʣe ʣo", "タチツテト": "ta ʨi ʦɨ te to",
    "ダヂヅデド": "da ʥi zɨ de do", "ナニヌネノ": "na ɲi nɯ ne no", "ハヒフヘホ": "ha çi ɸɯ he ho",
    "バビブベボ": "ba bʲi bɯ be bo", "パピプペポ": "pa pʲi pɯ pe po", "マミムメモ": "ma mʲi mɯ me mo",
    "ヤユヨ": "ja jɯ jo", "ラリルレロ": "ɾa ɾʲi ɾɯ ɾe ɾo", "ワヰヱヲヴ": "βa i e o vɯ", "ーッ": "ː ʔ",
    "ァィゥェォャュョヮヵヶ": "a i ɯ e o ja jɯ jo βa ka ke",
}  # fmt: skip
_MORAE = {kana: sound for row, sounds in _ROWS.items() for kana, sound in zip(row, sounds.split(), strict=True)}
_I_COLUMN = {"ャ": "a", "ュ": "ɨ", "ョ": "o", "ェ": "e"}  # behind キ, シ … with their own i taken away
_MORAE |= {i + small: _MORAE[i][:-1] + sound for i in "キギシジチヂニヒビピミリ" for small, sound in _I_COLUMN.items()}
_MORAE |= {
    kana + small: consonant + sound
    for kana, consonant, smalls in (
        ("ク", "kᵝ", "ァィェォ"), ("グ", "ɡᵝ", "ァィェォ"), ("ツ", "ʦ", "ァェォ"), ("フ", "ɸ", "ァェォ"),
        ("ヴ", "v", "ァェォ"), ("ウ", "β", "ィェォ"), ("ト", "t", "ゥ"), ("ド", "d", "ゥ"), ("イ", "j", "ェ"),
        ("ツ", "ʦʲ", "ィ"), ("フ", "ɸʲ", "ィュョ"), ("ヴ", "vʲ", "ィ"), ("ヴ", "bʲ", "ュョ"), ("テ", "tʲ", "ィュ"),
        ("デ", "dʲ", "ィュ"),
    )
    for small in smalls
    for sound in [{"ァ": "a", "ィ": "i", "ゥ": "ɯ", "ェ": "e", "ォ": "o", "ュ": "ɨ", "ョ": "o"}[small]]
}  # fmt: skip
_SMALL = frozenset("ァィゥェォャュョ")
_N_BEFORE = {"m": "mpb", "ŋ": "kɡ", "ɲ": "ɲʨʥ", "n": "ntdɾz"}

_PAUSES = str.maketrans(
    {"、": ", ", "，": ", ", ",": ", ", "。": ". ", ".": ". ", "！": "! ", "!": "! ", "？": "? ", "?": "? ", "：": ": "}
    | {":": ": ", "；": "; ", ";": "; ", "～": "— ", "〜": "— ", "…": "… ", "―": "— ", "—": "— "}
    | dict.fromkeys("「『“《〈（(【", " “")
    | dict.fromkeys("」』”》〉）)】", "” ")
)
_AHEAD = 24  # signs: as long as a written number gets
_INFLECTED = ("動詞", "形容詞", "助動詞")


class Japanese:
    """Reads kanji and numbers in their context; a space between words, as the model was trained."""

    def __init__(self) -> None:
        import pyopenjtalk

        self._frontend = pyopenjtalk.run_frontend
        self._frontend("あ")  # the dictionary loads lazily
        self._lock = Lock()

    def __call__(self, pieces: list[Piece]) -> list[Said]:
        """One ``Said`` for each word, number or sign."""
        atoms = [
            pair
            for piece in pieces
            for pair in (
                [(atom, atom) for atom in piece.written]
                if piece.said == piece.written
                else [(piece.written, piece.said)]
            )
        ]
        said = "".join(atom for _, atom in atoms)
        owner = [i for i, (_, atom) in enumerate(atoms) for _ in atom]
        with self._lock:
            words = self._frontend(said) if said.strip() else []
        sounds = {0: ""}  # by the atom that a word begins with
        before: Mapping[str, Any] = {}
        for start, word in zip(_align(said, [word["string"] for word in words], owner), words, strict=True):
            last = max(sounds)
            if before and _joined(before, word):
                sounds[last] = sounds[last].rstrip() + _sound(word)
            else:
                sounds[max(start, last)] = sounds.get(start, "") + _sound(word)
            before = word
        texts = ["".join(atom for atom, _ in atoms[a:b]) for a, b in pairwise([*sounds, len(atoms)])]
        return signs_joined([Said(text, sound) for text, sound in zip(texts, sounds.values(), strict=True)])


def kana_sounds(kana: str) -> str:
    """Kokoro's phonemes of a word in katakana, as spoken: ``トーキョー`` is ``toːkʲoː``."""
    morae: list[str] = []
    for sign in kana:
        if sign in _SMALL and morae and (morae[-1] + sign in _MORAE or len(morae[-1]) == 1):
            morae[-1] += sign
        elif sign in _MORAE or sign == "ン":
            morae.append(sign)
    sounds = [_MORAE.get(mora) or _MORAE.get(mora[0], "")[:-1] + _MORAE.get(mora[1:], "") for mora in morae]
    for i, mora in enumerate(morae):
        if mora == "ン":
            following = sounds[i + 1][:1] if i + 1 < len(sounds) else ""
            sounds[i] = next((n for n, those in _N_BEFORE.items() if following and following in those), "ɴ")
    return "".join(sounds)


def _sound(word: Mapping[str, Any]) -> str:
    """The phonemes of one word of OpenJTalk's, with the space behind it, or its pause mark."""
    if word["mora_size"]:
        return kana_sounds(word["pron"]) + " "
    return str(word["string"]).translate(_PAUSES)


def _joined(before: Mapping[str, Any], word: Mapping[str, Any]) -> bool:
    """Whether a word is said with the one before it as one: an ending (払っ/た, 食べ/て, 十/五)."""
    if not (before["mora_size"] and word["mora_size"]):
        return False
    if word["pron"].startswith("ー") or before["pron"].endswith("ッ"):
        return True
    if before["pos"] in _INFLECTED:
        return word["pos"] == "助動詞" or word["string"] in ("て", "で")
    return bool(word["pos"] == before["pos"] == "名詞" and word["chain_flag"] == 1)


def _align(text: str, words: list[str], owner: list[int]) -> list[int]:
    """For each of ``words`` the owner of the place in ``text`` that it came from; a number's words stay where it is."""
    text, at, places = _half(text), 0, []
    for word in map(_half, words):
        found = text.find(word, at, at + len(word) + _AHEAD)
        if found >= 0 and (len(word) > 1 or not any(map(str.isalpha, text[at:found]))):
            places.append(found)
            at = found + len(word)
        else:
            places.append(at)
    return [owner[min(place, len(owner) - 1)] for place in places]


def _half(text: str) -> str:
    """Wide letters and digits as narrow ones, sign for sign: OpenJTalk gives back wide ones."""
    return "".join(normalize("NFKC", sign)[:1] or sign for sign in text)
