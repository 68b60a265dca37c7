"""A voice that somebody made and keeps."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from webui.errors import UserError
from webui.types import Audio, Voice

MAX_NAME = 60  # characters
MAX_TAGS = 8
MAX_TAG = 24  # characters
MAX_BLEND = 64  # presets in one blend
SHARES_OFF = 1e-3  # how far from 1 the shares of a blend may add up: they have been rounded on their way
_JOINERS = "\u200c\u200d"  # invisible, but some scripts and emoji are not written without them


class VoiceError(UserError):
    """A saved voice is not as it should be, or cannot be kept or found."""


@dataclass(frozen=True, eq=False)
class Consent:
    """The proof that who was cloned agreed: what they were asked to read aloud, and what came.

    ``word_error`` is the share of words that were heard wrong (0: none). ``similarity``, -1 to 1, is that of the two
    voices, the clip's and the reader's. ``when`` is ISO 8601, in UTC. ``recording`` is None where the voice was only
    listed.
    """

    sentence: str
    heard: str
    word_error: float
    similarity: float
    when: str
    recording: Audio | None


@dataclass(frozen=True, eq=False)
class SavedVoice:
    """A voice in a library. ``voice`` has the same ``id`` and ``name``.

    ``engine`` is the registry's name of the synthesizer that it was made for, ``created`` is ISO 8601, in UTC.
    ``similarity``, -1 to 1, is how near a matched timbre came to its clip. The sounds (``voice.sample``,
    ``consent.recording``) are None where the voice was only listed.
    """

    id: str
    name: str
    tags: tuple[str, ...]
    created: str
    engine: str
    voice: Voice
    consent: Consent | None = None
    similarity: float | None = None

    def renamed(self, name: str) -> SavedVoice:
        """The same voice by another name. Raises ``VoiceError``."""
        name = checked_name(name)
        return replace(self, name=name, voice=replace(self.voice, name=name))

    def tagged(self, tags: Iterable[str]) -> SavedVoice:
        """The same voice with other tags. Raises ``VoiceError``."""
        return replace(self, tags=checked_tags(tags))

    def as_new(self) -> SavedVoice:
        """The same voice under an id of its own."""
        voice_id = secrets.token_hex(16)
        return replace(self, id=voice_id, voice=replace(self.voice, id=voice_id))


def made(
    voice: Voice,
    tags: Iterable[str],
    engine: str,
    consent: Consent | None = None,
    similarity: float | None = None,
) -> SavedVoice:
    """A new voice to save, of the name that ``voice`` has. Raises ``VoiceError`` for a wrong name, tag or blend."""
    check_blend(voice.blend)
    created = datetime.now(timezone.utc).isoformat(timespec="seconds")
    saved = SavedVoice("", voice.name, (), created, engine, voice, consent, similarity)
    return saved.as_new().renamed(voice.name).tagged(tags)


def checked_name(name: str) -> str:
    """``name`` in one line and one spelling. Raises ``VoiceError`` unless it has 1 to ``MAX_NAME`` characters."""
    name = _line(name)
    if not 1 <= len(name) <= MAX_NAME or not _shown(name):
        raise VoiceError("voice_name", f"Give the voice a name of 1 to {MAX_NAME} characters.", limit=MAX_NAME)
    return name


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """The tags without doubles and empty ones. Raises ``VoiceError`` for too many, or long ones."""
    lines = tuple(dict.fromkeys(line for tag in tags if (line := _line(tag))))
    if len(lines) > MAX_TAGS or not all(len(tag) <= MAX_TAG and _shown(tag) for tag in lines):
        raise VoiceError(
            "voice_tags", f"Give at most {MAX_TAGS} tags of up to {MAX_TAG} characters.", most=MAX_TAGS, limit=MAX_TAG
        )
    return lines


def check_blend(blend: Sequence[tuple[str, float]]) -> None:
    """Raise ``VoiceError`` for too many parts, or shares that are not from 0 to 1 or do not add up to 1."""
    shares = [share for _, share in blend]
    if len(blend) > MAX_BLEND:
        raise VoiceError("blend_parts", f"Blend at most {MAX_BLEND} voices.", limit=MAX_BLEND)
    if blend and not (all(0 <= share <= 1 for share in shares) and abs(sum(shares) - 1) <= SHARES_OFF):
        raise VoiceError("blend_shares", "The shares of a blend must be from 0 to 1 each, and add up to 1.")


def _line(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _shown(text: str) -> bool:
    """Whether all of it can be seen: nothing that turns the writing round, no half characters."""
    return all(c.isprintable() or c in _JOINERS for c in text) and bool(text.strip(_JOINERS))
