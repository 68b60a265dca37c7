"""Files for people to keep: the sound that went in, and tags that say what it is."""

import io
import json
from typing import Any

import av
import numpy as np
import pytest

from webui.audio.decode import decode
from webui.audio.encode import FORMATS, MAX_TAG, encode
from webui.errors import AudioError
from webui.types import Audio

ABOUT = {"title": "Good evening 晚上好", "voice": "Xiaobei 小北", "engine": "Kokoro 82M", "comment": "Take 3."}


def chirp(rate: int = 24_000, seconds: float = 2.0) -> Audio:
    time = np.arange(round(rate * seconds)) / rate
    return Audio((0.5 * np.sin(2 * np.pi * (300 + 400 * time) * time)).astype(np.float32), rate)


def tags(file: bytes) -> dict[str, str]:
    with av.open(io.BytesIO(file)) as container:
        return {k.lower(): v for k, v in {**container.metadata, **container.streams.audio[0].metadata}.items()}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000])
def test_the_sound_is_the_one_that_went_in(form: str, rate: int) -> None:
    sound = chirp(rate)
    back = decode(encode(sound, form, ABOUT), rate)
    assert back.duration == pytest.approx(sound.duration, abs=0.002 if form in ("wav", "flac") else 0.06)
    length = min(len(back.samples), len(sound.samples))
    change = back.samples[:length] - sound.samples[:length]
    assert float((change**2).mean()) < float((sound.samples**2).mean()) / (1e6 if form in ("wav", "flac") else 300)


@pytest.mark.parametrize("form", FORMATS)
def test_the_file_says_that_it_is_synthetic_and_who_made_it(form: str) -> None:
    said = tags(encode(chirp(), form, ABOUT))
    assert said["title"] == ABOUT["title"]
    assert "synthetic" in said["artist"]
    assert ABOUT["voice"] in said["artist"]
    for part in ("Synthetic speech", ABOUT["voice"], ABOUT["engine"], ABOUT["comment"]):
        assert part in said["comment"]
    if form != "wav":
        assert json.loads(said["aigc"])["Label"] == "1"


@pytest.mark.parametrize("form", FORMATS)
def test_it_says_so_where_nothing_else_is_known(form: str) -> None:
    assert "Synthetic speech" in tags(encode(chirp(), form, {}))["comment"]


def test_tags_are_one_line_and_not_endless() -> None:
    said = tags(encode(chirp(), "flac", {"title": "a\nb\0" + "x" * 5_000}))
    assert said["title"].startswith("a b")
    assert len(said["title"]) <= MAX_TAG


@pytest.mark.parametrize("form", FORMATS)
def test_full_scale_does_not_wrap(form: str) -> None:
    loud = Audio(np.where(np.arange(24_000) // 60 % 2, 1, -1).astype(np.float32), 24_000)
    back = decode(encode(loud, form, {}), 24_000)
    middle = (np.arange(24_000) // 60 * 60 + 30)[3_000:20_000:60]
    assert (np.sign(back.samples[middle]) == np.sign(loud.samples[middle])).all()


@pytest.mark.parametrize("form", FORMATS)
def test_one_sample_and_silence_are_files_too(form: str) -> None:
    assert encode(Audio(np.full(1, 0.5, np.float32), 24_000), form, {})
    assert np.abs(decode(encode(Audio(np.zeros(24_000, np.float32), 24_000), form, {})).samples).max() < 1e-4


def test_what_cannot_be_encoded_is_refused() -> None:
    with pytest.raises(AudioError):
        encode(Audio(np.zeros(0, np.float32), 24_000), "wav", {})
    with pytest.raises(ValueError, match="format"):
        encode(chirp(), "aiff", {})
    unknown: Any = {"author": "me"}
    with pytest.raises(ValueError, match="author"):
        encode(chirp(), "wav", unknown)
