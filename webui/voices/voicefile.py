"""One voice as one file, in a library and wherever it is exported to: a zip without compression.

========================  ==============================================================
``voice.json``            who it is: ``format`` 1 and the fields of ``_Record`` below
``clip.flac``             what it was cloned from (cloned voices only)
``consent.flac``          the recording of the consent, where there is one
========================  ==============================================================

Sounds are FLAC, mono, 24 kHz, 16 bits, a minute at most. A file may come from anybody: nothing in it is taken before
its size, its names, its version and its types are checked, and nothing in it chooses a place on the disk.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, FiniteFloat, StringConstraints

from webui.audio.convert import require_sound, resample, to_pcm16
from webui.errors import AudioError
from webui.types import Audio, Voice
from webui.voices.saved import MAX_BLEND, MAX_TAGS, Consent, SavedVoice, VoiceError, check_blend

FORMAT = 1
RATE = 24_000  # Hz
MAX_SECONDS = 60  # of the clip, and of the consent's recording
MAX_BYTES = 8 * 1024**2  # both of them at their longest, incompressible, and some air
SUFFIX = ".voice"
_RECORD, _CLIP, _CONSENT = "voice.json", "clip.flac", "consent.flac"
_MAX_RECORD_BYTES = 64 * 1024
_ENTRY = b"PK\x01\x02"  # begins each entry of a zip's directory
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say: when a voice was made stands in its record

# What zipfile, pydantic and libsndfile raise on files that are not what they say.
_HOSTILE = (zipfile.BadZipFile, LookupError, ValueError, RuntimeError, EOFError, OSError, struct.error)

_Short = Annotated[str, StringConstraints(max_length=100)]
_Long = Annotated[str, StringConstraints(max_length=4000)]
_When = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)$")]


class _ConsentRecord(BaseModel):
    sentence: _Long
    heard: _Long
    word_error: FiniteFloat
    similarity: FiniteFloat
    when: _When


class _Version(BaseModel):
    format: Annotated[int, Field(strict=True, ge=1)]


class _Record(BaseModel):
    format: Literal[1] = 1
    id: Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]
    name: str
    tags: Annotated[list[str], Field(max_length=MAX_TAGS)]
    created: _When
    engine: _Short
    kind: Literal["blend", "cloned"]
    languages: Annotated[list[_Short], Field(max_length=200)]
    gender: _Short
    licence: _Short
    prosody: _Short | None
    blend: Annotated[list[tuple[_Short, FiniteFloat]], Field(max_length=MAX_BLEND)]
    sample_text: _Long
    similarity: FiniteFloat | None
    consent: _ConsentRecord | None


def pack(saved: SavedVoice) -> bytes:
    """The file of a voice with its sounds. Raises ``AudioError`` for one that is silent or longer than a minute."""
    record, sounds = _told(saved)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(_RECORD, _DATE), record.model_dump_json(indent=1))
        for name, sound in sounds.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), _to_flac(sound))
    return buffer.getvalue()


def unpack(data: bytes) -> SavedVoice:
    """The voice in a file, from wherever it came.

    Raises ``VoiceError`` for what is too large, made by a newer version, or no voice at all.
    """
    if len(data) > MAX_BYTES:
        megabytes = MAX_BYTES // 1024**2
        raise VoiceError(
            "voice_file_large", f"A voice file has at most {megabytes} MB: choose another.", megabytes=megabytes
        )
    if data.count(_ENTRY) > 64:  # a directory of a hundred thousand entries takes seconds to read
        raise _broken()
    with _refusing(), zipfile.ZipFile(io.BytesIO(data)) as archive:
        record = _record(archive)
        sounds = {name: _from_flac(_member(archive, name, MAX_BYTES)) for name in _sounds(record)}
        return _voice(record, sounds)


def peek(path: Path) -> SavedVoice:
    """The voice in a library's file without its sounds, which are not read. Raises ``VoiceError`` as ``unpack``."""
    with path.open("rb") as file, _refusing(), zipfile.ZipFile(file) as archive:
        return _voice(_record(archive), {})


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except _HOSTILE as error:
        raise _broken() from error


def _told(saved: SavedVoice) -> tuple[_Record, dict[str, Audio]]:
    voice, consent = saved.voice, saved.consent
    sounds = {_CLIP: voice.sample, _CONSENT: consent.recording if consent else None}
    record = _Record(
        id=saved.id,
        name=saved.name,
        tags=list(saved.tags),
        created=saved.created,
        engine=saved.engine,
        kind=voice.kind,
        languages=list(voice.languages),
        gender=voice.gender,
        licence=voice.licence,
        prosody=voice.prosody,
        blend=list(voice.blend),
        sample_text=voice.sample_text,
        similarity=saved.similarity,
        consent=consent and _ConsentRecord.model_validate(consent, from_attributes=True),
    )
    return record, {name: sound for name, sound in sounds.items() if sound is not None}


def _voice(record: _Record, sounds: dict[str, Audio]) -> SavedVoice:
    agreed = record.consent
    consent = Consent(**agreed.model_dump(), recording=sounds.get(_CONSENT)) if agreed else None
    voice = Voice(
        id=record.id,
        name=record.name,
        languages=tuple(record.languages),
        gender=record.gender,
        kind=record.kind,
        licence=record.licence,
        prosody=record.prosody,
        sample=sounds.get(_CLIP),
        sample_text=record.sample_text,
        blend=tuple(record.blend),
    )
    check_blend(voice.blend)
    saved = SavedVoice(record.id, record.name, (), record.created, record.engine, voice, consent, record.similarity)
    return saved.renamed(record.name).tagged(record.tags)


def _record(archive: zipfile.ZipFile) -> _Record:
    """The record, checked: the archive has the sounds that it speaks of, and nothing else."""
    told = _member(archive, _RECORD, _MAX_RECORD_BYTES)
    if _Version.model_validate_json(told).format > FORMAT:
        raise VoiceError(
            "voice_newer", "That voice was saved by a newer version of this program: update it, then try again."
        )
    record = _Record.model_validate_json(told)
    if sorted(archive.namelist()) != sorted([_RECORD, *_sounds(record)]):
        raise _broken()
    if bool(record.blend) != (record.kind == "blend"):
        raise _broken()
    return record


def _sounds(record: _Record) -> list[str]:
    return [_CLIP] * (record.kind == "cloned") + [_CONSENT] * (record.consent is not None)


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """A file of the archive that is kept as it is: what is not compressed cannot grow."""
    entry = archive.getinfo(name)
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > limit:
        raise _broken()
    return archive.read(entry)


def _to_flac(audio: Audio) -> bytes:
    import soundfile

    if audio.duration > MAX_SECONDS:
        raise AudioError("clip_too_long", f"The clip is too long: use at most {MAX_SECONDS} s.", limit=MAX_SECONDS)
    buffer = io.BytesIO()
    soundfile.write(
        buffer, to_pcm16(resample(require_sound(audio), RATE).samples), RATE, format="FLAC", subtype="PCM_16"
    )
    return buffer.getvalue()


def _from_flac(data: bytes) -> Audio:
    import soundfile

    with soundfile.SoundFile(io.BytesIO(data)) as file:
        if (file.format, file.samplerate, file.channels) != ("FLAC", RATE, 1):
            raise _broken()
        limit = MAX_SECONDS * RATE
        audio = Audio(file.read(limit + 1, dtype="float32"), RATE)
        if not 0 < len(audio.samples) <= limit or len(audio.samples) != file.frames:
            raise _broken()
    return audio


def _broken() -> VoiceError:
    return VoiceError(
        "voice_file_broken", "That is no voice file, or a damaged one: choose one that was exported here."
    )
