"""Kokoro v1.0's 54 preset voices, and their vectors read from disk.

A vector file holds, for each length of text from 1 to 510 phonemes, 256 numbers: 0 to 127 are the timbre, 128 to
255 the prosody (melody, rhythm). The presets' order follows the grades on the model's card, the best first;
the Chinese ones, all graded alike there, follow how well the recognizer understands them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from webui.errors import EngineError
from webui.types import Voice

Vectors = npt.NDArray[np.float32]  # (510, 256)

LENGTHS, SIZE, TIMBRE = 510, 256, 128
LICENCE = "Apache-2.0"
SHARES_OFF = 1e-3  # how far from 1 the shares of a blend may add up: they have been rounded on their way

# First letter of a voice's id: its own language and how that is written behind its name.
_HOMES = {
    "a": ("en", "US"), "b": ("en", "UK"), "z": ("zh", "中文"), "j": ("ja", "日本語"), "e": ("es", "Español"),
    "f": ("fr", "Français"), "h": ("hi", "हिन्दी"), "i": ("it", "Italiano"), "p": ("pt", "Português"),
}  # fmt: skip
PRESETS = tuple(
    (
        "af_heart af_bella af_nicole bf_emma af_aoede af_kore af_sarah am_fenrir am_michael am_puck af_alloy af_nova "
        "bf_isabella bm_fable bm_george af_sky bm_lewis af_jessica af_river am_echo am_eric am_liam am_onyx bf_alice "
        "bf_lily bm_daniel am_santa am_adam zf_xiaobei zm_yunjian zf_xiaoyi zm_yunxia zm_yunxi zf_xiaoxiao zm_yunyang "
        "zf_xiaoni jf_alpha jf_gongitsune jf_tebukuro jm_kumo jf_nezumi ff_siwis hf_alpha hf_beta hm_omega hm_psi "
        "if_sara im_nicola ef_dora em_alex em_santa pf_dora pm_alex pm_santa"
    ).split()
)


def preset(voice_id: str, languages: Sequence[str]) -> Voice:
    """The preset ``voice_id`` as it speaks ``languages``: its own first where that is among them."""
    home, label = _HOMES[voice_id[0]]
    return Voice(
        id=voice_id,
        name=f"{voice_id[3:].capitalize()} ({label})",
        languages=tuple(sorted(languages, key=lambda code: code != home)),
        gender="female" if voice_id[1] == "f" else "male",
        licence=LICENCE,
    )


def read_vectors(folder: Path) -> Mapping[str, Vectors]:
    """Every preset found in ``folder``: one ``.bin`` of float32 each, or one ``.npz`` of all.

    Raises ``ValueError`` where a file has another shape, ``OSError`` where it cannot be read.
    """
    found: dict[str, Vectors] = {
        path.stem: np.fromfile(path, np.float32).reshape(LENGTHS, SIZE) for path in folder.glob("*.bin")
    }
    for path in folder.glob("*.npz"):
        with np.load(path, allow_pickle=False) as archive:
            found |= {name: archive[name].astype(np.float32).reshape(LENGTHS, SIZE) for name in archive.files}
    return {name: found[name] for name in PRESETS if name in found}


def vectors_of(voice: Voice, presets: Mapping[str, Vectors]) -> Vectors:
    """The vectors of a preset, or those of a blend: each preset's by its share.

    Raises ``EngineError`` for a preset that is not there, and for shares below 0 or which do not add up to 1.
    """
    if not voice.blend:
        return find(voice.id, presets)
    shares = np.array([share for _, share in voice.blend])
    if len(shares) > len(PRESETS) or not (shares >= 0).all() or not abs(shares.sum() - 1) <= SHARES_OFF:
        raise EngineError("blend_shares", "The shares of a blend must be from 0 to 1 each, and add up to 1.")
    mixed = np.zeros((LENGTHS, SIZE), np.float32)
    for name, share in voice.blend:
        mixed += find(name, presets) * np.float32(share)
    return mixed


def find(voice_id: str, presets: Mapping[str, Vectors]) -> Vectors:
    """The vectors of a preset. Raises ``EngineError`` where it is not there."""
    if voice_id in presets:
        return presets[voice_id]
    raise EngineError("voice_missing", f"The voice {voice_id[:40]} is not there; choose another.", voice=voice_id[:40])


def is_british(voice: Voice) -> bool:
    """Whether English sounds British in it: in a blend, whether most of it does."""
    return sum(share for name, share in voice.blend or ((voice.id, 1.0),) if name.startswith(("bf_", "bm_"))) > 0.5


def style_vector(timbre: Vectors, prosody: Vectors, phonemes: int) -> Vectors:
    """What the model takes as ``style`` for a text of so many phonemes: float32 (1, 256)."""
    row = min(max(phonemes, 1), LENGTHS) - 1
    return np.concatenate([timbre[row, :TIMBRE], prosody[row, TIMBRE:]])[None]
