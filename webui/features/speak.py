"""A text read aloud, part by part."""

from __future__ import annotations

MAX_CHARACTERS = 20_000
