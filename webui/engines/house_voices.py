"""Voices from the page's example clips, for engines that speak after a clip and bring no speakers of their own."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from webui.config import ROOT
from webui.types import Audio, Voice

# The example clips that serve as voices: who speaks, and as what.
HOUSE = {
    "zh_request": ("Xiaoxiao", "female"),
    "en_request": ("Emma", "female"),
    "zh_question": ("Xiaobei", "female"),
    "en_question": ("Michael", "male"),
}
CLIPS = ROOT / "assets" / "clips"


@lru_cache
def house_voices(languages: tuple[str, ...]) -> tuple[Voice, ...]:
    """Of each clip one, which speaks ``languages``, its own first."""
    import soundfile

    rows = {Path(row["file"]).stem: row for row in json.loads((CLIPS / "clips.json").read_text("utf-8"))}
    voices = []
    for stem, (name, gender) in HOUSE.items():
        row = rows[stem]
        samples, rate = soundfile.read(CLIPS / row["file"], dtype="float32")
        others = tuple(code for code in languages if code != row["language"])
        voices.append(
            Voice(
                f"house-{stem}",
                name,
                (row["language"], *others),
                gender,
                licence="Apache-2.0",
                sample=Audio(samples, rate),
                sample_text=row["text"],
            )
        )
    return tuple(voices)
