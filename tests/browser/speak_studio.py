"""The Speak tab over engines that play a script, with a library of voices of its own."""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from playwright.sync_api import Page

from tests.browser.tabs import open_tab
from tests.scripted import RATE, ScriptedEngines, ScriptedRecognizer, ScriptedSynthesizer
from webui.config import Settings
from webui.engines.protocols import EngineInfo, SpeechRequest
from webui.engines.speaker_encoder import SpeakerEncoder
from webui.engines.store import ModelStore
from webui.errors import EngineError
from webui.types import Audio, SpeechChunk, Voice, Word

ABLE = ("styles", "words", "prosody", "blend", "instruction", "tokens", "readings", "pitch", "energy", "seed")
NO_COUGH, NO_CLONE, NO_CONVERT = "This engine does not cough.", "It cannot clone.", "It cannot convert."
HERTZ = {"anna": 220, "ben": 140, "li": 300}
WORD_S = 0.25


@dataclass
class StudioSynthesizer(ScriptedSynthesizer):
    """A quarter of a second for every word, at a pitch of its own for each voice; at ``hold`` it waits for ``go_on``."""

    capabilities: dict[str, bool | str] = field(default_factory=dict)
    hold: str = "\0"
    go_on: threading.Event = field(default_factory=threading.Event)
    closed: list[str] = field(default_factory=list)

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("Studio", ("en", "zh"), self.capabilities, "CPU", "Apache-2.0", True)

    def voices(self) -> list[Voice]:
        return [
            Voice("anna", "Anna", ("en", "zh"), "female"),
            Voice("ben", "Ben", ("en", "zh"), "male"),
            Voice("li", "Li", ("zh", "en"), "female"),
        ]

    def synthesize(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        self.requests.append(request)
        try:
            while self.hold in request.text and not self.go_on.wait(0.01):
                yield from ()
                if self.hold in self.closed:
                    return
            if self.fail:
                raise EngineError("server_broke_off", "The connection broke.", server="voice.example")
            words = request.text.split()
            time = np.arange(round(WORD_S * len(words) * RATE)) / RATE
            hertz = HERTZ.get(request.voice.id, 180)
            sound = 0.2 * np.sin(2 * np.pi * hertz * time) * np.abs(np.sin(np.pi * time / WORD_S))
            spoken = tuple(Word(word, i * WORD_S, (i + 1) * WORD_S) for i, word in enumerate(words))
            yield SpeechChunk(Audio(sound.astype(np.float32), RATE), request.text, spoken)
        finally:
            self.closed.append(request.text)

    def convert(self, source: Audio, voice: Voice) -> Iterator[SpeechChunk]:
        yield SpeechChunk(Audio(-source.samples, source.rate), "")


class Studio:
    """What a test sees of the server: its address and its engines."""

    def __init__(self, url: str, engines: ScriptedEngines, synthesizer: StudioSynthesizer) -> None:
        self.url = url
        self.engines = engines
        self.synthesizer = synthesizer

    def fresh(self) -> None:
        """As at the beginning of a test."""
        it = self.synthesizer
        it.capabilities = {
            **dict.fromkeys(ABLE, True),
            "token_cough": NO_COUGH,
            "clone": NO_CLONE,
            "convert": NO_CONVERT,
        }
        it.fail, it.hold, it.go_on = False, "\0", threading.Event()
        it.requests.clear()
        it.closed.clear()


@contextmanager
def studio_on(folder: Path) -> Iterator[Studio]:
    """The page on a free port, its voices in ``folder``."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from webui.api.routes import Api
    from webui.ui.context import PageContext
    from webui.ui.page import build_page, launch_options

    settings = Settings(_env_file=None, voices_dir=folder)  # type: ignore[call-arg]
    synthesizer = StudioSynthesizer()
    engines = ScriptedEngines(recognizer=ScriptedRecognizer(), synthesizer=synthesizer, settings=settings)
    engines.speaker = SpeakerEncoder(ModelStore(settings.models_dir))  # type: ignore[attr-defined]
    context = PageContext(settings, engines)  # type: ignore[arg-type]
    options = launch_options(context)
    options["app_kwargs"]["routes"] = Api(engines).routes()  # type: ignore[arg-type]
    page = build_page(context)
    _, url, _ = page.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False, **options)
    yield Studio(url, engines, synthesizer)
    page.close(verbose=False)


def drop(page: Page, selector: str, file: Path) -> None:
    """Drops the file on an element, as a person does with the mouse."""
    data = base64.b64encode(file.read_bytes()).decode()
    page.evaluate(
        """([selector, name, data]) => {
          const bytes = Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([bytes], name));
          const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
          document.querySelector(selector).dispatchEvent(event);
        }""",
        [selector, file.name, data],
    )


def enter(page: Page) -> Page:
    """Goes to the Speak tab."""
    open_tab(page, "speak").locator(".sp-page").wait_for()
    return page
