"""What the chat model writes, taken apart: the tone to speak it in, and words free of any protocol."""

from __future__ import annotations

import re

from webui.types import STYLES, Emotion

# How a reply begins: "sad: I am sorry …". One word in small letters, or one of the styles however it is written.
_LABEL = re.compile(rf"\s*(?:({'|'.join(STYLES)})|[a-z]{{2,14}})\s*[:：]\s*", re.IGNORECASE)
_MAYBE_LABEL = re.compile(r"\s*[A-Za-z]{0,14}\s?")
# "<sad>", "＜sad＞", "[sad]", "(sad)", "【Sad】:" … a small model does not always keep to the form.
_OPEN, _CLOSE = r"[<＜〈《\[【(（]", r"[>＞〉》\]】)）]"
_TONE = re.compile(rf"{_OPEN}\s*/?\s*({'|'.join(STYLES)})\s*{_CLOSE}[:：,，]?", re.IGNORECASE)
# A tone that is none of ours ("<laughter>"), or a tag of any other kind.
_TAG = re.compile(r"</?\w{1,20}\s*/?>")
# An echo of the note about the voice ("[sad, calm]", "[answer in English]"), and chat-template marks.
_NOTED = "|".join([*(e.value for e in Emotion), "calm", "energetic", "answer in", r"\w+ heard"])
_NOTE = re.compile(rf"\[(?:{_NOTED})\b[^\]\n]{{0,200}}\]|<\|[^|>\n]{{0,40}}\|>", re.IGNORECASE)
_BRACKETS = re.compile(_OPEN)
_SPACES = re.compile(r" {2,}")
# Nothing of ours in brackets is longer, so longer text after a bracket is the reply's own.
_LONGEST_MARK = 220


class ReplyParser:
    """Feed it the model's text piece by piece; it yields clean text. ``style`` is the tone, None until known."""

    def __init__(self) -> None:
        self.style: str | None = None
        self._held = ""
        self._last = ""  # the character given out last

    def feed(self, piece: str) -> str:
        """Clean text that can be shown and spoken now. A piece that may be part of a mark is held back."""
        self._held += piece
        return self._take(final=False)

    def flush(self) -> str:
        """The rest, once the model is done."""
        return self._take(final=True)

    def _take(self, final: bool) -> str:
        text = self._clean(self._held)
        if not self._last and (label := _LABEL.match(text)) and (label[1] or label[0].islower()):
            self.style = self.style or (label[1] or "").lower() or None
            text = text[label.end() :]
        cut = len(text)
        if not final and not self._last and _MAYBE_LABEL.fullmatch(text):
            cut = 0
        elif not final:
            for bracket in reversed(list(_BRACKETS.finditer(text))):
                inside = text[bracket.start() :]
                if len(inside) <= _LONGEST_MARK and not re.search(_CLOSE, inside[1:]) and "\n" not in inside:
                    cut = bracket.start()
                    break
        self._held = text[cut:]
        return self._join(text[:cut])

    def _clean(self, text: str) -> str:
        while match := _TONE.search(text):
            self.style = self.style or match.group(1).lower()
            text = text[: match.start()] + " " + text[match.end() :]
        return _TAG.sub("", _NOTE.sub(" ", text))

    def _join(self, text: str) -> str:
        """``text`` as it follows what was given out before: one space between words, none at the start."""
        text = _SPACES.sub(" ", text)
        if not self._last:
            text = text.lstrip(" \n:：,，")  # what stood between the tone and the words
        elif self._last == " ":
            text = text.lstrip(" ")
        self._last = text[-1:] or self._last
        return text
