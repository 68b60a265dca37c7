"""A take as a file to keep: levelled sound that says of itself that it is synthetic, or subtitles."""

from __future__ import annotations

from webui.audio.encode import FORMATS as SOUND_FORMATS
from webui.audio.encode import encode
from webui.audio.loudness import levelled
from webui.audio.subtitles import to_srt, to_vtt
from webui.features.takes import Take
from webui.voices.watermark import watermark

FORMATS = (*SOUND_FORMATS, "srt", "vtt")


def take_file(take: Take, form: str) -> bytes:
    """What is made of ``take``, as ``form``, one of ``FORMATS``. Sound in a cloned voice has our watermark in it.

    Raises ``UserError`` where nothing is made yet.
    """
    if form == "srt":
        return to_srt(take.transcript()).encode()
    if form == "vtt":
        return to_vtt(take.transcript()).encode()
    sound = take.audio()
    if take.voice.kind == "cloned":
        sound = watermark(sound)
    # Levelled last, as that keeps every peak below the ceiling.
    return encode(levelled(sound), form, {"title": take.title, "voice": take.voice.name, "engine": take.engine})
