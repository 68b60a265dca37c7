"""The Transcribe tab: the place that ``assets/js/transcribe.js`` fills, and the work behind its buttons.

The page uploads through Gradio, which also serves the recording back from its cache. What a session has heard lives
in that session's ``gr.State``; every update sends the whole view, of which Gradio passes on only what is new.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.utils import get_upload_folder

from webui.audio.decode import MAX_FILE_BYTES, MAX_FILE_SECONDS
from webui.audio.subtitles import to_json, to_srt, to_txt, to_vtt
from webui.errors import EngineError, UserError
from webui.features.render import tagged
from webui.features.understand import Done, Options, Problem, Progress, Update, Waveform, understand
from webui.types import Segment, Transcript

if TYPE_CHECKING:
    from webui.ui.context import PageContext

log = logging.getLogger(__name__)

AT_ONCE = 2  # recordings; the recognizer takes their stretches in turn
MAX_NAME = 120
# What every browser plays from the middle; of anything else it gets a copy as FLAC.
PLAYABLE = {".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a"}
# What can be taken home: format -> ending of the file's name, its type, and who writes it.
EXPORTS: dict[str, tuple[str, str, Callable[[Transcript, Options], str]]] = {
    "txt": (".txt", "text/plain", lambda heard, _: to_txt(heard)),
    "srt": (".srt", "application/x-subrip", lambda heard, _: to_srt(heard)),
    "vtt": (".vtt", "text/vtt", lambda heard, _: to_vtt(heard)),
    "json": (".json", "application/json", lambda heard, _: to_json(heard)),
    "tagged": (".sensevoice.txt", "text/plain", lambda heard, asked: tagged(heard, asked.itn)),
}
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]+')

# Between Gradio and our module: `send` raises an event of the component, "fa:view" tells of a new value.
_BRIDGE = """
const place = element.querySelector("[data-mount]");
place.send = (event, data) => trigger(event, data);
place.view = () => props.value;
watch("value", () => place.dispatchEvent(new Event("fa:view")));
place.dispatchEvent(new Event("fa:view"));
"""
_DELIVERY = """
watch("value", () => document.dispatchEvent(new CustomEvent("fa:file", { detail: props.value })));
"""


class Job:
    """One recording of one session: what was asked, how far it is, and what was heard until now."""

    def __init__(self, name: str, path: Path | None, options: Options) -> None:
        self.name = name[:MAX_NAME]
        self.path = path
        self.options = options
        self.stopped = threading.Event()
        self._changing = threading.Lock()
        self.segments: list[Segment] = []
        self._lines: list[str] = []
        self._copy: Path | None = None
        self._view: dict[str, Any] = {"id": f"{id(self):x}-{time.monotonic_ns():x}", "stage": "waiting"}
        self._view |= {"name": self.name, "segments": [], "wave": None, "source": None}

    @property
    def transcript(self) -> Transcript:
        """What was heard until now."""
        wave = self._view["wave"]
        return Transcript(tuple(self.segments), wave["duration"] if wave else 0.0)

    def view(self, **changes: Any) -> dict[str, Any]:
        """The page's picture of it, a new one each time: Gradio compares it with the one before."""
        with self._changing:  # its work and the person who stops it come from two threads
            if self.stopped.is_set():
                changes |= {"stage": "stopped", "left": None}
            self._view = {**self._view, "segments": list(self._lines), **changes}
            return self._view

    def hear(self, ctx: PageContext) -> Iterator[dict[str, Any]]:
        """Understand it, picture by picture."""
        if self.stopped.is_set():
            return
        yield self.view(stage="reading", done=0.0, left=None)
        updates = understand(ctx.engines.recognizer, self.path, self.options, self._listening_copy())
        shown = 0.0
        try:
            for update in updates:
                if self.stopped.is_set():
                    return
                self._take(update)
                # Pages full of text take longer to compare, on both sides: they are sent less often.
                if time.monotonic() - shown > 0.2 + len(self.segments) / 1000:
                    shown = time.monotonic()
                    yield self.view()
        finally:
            updates.close()
        yield self.view()

    def stop(self) -> dict[str, Any]:
        """End it; what was heard stays."""
        self.stopped.set()
        return self.view()

    def fail(self, error: UserError) -> dict[str, Any]:
        """End it with a sentence; what was heard stays."""
        return self.view(stage="failed", left=None, error=_sentence(error))

    def close(self) -> None:
        """Stop it and delete the copy that was made to listen to; the upload is Gradio's to delete."""
        self.stopped.set()
        if self._copy is not None:
            self._copy.unlink(missing_ok=True)

    def _listening_copy(self) -> Path | None:
        if self.path is None or self.path.suffix.lower() in PLAYABLE:
            return None
        folder = Path(get_upload_folder())  # from nowhere else does Gradio serve files
        with tempfile.NamedTemporaryFile(dir=folder, prefix="listen-", suffix=".flac", delete=False) as file:
            self._copy = Path(file.name)
        return self._copy

    def _take(self, update: Update) -> None:
        match update:
            case Progress(stage, done, _, left):
                self.view(stage=stage, done=round(done, 1), left=left if left is None else round(left))
            case Waveform(peaks, step, duration, complete):
                wave = {"peaks": base64.b64encode(peaks.tobytes()).decode(), "step": step, "duration": duration}
                source = str(self._copy or self.path) if complete else None
                self.view(wave={**wave, "complete": complete}, source=source)
            case Problem(error):
                self.view(problem=_sentence(error))
            case Done(_, speed):
                self.view(stage="done", left=None, speed=speed)
            case Segment():
                self.segments.append(update)
                self._lines.append(_line(update))


def build(ctx: PageContext) -> None:
    """Place the tab's one component and connect its events. Call inside the tab."""
    limits = {"bytes": MAX_FILE_BYTES, "seconds": MAX_FILE_SECONDS}
    job = gr.State(None, delete_callback=_forget)
    page = gr.HTML(
        {"stage": "empty", "limits": limits},
        html_template='<div class="fa" data-mount="transcribe"></div>',
        js_on_load=_BRIDGE,
        elem_classes="fa-bare",
        apply_default_css=False,
    )
    delivery = gr.HTML(None, html_template="", js_on_load=_DELIVERY, visible="hidden")

    def begin(old: Job | None, event: gr.EventData) -> tuple[Job, dict[str, Any]]:
        _forget(old)
        asked = event._data
        options = Options(str(asked.get("language", "auto")), bool(asked.get("itn", True)))
        if options.language not in ("auto", *ctx.engines.get("recognizer").info.languages):
            options = Options("auto", options.itn)
        new = Job(str(asked.get("name", "")), _uploaded(asked.get("path")), options)
        return new, new.view()

    def run(current: Job) -> Iterator[dict[str, Any]]:
        try:
            yield from current.hear(ctx)
        except UserError as error:
            yield current.fail(error)
        except Exception:
            log.exception("a recording could not be understood")
            yield current.fail(EngineError("error_unknown", "Something went wrong: try again."))

    def stop(current: Job | None) -> Any:
        return current.stop() if current else gr.skip()

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    begun = page.submit(begin, job, [job, page], queue=False, **quiet)
    quiet |= {"trigger_mode": "multiple"}
    begun.then(run, job, page, concurrency_id="recognizer", concurrency_limit=AT_ONCE, **quiet)
    # Not by ``cancels``: it fails on a run that has no id yet. A stopped job ends by itself, in line or at work.
    page.stop(stop, job, page, queue=False, **quiet)
    page.download(_deliver, job, delivery, queue=False, **quiet)


def _deliver(job: Job | None, event: gr.EventData) -> Any:
    """The file that was asked for, written from what was heard until now."""
    chosen = EXPORTS.get(str(event._data.get("format")))
    if job is None or chosen is None:
        return gr.skip()
    ending, kind, write = chosen
    text = write(job.transcript, job.options)
    # Asked for twice, it comes twice: the page acts on a value only where it differs from the last.
    return {"name": file_stem(job.name) + ending, "type": kind, "text": text, "at": time.monotonic_ns()}


def file_stem(name: str) -> str:
    """A recording's name without its ending, fit for any file system."""
    stem = _NOT_IN_NAMES.sub(" ", Path(name.replace("\\", "/")).stem).strip(" .")
    return stem or "transcript"


def _forget(job: Job | None) -> None:
    if job is not None:
        job.close()


def _uploaded(path: object) -> Path | None:
    """The uploaded file the page names. What lies outside Gradio's upload folder is not its to name."""
    if not isinstance(path, str) or not path or "\0" in path:
        return None
    file = Path(path).resolve()
    return file if file.is_relative_to(Path(get_upload_folder()).resolve()) else None


def _line(segment: Segment) -> str:
    """A segment as JSON text: to Gradio one string, however many words."""
    data = asdict(segment)
    del data["voice"]
    data["words"] = [
        [word.text, round(word.start, 3), round(word.end, 3), round(word.confidence, 2)] for word in segment.words
    ]
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _sentence(error: UserError) -> dict[str, Any]:
    values = {name: value if isinstance(value, int | float) else str(value) for name, value in error.values.items()}
    return {"key": error.key, "message": error.message, "values": values}
