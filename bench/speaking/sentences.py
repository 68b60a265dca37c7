"""What is read aloud: 200 sentences of our own in each language, in ``en.tsv`` and ``zh.tsv``.

They were written before any of them was spoken, and are not changed to suit an engine. A line has the kind of sentence,
the text, how a person would read it (``|`` between readings that are equally good; empty where nothing in it is read
otherwise than written), and words of marks that must not be heard.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("en", "zh")
PLAIN = "plain"  # the kind in which every word is written as it is said
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Sentence:
    """One line; ``number`` counts from 1 in its language."""

    language: str
    number: int
    kind: str
    text: str
    readings: tuple[str, ...]
    never: tuple[str, ...] = ()


def sentences(language: str) -> tuple[Sentence, ...]:
    """All of one of ``LANGUAGES``."""
    with (FOLDER / f"{language}.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return tuple(
            Sentence(
                language,
                number,
                row["kind"],
                row["text"],
                tuple((row["reading"] or row["text"]).split("|")),
                tuple((row["never"] or "").split()),
            )
            for number, row in enumerate(rows, 1)
        )
