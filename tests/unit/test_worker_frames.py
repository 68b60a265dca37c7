"""The worker's frames: what goes in comes out, and nothing that a hostile peer sends does harm."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from webui.engines.protocols import EngineInfo, SpeechRequest
from webui.engines.worker import wire
from webui.engines.worker.frames import MAX_BODY, MAX_HEADER, Frame, FrameError, encode, receive
from webui.errors import AudioError, EngineError
from webui.types import Audio, SpeechChunk, Style, Voice, Word


class Wire:
    """Bytes that arrive in pieces, of which so many were asked for."""

    def __init__(self, data: bytes, piece: int = 1 << 16) -> None:
        self.data, self.piece, self.read = data, piece, 0

    def recv(self, size: int, /) -> bytes:
        block = self.data[self.read : self.read + min(size, self.piece)]
        self.read += len(block)
        return block

    def sendall(self, data: bytes, /) -> None:
        self.data += data


def framed(header: object, body: bytes = b"") -> bytes:
    written = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack(">II", len(written), len(body)) + written + body


SOUND = st.builds(
    Audio,
    arrays(np.float32, st.integers(0, 300), elements=st.floats(-1, 1, width=32)),
    st.sampled_from([8000, 16000, 22050, 24000, 48000]),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text(max_size=8).filter(lambda name: name != "sounds")


@given(
    st.dictionaries(NAMES, VALUES, max_size=4),
    st.dictionaries(st.text(max_size=8), SOUND, max_size=3),
    st.integers(1, 99),
)
def test_what_goes_in_comes_out(header: dict[str, object], sounds: dict[str, Audio], piece: int) -> None:
    frame = receive(Wire(encode(Frame(header, sounds)), piece))
    assert frame is not None
    assert frame.header == header
    assert frame.sounds.keys() == sounds.keys()
    for name, sound in sounds.items():
        assert frame.sounds[name].rate == sound.rate
        np.testing.assert_array_equal(frame.sounds[name].samples, sound.samples)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_refused(data: bytes) -> None:
    try:
        frame = receive(Wire(data))
    except FrameError:
        return
    assert frame is None if not data else isinstance(frame, Frame)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_hostile_length_is_refused_before_anything_is_read(header: int, body: int) -> None:
    wire_ = Wire(struct.pack(">II", header, body) + b"x" * 64)
    with pytest.raises(FrameError):
        receive(wire_)
    if header > MAX_HEADER or body > MAX_BODY:
        assert wire_.read == 8


@given(st.data())
def test_a_truncated_frame_is_refused(data: st.DataObject) -> None:
    whole = encode(Frame({"do": "x"}, {"a": Audio(np.zeros(40, np.float32), 16000)}))
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(FrameError):
        receive(Wire(whole[:cut]))


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (b"{", b""),
        (b"[" * 100_000, b""),
        ([], b""),
        ({}, b""),
        ({"sounds": 3}, b""),
        ({"sounds": [["a", 16000]]}, b""),
        ({"sounds": [["a", 16000, 2]]}, b"1234"),
        ({"sounds": [["a", 16000, 1]]}, b"12345678"),
        ({"sounds": [["a", 16000, -1]]}, b""),
        ({"sounds": [["a", 0, 1]]}, b"1234"),
        ({"sounds": [["a", 16000, 1e9]]}, b"1234"),
        ({"sounds": [["a", 16000, 2**62]]}, b"1234"),
        ({"sounds": [[["a"], 16000, 1]]}, b"1234"),
    ],
)
def test_what_does_not_describe_its_body_is_refused(header: object, body: bytes) -> None:
    with pytest.raises(FrameError):
        receive(Wire(framed(header, body)))


def test_a_frame_too_large_is_not_sent() -> None:
    with pytest.raises(FrameError):
        encode(Frame({"text": "x" * MAX_HEADER}))
    with pytest.raises(FrameError):
        encode(Frame({}, {"a": Audio(np.zeros(MAX_BODY // 4 + 1, np.float32), 16000)}))


def test_the_reader_may_allow_less() -> None:
    data = encode(Frame({"proof": "x" * 100}))
    with pytest.raises(FrameError):
        receive(Wire(data), max_header=64)


def test_samples_arrive_finite_and_in_range() -> None:
    raw = np.array([np.nan, np.inf, -np.inf, 7.0, -1.0, 1.0], "<f4")
    frame = receive(Wire(framed({"sounds": [["a", 16000, 6]]}, raw.tobytes())))
    assert frame is not None
    np.testing.assert_array_equal(frame.sounds["a"].samples, np.array([0, 1, -1, 1, -1, 1], np.float32))


def through(frame: Frame) -> Frame:
    got = receive(Wire(encode(frame)))
    assert got is not None
    return got


def test_a_request_travels_whole() -> None:
    clip = Audio(np.linspace(-1, 1, 50, dtype=np.float32), 16000)
    shares = (("anna", 0.25), ("ben", 0.75))
    voice = Voice("mine", "Mine", ("en", "zh"), "female", "cloned", "", None, clip, "what I said", shares)
    request = SpeechRequest("Hi 你好", voice, Style("happy", 0.5, 1.1, 1.0, 0.9, "softly"), 1.2, "en", 7, False)
    got = wire.read_speech_request(through(wire.speech_request_frame(request)))
    assert (got.text, got.voice, got.style, got.speed, got.language, got.seed, got.eager) == (
        request.text, voice, request.style, 1.2, "en", 7, False,
    )  # fmt: skip
    assert got.voice.sample is not None
    assert got.voice.sample_text == "what I said"
    np.testing.assert_array_equal(got.voice.sample.samples, clip.samples)


def test_speech_and_conversions_travel() -> None:
    sound = Audio(np.full(9, 0.5, np.float32), 24000)
    chunk = wire.read_chunk(through(wire.chunk_frame(SpeechChunk(sound, "hello", (Word("hello", 0.1, 0.2),)))))
    assert (chunk.text, chunk.words, chunk.audio.rate) == ("hello", (Word("hello", 0.1, 0.2),), 24000)
    source, voice = wire.read_conversion(through(wire.conversion_frame(sound, Voice("a", "A", ("en",), sample=sound))))
    assert voice.sample is not None
    assert len(source.samples) == len(voice.sample.samples) == 9


def test_what_an_engine_is_travels() -> None:
    info = EngineInfo("X", ("en",), {"clone": True, "words": "it has none"}, "CPU", "MIT", loaded=True)
    assert wire.read_info(through(wire.info_frame(info, [Voice("a", "A", ("en",))]))) == (
        info, [Voice("a", "A", ("en",))],
    )  # fmt: skip


@pytest.mark.parametrize("error", [AudioError("empty", "It is empty."), EngineError("x", "No {y}.", y=3)])
def test_a_failure_travels_with_its_kind(error: EngineError) -> None:
    got = wire.read_error(through(wire.error_frame(error)))
    assert (type(got), got.key, got.message, got.values) == (type(error), error.key, error.message, error.values)


GOOD = wire.speech_request_frame(SpeechRequest("a", Voice("v", "V", ("en",)))).header


@pytest.mark.parametrize(
    "change",
    [{"text": 3}, {"voice": None}, {"voice": {"id": "x", "evil": 1}}, {"style": {"name": []}}, {"style": {"x": 1}},
     {"speed": "fast"}, {"seed": 1.5}, {"seed": "1"}, {"eager": 1}, {"language": None}],
)  # fmt: skip
def test_a_request_of_another_form_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(FrameError):
        wire.read_speech_request(Frame({**GOOD, **change}))


@pytest.mark.parametrize("missing", [name for name in GOOD if name != "do"])
def test_a_request_that_lacks_something_is_refused(missing: str) -> None:
    with pytest.raises(FrameError):
        wire.read_speech_request(Frame({name: value for name, value in GOOD.items() if name != missing}))
