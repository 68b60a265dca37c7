"""A conversation as text, for the download."""

from __future__ import annotations

from typing import Any


def conversation_text(turns: list[dict[str, Any]]) -> str:
    """One paragraph a turn: what was said and how, what was answered and in which tone."""
    return "\n\n".join(_turn(turn) for turn in turns) + "\n"


def _turn(turn: dict[str, Any]) -> str:
    sounded = [turn["emotion"]] if turn["emotion"] not in (None, "EMO_UNKNOWN") else []
    heard = ", ".join([*sounded, *dict.fromkeys(turn["events"])])
    end = "" if turn["finished"] else " (stopped here)"
    return f"You{f' ({heard})' if heard else ''}: {turn['you']}\nReply ({turn['style']}): {turn['reply']}{end}"
