"""Sound on the wire: what is written can be read again, in pieces of any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui.audio.formats import Encoder, WireFormat
from webui.types import Audio

FORMS = [WireFormat("PCM_16", 24000), WireFormat("PCM_16", 16000), WireFormat("ULAW", 8000), WireFormat("ALAW", 8000)]


def tone(seconds: float, rate: int = 24000) -> Audio:
    time = np.arange(round(seconds * rate)) / rate
    return Audio((0.5 * np.sin(2 * np.pi * 300 * time)).astype(np.float32), rate)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_can_be_read(form: WireFormat) -> None:
    samples = tone(0.1, form.rate).samples
    data = form.encode(samples)
    assert len(data) == pytest.approx(0.1 * form.bytes_per_second)
    assert np.abs(form.decode(data) - samples).max() < 0.02
    assert len(form.decode(b"")) == 0
    loud = form.decode(form.encode(np.array([1.5, -1.5], np.float32)))
    assert loud[0] > 0.9 and loud[1] < -0.9


def test_pcm_goes_there_and_back_without_loss() -> None:
    numbers = np.arange(-32768, 32768, 7, dtype="<i2")
    samples = FORMS[0].decode(numbers.tobytes() + b"\x01")
    assert np.array_equal(np.frombuffer(FORMS[0].encode(samples), "<i2"), numbers)


@given(st.binary(max_size=99))
def test_any_bytes_are_sound(data: bytes) -> None:
    for form in FORMS:
        samples = form.decode(data)
        assert samples.dtype == np.float32 and np.abs(samples).max(initial=0) <= 1


@pytest.mark.parametrize("form", FORMS)
def test_speech_comes_out_whole_however_it_was_cut(form: WireFormat) -> None:
    sound = tone(1.0)
    encoder = Encoder(form)
    pieces = [encoder.feed(Audio(part, sound.rate)) for part in np.array_split(sound.samples, 7)]
    samples = form.decode(b"".join(pieces) + encoder.flush())
    assert len(samples) == pytest.approx(form.rate, abs=form.rate * 0.002)
    middle = samples[len(samples) // 10 : -len(samples) // 10]
    assert np.abs(np.diff(middle)).max() < 2 * np.pi * 300 / form.rate  # no click where pieces meet


def test_an_encoder_that_was_given_nothing_has_nothing_left() -> None:
    assert Encoder(FORMS[0]).flush() == b""
