"""What a reasoning model thinks aloud before it answers, kept out of the answer."""

from __future__ import annotations

OPEN, CLOSE = "<think>", "</think>"


class ThinkFilter:
    """Feed it an answer piece by piece; it gives back what stands outside ``<think>…</think>``.

    ``inside``: the answer begins in mid-thought, because the prompt's template has already opened the tag.
    """

    def __init__(self, inside: bool = False) -> None:
        self.thought = False
        """Whether there was any thinking; an empty thought, as templates put there to have none, is not."""
        self.unopened = False
        """Whether a thought ended that had not begun: then what stood before it has been given out as words."""
        self._inside = inside
        self._held = ""
        self._begun = False

    def feed(self, piece: str) -> str:
        """Words that are certain now. What may be the beginning of a tag is held back."""
        out = ""
        text = self._held + piece
        while True:
            tag = CLOSE if self._inside else min((OPEN, CLOSE), key=lambda t: _place(text, t))
            before, found, after = text.partition(tag)
            if not found:
                break
            out += self._outside(before)
            if tag is CLOSE and not self._inside:
                self.thought = self.unopened = True
            self._inside = tag is OPEN
            text = after
        kept = len(text) - _maybe_tag(text)
        self._held = text[kept:]
        return self._trimmed(out + self._outside(text[:kept]))

    def flush(self) -> str:
        """What was held back, once the answer is over."""
        rest, self._held = self._held, ""
        return "" if self._inside else self._trimmed(rest)

    def _outside(self, text: str) -> str:
        """``text`` where it is words, nothing where it is thought."""
        self.thought |= self._inside and bool(text.strip())
        return "" if self._inside else text

    def _trimmed(self, words: str) -> str:
        """``words`` without the empty lines that stand between thoughts and answer."""
        if not self._begun:
            words = words.lstrip()
            self._begun = bool(words)
        return words


def _place(text: str, tag: str) -> int:
    at = text.find(tag)
    return at if at >= 0 else len(text) + 1


def _maybe_tag(text: str) -> int:
    """How many characters at the end of ``text`` may be the beginning of a tag."""
    longest = min(len(text), len(CLOSE) - 1)
    return next((n for n in range(longest, 0, -1) if any(tag.startswith(text[-n:]) for tag in (OPEN, CLOSE))), 0)
