"""CosyVoice's voices: the speakers that come with a checkpoint, and what a clip must be to become one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from webui.errors import AudioError
from webui.types import Audio, Voice

LICENCE = "Apache-2.0"
LANGUAGES = {
    1: ("zh", "en", "yue", "ja", "ko"),
    2: ("zh", "en", "ja", "ko", "yue"),
    3: ("zh", "en", "ja", "ko", "yue", "de", "es", "fr", "it", "ru"),
}
# The file in a model's folder that says which generation it is: its newest counts.
PLANS = {3: "cosyvoice3.yaml", 2: "cosyvoice2.yaml", 1: "cosyvoice.yaml"}
SHORTEST_CLIP_S, LONGEST_CLIP_S, LOWEST_RATE = 0.5, 30.0, 16_000

# The speakers that the Instruct and SFT models of CosyVoice 1 were trained on.
_TRAINED = {
    "中文女": ("Chinese woman", "zh", "female"),
    "中文男": ("Chinese man", "zh", "male"),
    "英文女": ("English woman", "en", "female"),
    "英文男": ("English man", "en", "male"),
    "日语男": ("Japanese man", "ja", "male"),
    "粤语女": ("Cantonese woman", "yue", "female"),
    "韩语女": ("Korean woman", "ko", "female"),
}
TRAINED = tuple(_TRAINED)

TONELESS = "This CosyVoice speaks in one tone; CosyVoice 2, 3 and the Instruct model take styles."
UNTOLD = "Only CosyVoice 3 can be told how to say a word."
FEW_TOKENS = "CosyVoice 1 knows laughter, breath and stress only; CosyVoice 2 and 3 know more sounds."
FIRST_TOKENS = ("laughter", "breath", "strong")  # those of the first generation, by their names in ``text.marks``


def text_capabilities(generation: int) -> Mapping[str, bool | str]:
    """Which marks of a text a generation takes, as in ``EngineInfo.capabilities``."""
    tokens = {f"token_{name}": True for name in FIRST_TOKENS} if generation == 1 else {}
    return {
        "tokens": FEW_TOKENS if generation == 1 else True,
        "readings": UNTOLD if generation < 3 else True,
        **tokens,
    }


def capabilities(generation: int, told: bool) -> Mapping[str, bool | str]:
    """What a checkpoint can do, here or in a worker; ``told``: whether it takes instructions."""
    return {
        "styles": told or TONELESS,
        "instruction": told or TONELESS,
        **text_capabilities(generation),
        "clone": True,
        "convert": True,
        "energy": True,
        "seed": True,
        "words": "CosyVoice does not tell when each word is said.",
        "prosody": "CosyVoice cannot give a voice the melody of another.",
        "pitch": "CosyVoice speaks at its voice's own pitch.",
        "blend": "CosyVoice's voices cannot be mixed; a voice is cloned from a clip instead.",
    }


def generation(folder: Path) -> int:
    """1, 2 or 3; 0 where there is no CosyVoice model."""
    return next((number for number, plan in PLANS.items() if (folder / plan).is_file()), 0)


def preset(name: str, generation: int) -> Voice:
    """The voice of a speaker stored in a checkpoint."""
    label, own, gender = _TRAINED.get(name, (name, "", ""))
    others = tuple(code for code in LANGUAGES[generation] if code != own)
    return Voice(name, label, (own, *others) if own else others, gender, licence=LICENCE)


def check_clip(clip: Audio, longest_s: float | None = LONGEST_CLIP_S) -> None:
    """Raise ``AudioError`` for a clip that CosyVoice cannot take a voice from."""
    if clip.rate < LOWEST_RATE:
        raise AudioError(
            "clip_rate_low",
            f"The clip has {clip.rate} samples a second; use one with at least {LOWEST_RATE}.",
            rate=clip.rate,
            lowest=LOWEST_RATE,
        )
    if clip.duration < SHORTEST_CLIP_S:
        raise AudioError("clip_too_short", "The clip is too short to know a voice by; use three seconds or more.")
    if longest_s is not None and clip.duration > longest_s:
        raise AudioError("clip_too_long", f"The clip is too long; use at most {longest_s:g} seconds.", limit=longest_s)
