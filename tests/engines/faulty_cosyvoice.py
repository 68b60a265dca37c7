"""CosyVoice whose language model fails or hangs in the library's own thread, once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from webui.engines.cosyvoice_model import CosyVoiceModel


class FaultyCosyVoice(CosyVoiceModel):
    def __init__(self, folder: str, fault: str, done: str) -> None:
        super().__init__(folder, threads=1, device="cpu", stall_s=8.0)
        self._fault, self._done = fault, Path(done)

    def load(self) -> None:
        super().load()
        guard = self._ready().guard
        inference = guard._inference

        def faulty(*args: Any, **kwargs: Any) -> Iterator[Any]:
            if not self._done.exists():
                self._done.write_text(self._fault)
                if self._fault == "hang":
                    threading.Event().wait()
                raise RuntimeError("sampling reaches max_trials")
            return inference(*args, **kwargs)

        guard._inference = faulty
