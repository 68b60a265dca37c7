"""A worker process with a toy engine: it streams, is cancelled, dies, hangs, rests, and keeps strangers out."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr

from tests.toy_worker import tone
from tests.waiting import wait_until
from webui.config import ROOT, Settings
from webui.engines.protocols import SpeechRequest
from webui.engines.speech_remote import RemoteSynthesizer
from webui.engines.store import ModelStore
from webui.engines.worker.client import RemoteWorker
from webui.engines.worker.frames import Frame, receive, send
from webui.engines.worker.process import TOKEN, WorkerProcess
from webui.engines.worker.synthesizer import WorkerSynthesizer
from webui.errors import AudioError, EngineError, ModelError
from webui.types import Style, Voice

KEY = "a key that nobody can guess"
VOICE = Voice("toy", "Toy", ("en",))


def said(text: str, **more: object) -> SpeechRequest:
    return SpeechRequest(text, VOICE, **more)  # type: ignore[arg-type]


def process(patience_s: float = 20.0, **options: object) -> WorkerProcess:
    return WorkerProcess(Path(sys.executable), "tests.toy_worker:Toy", options, {}, patience_s)


@pytest.fixture(scope="module")
def note(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("toy") / "note"


@pytest.fixture(scope="module")
def worker(note: Path) -> Iterator[WorkerProcess]:
    worker = process(note=str(note))
    yield worker
    worker.close()


def test_speech_comes_in_pieces_with_their_texts(worker: WorkerProcess) -> None:
    engine = WorkerSynthesizer(worker)
    assert [voice.id for voice in engine.voices()] == ["toy"]
    assert engine.info.loaded
    chunks = list(engine.synthesize(said("first")))
    assert [chunk.text for chunk in chunks if chunk.text] == ["first", "second piece"]
    sound = np.concatenate([chunk.audio.samples for chunk in chunks])
    assert abs(len(sound) / 16000 - 1.5) < 0.05
    assert np.abs(np.diff(sound)).max() < 0.05, "no step is larger than the tone's own"


@pytest.mark.parametrize(("speed", "rate"), [(2.0, 1.0), (1.0, 0.5), (2.0, 2.0)])
def test_speed_and_rate_are_done_here(worker: WorkerProcess, speed: float, rate: float) -> None:
    chunks = WorkerSynthesizer(worker).synthesize(said("first", speed=speed, style=Style(rate=rate)))
    seconds = sum(chunk.audio.duration for chunk in chunks)
    assert abs(seconds - 1.49 / min(speed * rate, 2.0)) < 0.05


def test_energy_never_wraps(worker: WorkerProcess) -> None:
    chunks = list(WorkerSynthesizer(worker).synthesize(said("first", style=Style(energy=2.0))))
    sound = np.concatenate([chunk.audio.samples for chunk in chunks])
    assert 0.95 < np.abs(sound).max() <= 1.0


@pytest.mark.parametrize("request_", [said("x", speed=0.4), said("x", style=Style(energy=3.0))])
def test_a_factor_out_of_range_is_refused(worker: WorkerProcess, request_: SpeechRequest) -> None:
    with pytest.raises(EngineError) as caught:
        list(WorkerSynthesizer(worker).synthesize(request_))
    assert caught.value.key == "factor_out_of_range"


def test_a_voice_is_put_on(worker: WorkerProcess) -> None:
    voice = Voice("mine", "Mine", ("en",), kind="cloned", sample=tone(0.3), sample_text="my words")
    (chunk, *rest) = WorkerSynthesizer(worker).convert(tone(1.0, 0.3), voice)
    assert chunk.text == "my words"
    assert abs(chunk.audio.duration + sum(c.audio.duration for c in rest) - 1.0) < 0.05


def test_failures_keep_their_sentence(worker: WorkerProcess) -> None:
    engine, pid = WorkerSynthesizer(worker), worker.pid
    with pytest.raises(AudioError) as caught:
        list(engine.synthesize(said("refuse")))
    assert (caught.value.key, caught.value.values) == ("clip_too_long", {"limit": 30})
    with pytest.raises(EngineError) as bug:
        list(engine.synthesize(said("bug")))
    assert bug.value.key == "engine_failed"
    assert worker.pid == pid


def test_closing_stops_the_work_in_the_middle_of_a_piece(worker: WorkerProcess, note: Path) -> None:
    chunks = WorkerSynthesizer(worker).synthesize(said("endless"))
    assert next(chunks).text == "begun"
    chunks.close()  # type: ignore[attr-defined]
    wait_until(note.exists)
    assert note.read_text() == "stopped"


def test_our_own_keys_stay_with_us(worker: WorkerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNAUDIO_CHAT_KEY", "secret")
    own = process()
    try:
        chunks = WorkerSynthesizer(own).synthesize(said("secrets"))
        assert TOKEN in " ".join(chunk.text for chunk in chunks).split()[1].split(",")
        chunks = WorkerSynthesizer(own).synthesize(said("secrets"))
        assert "CHAT_KEY" not in " ".join(chunk.text for chunk in chunks)
    finally:
        own.close()


def test_a_slow_worker_that_beats_is_waited_for() -> None:
    worker = process(patience_s=1.8)
    try:
        assert len(list(WorkerSynthesizer(worker).synthesize(said("slow")))) >= 3
    finally:
        worker.close()


@pytest.mark.parametrize(("fate", "key"), [("die", "worker_died"), ("hang", "worker_died"), ("stuck", "engine_stuck")])
def test_one_that_is_lost_takes_only_its_request(fate: str, key: str) -> None:
    worker = process(patience_s=6.0 if fate == "hang" else 20.0)
    try:
        engine = WorkerSynthesizer(worker)
        chunks = engine.synthesize(said(fate))
        assert next(chunks).text == fate
        before = worker.pid
        with pytest.raises(EngineError) as caught:
            list(chunks)
        assert caught.value.key == key
        assert len(list(engine.synthesize(said("again")))) >= 3
        assert worker.pid not in (None, before)
    finally:
        worker.close()


def test_one_that_dies_again_and_again_rests() -> None:
    worker = process()
    try:
        for _ in range(3):
            with pytest.raises(EngineError):
                list(WorkerSynthesizer(worker).synthesize(said("die")))
            if worker._rest_until > time.monotonic():
                break
        with pytest.raises(EngineError) as caught:
            list(WorkerSynthesizer(worker).synthesize(said("first")))
        assert caught.value.key == "worker_resting"
        wait_until(lambda: worker._rest_until < time.monotonic())
        assert len(list(WorkerSynthesizer(worker).synthesize(said("first")))) >= 3
        assert worker._deaths == 0
    finally:
        worker.close()


def test_one_that_cannot_start_says_so() -> None:
    worker = process(broken=True)
    with pytest.raises(ModelError) as caught:
        WorkerSynthesizer(worker).load()
    assert caught.value.key == "worker_not_started"


def test_it_ends_when_we_are_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib; from webui.engines.worker.process import WorkerProcess\n"
        "from webui.engines.worker.synthesizer import WorkerSynthesizer\n"
        "w = WorkerProcess(pathlib.Path(sys.executable), 'tests.toy_worker:Toy', {}, {})\n"
        "WorkerSynthesizer(w).load(); print(w.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.kill()
    wait_until(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text())


@pytest.fixture(scope="module")
def remote() -> Iterator[str]:
    """A worker as another machine would serve it: its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"tcp://127.0.0.1:{port}"
    command = [sys.executable, "-m", "webui.engines.worker", "--engine", "tests.toy_worker:Toy", "--listen", url]
    server = subprocess.Popen(command, env={**os.environ, TOKEN: KEY}, cwd=ROOT)
    wait_until(lambda: reachable(port))
    yield url
    server.kill()
    server.wait()


def reachable(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_another_machine_speaks(remote: str) -> None:
    engine = WorkerSynthesizer(RemoteWorker(remote, KEY))
    assert [chunk.text for chunk in engine.synthesize(said("first")) if chunk.text] == ["first", "second piece"]


def test_another_machine_changes_voices(remote: str, tmp_path: Path) -> None:
    settings = Settings(synthesizer_url=remote, synthesizer_key=SecretStr(KEY))
    voice = Voice("mine", "Mine", ("en",), kind="cloned", sample=tone(1.0), sample_text="Words")
    source = tone(1.0, 0.3)
    chunks = list(RemoteSynthesizer(ModelStore(tmp_path), settings).convert(source, voice))
    assert chunks[0].text == "Words"
    assert sum(chunk.audio.duration for chunk in chunks) == pytest.approx(source.duration, abs=0.05)


def test_one_that_got_stuck_there_starts_anew(remote: str) -> None:
    engine = WorkerSynthesizer(RemoteWorker(remote, KEY))
    with pytest.raises(EngineError) as caught:
        list(engine.synthesize(said("stuck")))
    assert caught.value.key == "engine_stuck"
    port = int(remote.rpartition(":")[2])
    wait_until(lambda: reachable(port))
    assert len(list(engine.synthesize(said("first")))) >= 3


def test_one_that_ended_while_it_was_being_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    work = process()
    list(work.ask(Frame({"do": "load"})))
    assert work.pid
    os.kill(work.pid, 9)

    def late(popen: subprocess.Popen[bytes]) -> None:  # it ran when we looked, and another thread has reaped it since
        popen.wait()

    with monkeypatch.context() as patch:
        patch.setattr(subprocess.Popen, "poll", late)
        work.close()
    assert work.pid is None


def test_a_wrong_key_is_refused(remote: str) -> None:
    with pytest.raises(EngineError) as caught:
        WorkerSynthesizer(RemoteWorker(remote, KEY + "?")).load()
    assert caught.value.key == "worker_refused"


@pytest.mark.parametrize("hello", [Frame({"do": "load"}), Frame({"proof": None}), Frame({"proof": KEY})])
def test_without_the_proof_nothing_is_answered(remote: str, hello: Frame) -> None:
    with socket.create_connection(("127.0.0.1", int(remote.rpartition(":")[2])), 10) as stranger:
        first = receive(stranger)
        assert first is not None
        assert first.header["nonce"]
        send(stranger, hello)
        answer = receive(stranger)
        assert answer is not None
        assert answer.header["key"] == "worker_refused"
        assert receive(stranger) is None


def test_a_stranger_cannot_send_much(remote: str) -> None:
    with socket.create_connection(("127.0.0.1", int(remote.rpartition(":")[2])), 10) as stranger:
        receive(stranger)
        stranger.sendall(struct.pack(">II", 64, 1 << 20))
        assert receive(stranger) is None


@pytest.mark.parametrize("url", ["tcp://", "tcp://host", "tcp://host:notaport", "tcp://:7861"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(EngineError) as caught:
        RemoteWorker(url, KEY)
    assert caught.value.key == "worker_address"


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(EngineError) as caught:
        WorkerSynthesizer(RemoteWorker(f"tcp://127.0.0.1:{port}", KEY)).load()
    assert caught.value.key == "worker_unreachable"
