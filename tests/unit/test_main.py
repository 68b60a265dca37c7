import socket
import subprocess
import sys

import pytest

from webui.config import ROOT
from webui.main import main


def test_a_port_in_use_is_said_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SystemExit, match="is in use"):
            main(["--port", str(taken.getsockname()[1])])


def test_importing_the_program_brings_no_heavy_library() -> None:
    code = (
        "import sys, webui, webui.config, webui.features.chat, webui.features.understand, webui.engines.registry;"
        "import webui.engines.whisper, webui.engines.llama, webui.engines.kokoro, webui.api.routes;"
        "heavy = {'torch', 'onnxruntime', 'faster_whisper', 'ctranslate2', 'xllamacpp', 'av', 'gradio', 'onnx'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
