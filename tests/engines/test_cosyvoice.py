"""CosyVoice through the real worker and the real library, with a tiny checkpoint that speaks noise."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.engines.tiny_cosyvoice import SPEAKER, tiny_cosyvoice
from tests.scripted import ScriptedChat, ScriptedEngines, ScriptedRecognizer, tone
from webui.config import ROOT, Settings
from webui.conversation.session import Conversation
from webui.engines.cosyvoice import CosyVoiceSynthesizer
from webui.engines.protocols import SpeechRequest
from webui.engines.store import ModelStore
from webui.engines.worker.process import WorkerProcess
from webui.engines.worker.synthesizer import WorkerSynthesizer
from webui.errors import AudioError, EngineError, ModelError
from webui.features.chat import Finished, Spoke, Turn, TurnSettings
from webui.types import Audio, SpeechChunk, Style, Voice

PYTHON = ROOT / ".cache" / "env-cosyvoice" / "bin" / "python"
ENGLISH, CHINESE = "house-en_request", "house-zh_request"
TEXT = "Hello there."

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not PYTHON.exists(), reason="no environment: bash scripts/engine_envs.sh cosyvoice"),
]


@pytest.fixture(scope="module")
def folder() -> Path:
    return tiny_cosyvoice(PYTHON, ROOT / ".cache" / "tiny")


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The worker's Python may reach its own machine and nothing else; whatever it tries is written down."""
    box = tmp_path_factory.mktemp("offline")
    tried = box / "tried"
    (box / "sitecustomize.py").write_text(
        "import socket\n"
        "def refuse(event, args):\n"
        "    if event in ('socket.getaddrinfo', 'socket.connect'):\n"
        "        host = args[0] if event == 'socket.getaddrinfo' else args[1]\n"
        "        host = host[0] if isinstance(host, tuple) else host\n"
        "        if host not in (None, '', '127.0.0.1', 'localhost') and not str(host).startswith('/'):\n"
        f"            open({str(tried)!r}, 'a').write(f'{{event}} {{host}}\\n')\n"
        "            raise OSError('the network is blocked')\n"
        "import sys\n"
        "sys.addaudithook(refuse)\n"
    )
    before = os.environ.get("PYTHONPATH")
    yield box
    assert before == os.environ.get("PYTHONPATH")


@pytest.fixture(scope="module")
def engine(folder: Path, offline: Path) -> Iterator[CosyVoiceSynthesizer]:
    """One worker for all tests of this file: they come in any order, and none may tell by another."""
    engine = make(folder, offline)
    yield engine
    engine.close()


def make(folder: Path, code: Path | None = None, **more: object) -> CosyVoiceSynthesizer:
    settings = Settings(cosyvoice_model=str(folder), cosyvoice_code=code, threads=1, device="cpu", **more)  # type: ignore[arg-type]
    return CosyVoiceSynthesizer(ModelStore(Path("/nowhere")), settings)


def voice(engine: CosyVoiceSynthesizer, name: str) -> Voice:
    return next(voice for voice in engine.voices() if voice.id == name)


def say(engine: CosyVoiceSynthesizer, name: str = ENGLISH, text: str = TEXT, **more: object) -> list[SpeechChunk]:
    return list(engine.synthesize(SpeechRequest(text, voice(engine, name), **more)))  # type: ignore[arg-type]


def sound(chunks: list[SpeechChunk]) -> np.ndarray:
    return np.concatenate([chunk.audio.samples for chunk in chunks])


def test_what_it_is(engine: CosyVoiceSynthesizer) -> None:
    engine.load()
    info = engine.info
    assert (info.name, info.device, info.loaded) == ("CosyVoice 2", "CPU", True)
    assert info.capabilities["clone"] is info.capabilities["instruction"] is True
    assert [one.id for one in engine.voices()][:2] == [SPEAKER, CHINESE]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        (SPEAKER, {}),  # stored in the checkpoint
        (ENGLISH, {}),  # zero-shot: the clip's own language
        (CHINESE, {}),  # cross-lingual: the timbre alone
        (ENGLISH, {"style": Style("happy")}),  # instruct2
        (SPEAKER, {"style": Style(instruction="like a radio host")}),
    ],
)
def test_every_way_of_speaking(engine: CosyVoiceSynthesizer, name: str, more: dict[str, object]) -> None:
    chunks = say(engine, name, **more)
    speech = sound(chunks)
    assert {chunk.audio.rate for chunk in chunks} == {24000}
    assert [chunk.text for chunk in chunks if chunk.text] == [TEXT]
    assert len(speech) > 12000
    assert np.isfinite(speech).all()
    assert 0.001 < np.abs(speech).max() <= 1.0


def test_speech_is_streamed_within_a_sentence(engine: CosyVoiceSynthesizer) -> None:
    chunks = say(engine, text="This is a sentence that is long enough to come in several pieces, one by one.")
    assert len([chunk for chunk in chunks if len(chunk.audio.samples) > 4000]) >= 3


def test_chunks_do_not_grow_from_one_request_to_the_next(engine: CosyVoiceSynthesizer) -> None:
    long = "This is a sentence that is long enough to come in several pieces, one by one."
    first = [len(say(engine, text=long)[0].audio.samples) for _ in range(2)]
    assert first[0] == first[1]


def test_a_seed_gives_the_same_sound_and_another_gives_another(engine: CosyVoiceSynthesizer) -> None:
    one, again, other = (sound(say(engine, seed=seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, again)
    assert len(one) != len(other) or np.abs(one - other).max() > 0.001


def test_two_requests_at_once_are_what_each_is_alone(engine: CosyVoiceSynthesizer) -> None:
    text = "The first sentence is here for you. And then the second one comes along behind it."
    requests = [
        SpeechRequest(text, voice(engine, ENGLISH), seed=1),
        SpeechRequest(text, voice(engine, SPEAKER), style=Style("sad"), seed=2),
    ]
    alone = [sound(list(engine.synthesize(request))) for request in requests]
    made: list[SpeechChunk] = []
    other = threading.Thread(target=lambda: made.extend(engine.synthesize(requests[1])))
    mine = []
    for chunk in engine.synthesize(requests[0]):
        if not mine:
            other.start()
        mine.append(chunk)
    other.join()
    np.testing.assert_array_equal(sound(mine), alone[0])
    np.testing.assert_array_equal(sound(made), alone[1])


def test_a_cloned_voice_is_its_clip(engine: CosyVoiceSynthesizer) -> None:
    own = voice(engine, ENGLISH)
    assert own.sample is not None
    mine = replace(own, id="mine", kind="cloned", name="Mine")
    request = SpeechRequest(TEXT, mine, seed=5)
    np.testing.assert_array_equal(sound(list(engine.synthesize(request))), sound(say(engine, seed=5)))


def test_speed_while_streaming(engine: CosyVoiceSynthesizer) -> None:
    plain, fast = (sum(c.audio.duration for c in say(engine, seed=5, speed=speed)) for speed in (1.0, 2.0))
    assert fast == pytest.approx(plain / 2, rel=0.03)


def test_long_text_has_no_clicks_between_sentences(engine: CosyVoiceSynthesizer) -> None:
    chunks = say(engine, text="Here is one sentence. " * 7, seed=3)
    assert len([chunk for chunk in chunks if chunk.text]) >= 2
    assert " ".join(chunk.text for chunk in chunks if chunk.text) == ("Here is one sentence. " * 7).strip()


def test_a_voice_is_put_on_a_recording(engine: CosyVoiceSynthesizer) -> None:
    source = voice(engine, CHINESE).sample
    assert source is not None
    chunks = list(engine.convert(source, voice(engine, ENGLISH)))
    assert sum(chunk.audio.duration for chunk in chunks) == pytest.approx(source.duration, abs=0.3)
    with pytest.raises(EngineError) as caught:
        list(engine.convert(source, voice(engine, SPEAKER)))
    assert caught.value.key == "convert_needs_clip"


@pytest.mark.parametrize(
    ("clip", "key"),
    [(tone(31.0, 16000), "clip_too_long"), (tone(3.0, 8000), "clip_rate_low"), (tone(0.2, 16000), "clip_too_short")],
)
def test_a_clip_that_cannot_be_a_voice(engine: CosyVoiceSynthesizer, clip: Audio, key: str) -> None:
    with pytest.raises(AudioError) as caught:
        list(engine.synthesize(SpeechRequest(TEXT, Voice("mine", "Mine", ("en",), sample=clip))))
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("request_", "key"),
    [
        (SpeechRequest(TEXT, Voice("nobody", "Nobody", ("en",))), "voice_missing"),
        (SpeechRequest("x" * 20_001, Voice(SPEAKER, "", ("en",))), "text_too_long"),
        (SpeechRequest(TEXT, Voice(SPEAKER, "", ("en",)), Style(pitch=1.2)), "pitch_fixed"),
        (SpeechRequest(TEXT, Voice(SPEAKER, "", ("en",)), Style("smug")), "style_unknown"),
    ],
)
def test_what_cannot_be_done_is_said(engine: CosyVoiceSynthesizer, request_: SpeechRequest, key: str) -> None:
    with pytest.raises(EngineError) as caught:
        list(engine.synthesize(request_))
    assert caught.value.key == key


def test_a_text_without_words_is_silent(engine: CosyVoiceSynthesizer) -> None:
    assert say(engine, text=" … <|zh|> !") == []


def test_closing_makes_room_at_once(engine: CosyVoiceSynthesizer) -> None:
    chunks = engine.synthesize(SpeechRequest("One two three four five six seven. " * 40, voice(engine, SPEAKER)))
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]
    assert say(engine, SPEAKER), "forty sentences would have taken minutes"


def test_nothing_was_fetched(engine: CosyVoiceSynthesizer, offline: Path) -> None:
    say(engine)
    assert not (offline / "tried").exists()
    reach = "import socket; socket.create_connection(('192.0.2.1', 80), 1)"
    assert subprocess.run([PYTHON, "-c", reach], env={"PYTHONPATH": str(offline)}, capture_output=True).returncode
    assert "192.0.2.1" in (offline / "tried").read_text(), "the block is there"
    (offline / "tried").unlink()


def test_a_turn_is_spoken(engine: CosyVoiceSynthesizer) -> None:
    chat = ScriptedChat(pieces=["<sad> I am sorry. ", "Tell me more."])
    engines = ScriptedEngines(ScriptedRecognizer(), chat, engine)  # type: ignore[arg-type]
    turn = Turn(engines, Conversation(), TurnSettings(voice=ENGLISH))  # type: ignore[arg-type]
    events = list(turn.run(tone(1.0)))
    spoken = [event for event in events if isinstance(event, Spoke)]
    assert [event.chunk.text for event in spoken if event.chunk.text] == ["I am sorry.", "Tell me more."]
    assert {event.style for event in spoken} == {"sad"}
    assert isinstance(events[-1], Finished)


def test_killed_in_the_middle_it_says_so_and_the_next_request_works(engine: CosyVoiceSynthesizer) -> None:
    long = "This is a sentence that is long enough to come in several pieces, one by one. " * 4
    chunks = engine.synthesize(SpeechRequest(long, voice(engine, ENGLISH)))
    next(chunks)
    pid = engine.worker_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EngineError) as caught:
        list(chunks)
    assert caught.value.key == "worker_died"
    assert say(engine)
    assert engine.worker_pid not in (None, pid)


@pytest.mark.parametrize(("fault", "key"), [("raise", "engine_failed"), ("hang", "engine_stuck")])
def test_what_goes_wrong_in_the_librarys_thread_ends_the_request(
    folder: Path, tmp_path: Path, fault: str, key: str
) -> None:
    options = {"folder": str(folder), "fault": fault, "done": str(tmp_path / "done")}
    worker = WorkerProcess(PYTHON, "tests.engines.faulty_cosyvoice:FaultyCosyVoice", options, {})
    engine = WorkerSynthesizer(worker)
    try:
        request = SpeechRequest(TEXT, next(iter(engine.voices())))
        before = worker.pid
        with pytest.raises(EngineError) as caught:
            list(engine.synthesize(request))
        assert caught.value.key == key
        assert list(engine.synthesize(request))
        assert (worker.pid == before) is (fault == "raise"), "only a hang costs the process"
    finally:
        worker.close()


def test_freed_it_comes_back(engine: CosyVoiceSynthesizer) -> None:
    engine.load()
    engine.close()
    assert engine.worker_pid is None
    assert not engine.info.loaded
    assert say(engine)


def test_a_plan_that_would_run_something_is_refused(folder: Path, tmp_path: Path) -> None:
    bad = shutil.copytree(folder, tmp_path / "bad", copy_function=os.link)
    plan = (folder / "cosyvoice2.yaml").read_text()
    (bad / "cosyvoice2.yaml").unlink()
    ran = tmp_path / "ran"
    (bad / "cosyvoice2.yaml").write_text(f"evil: !apply:pathlib.Path.touch [!new:pathlib.Path ['{ran}']]\n" + plan)
    engine = make(bad)
    try:
        with pytest.raises(ModelError) as caught:
            engine.load()
        assert caught.value.key == "cosyvoice_unsafe_plan"
        assert not ran.exists()
    finally:
        engine.close()


def test_without_its_environment_the_command_is_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    engine = make(folder, cosyvoice_python=Path("/nowhere/python"))
    with pytest.raises(ModelError) as caught:
        engine.load()
    assert caught.value.key == "cosyvoice_env_missing"
    assert "bash scripts/engine_envs.sh cosyvoice" in caught.value.message
