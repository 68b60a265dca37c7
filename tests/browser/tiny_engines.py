"""``python -m tests.browser.tiny_engines MODELS COSYVOICE PORT``: the program on funasr and CosyVoice, with tiny weights.

Run in the environment of ``scripts/engine_envs.sh funasr``. All of it is the program's own, but for the sha256 of the
catalogue: the tiny weights have their own.
"""

import sys
from pathlib import Path

import webui.engines.store
from tests.engines.tiny_sensevoice import placed
from webui.config import Settings
from webui.main import serve

if __name__ == "__main__":
    models, cosyvoice, port = sys.argv[1:]
    webui.engines.store.ModelStore = placed  # type: ignore[assignment, misc]
    serve(
        Settings(
            _env_file=None,  # type: ignore[call-arg]
            port=int(port),
            profile="embedded",
            recognizer="funasr",
            synthesizer="cosyvoice",
            cosyvoice_model=cosyvoice,
            models_dir=Path(models),
            device="cpu",
            small=True,
        )
    )
