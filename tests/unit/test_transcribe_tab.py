"""What the Transcribe tab does between the page and the feature, without a browser."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.paced import spoken
from webui.features.understand import Done, Options, Progress, Waveform
from webui.types import Transcript
from webui.ui.transcribe import EXPORTS, Job, _uploaded, file_stem


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("talk.wav", "talk"),
        ("../../etc/passwd", "passwd"),
        ("C:\\music\\a.b.mp3", "a.b"),
        ("a\u202egpj.wav", "a gpj"),
        ('a<b>:"c|?*\r\n.wav', "a b c"),
        ("", "transcript"),
        (".", "transcript"),
        ("会议 1.m4a", "会议 1"),
    ],
)
def test_files_are_named_after_the_recording(name: str, stem: str) -> None:
    assert file_stem(name) == stem


def test_only_uploads_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(uploads))
    mine, other = uploads / "a.wav", tmp_path / "secret.wav"
    link = uploads / "link.wav"
    for file in (mine, other):
        file.write_bytes(b"x")
    link.symlink_to(other)
    assert _uploaded(str(mine)) == mine.resolve()
    for path in (str(other), f"{uploads}/../secret.wav", str(link), "/etc/passwd", "a\0.wav", "", None, 7, ["x"]):
        assert _uploaded(path) is None


def test_each_view_is_new_and_holds_all_that_was_heard() -> None:
    job = Job("talk.wav", Path("talk.wav"), Options())
    job._take(Waveform(np.array([0, 128, 255], np.uint8), 1.0, 3.0, complete=True))
    first = job.view()
    job._take(spoken(0, 0.0, 3.0))
    second = job.view()
    assert (len(first["segments"]), len(second["segments"])) == (0, 1)
    line = json.loads(second["segments"][0])
    assert line["emotion"] == "SAD" and line["words"][0][:2] == ["I", 0.0] and "voice" not in line
    job._take(Done(Transcript(tuple(job.segments), 3.0), 0.5))
    assert (job.view()["stage"], job.view()["speed"]) == ("done", 0.5)


def test_what_comes_after_a_stop_does_not_start_it_again() -> None:
    job = Job("talk.wav", None, Options())
    job._take(Progress("listening", 3.0, 9.0, 2.0))
    assert job.stop()["stage"] == "stopped"
    job._take(Progress("listening", 4.0, 9.0, 1.0))
    assert (job.view()["stage"], job.view()["left"]) == ("stopped", None)


@pytest.mark.parametrize("form", EXPORTS)
def test_every_form_can_be_written_from_what_was_heard(form: str) -> None:
    job = Job("talk.wav", None, Options())
    job._take(Waveform(np.zeros(1, np.uint8), 1.0, 9.0, complete=True))
    job._take(spoken(1, 0.0, 9.0))
    ending, kind, write = EXPORTS[form]
    text = write(job.transcript, job.options)
    assert ending.startswith(".") and "/" in kind
    assert "sister" in text


def test_closing_deletes_the_copy_that_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    job = Job("talk.amr", tmp_path / "talk.amr", Options())
    copy = job._listening_copy()
    assert copy is not None and copy.exists() and copy.parent == tmp_path
    job.close()
    assert not copy.exists() and job.stopped.is_set()
    assert Job("talk.mp3", tmp_path / "talk.mp3", Options())._listening_copy() is None
