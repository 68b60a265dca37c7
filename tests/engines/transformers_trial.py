"""Runs ``TransformersChat`` where torch is, without a network, and prints what it saw as JSON.

``python -m tests.engines.transformers_trial FOLDER``
"""

from __future__ import annotations

import json
import shutil
import socket
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from tests.engines.tiny_qwen import MOOD, TEMPLATE, TIME, ask, build
from webui.config import Settings
from webui.engines.protocols import ChatRequest, Message, ToolCall
from webui.engines.store import ModelStore
from webui.engines.transformers_chat import TransformersChat
from webui.errors import UserError


def refuse(*_: object) -> NoReturn:
    raise AssertionError("the network was asked for")


def failure(engine: TransformersChat, request: ChatRequest) -> str:
    try:
        return repr(list(engine.chat(request)))
    except UserError as error:
        return error.key


def trial(root: Path) -> dict[str, Any]:
    build(root / "tiny")
    socket.socket.connect = refuse  # type: ignore[method-assign]
    socket.getaddrinfo = refuse
    settings = Settings(_env_file=None, chat_model="tiny", device="cpu", models_dir=root)  # type: ignore[call-arg]
    engine = TransformersChat(ModelStore(root), settings)
    seen: dict[str, Any] = {"loaded before": engine.info.loaded}

    seen["hello"] = list(engine.chat(ask("Say hello.")))
    model = engine._model
    assert model is not None
    read: list[int] = []
    hook = model._model.register_forward_pre_hook(
        lambda _, args, kwargs: read.append(kwargs["input_ids"].shape[1]), with_kwargs=True
    )
    seen["hello again"] = list(engine.chat(ask("Say hello.")))
    seen["read again"] = read[0]
    read.clear()
    seen["call"] = [vars(c) if isinstance(c, ToolCall) else c for c in engine.chat(ask("What time is it in Paris?", tools=(TIME,)))]  # fmt: skip
    seen["read anew"] = read[0]
    asked = ask("I lost my dog.", schema=MOOD)
    seen["json"] = list(engine.chat(asked))
    other = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
    seen["no json"] = failure(engine, ask("I lost my dog.", schema=other, max_tokens=20))
    history = (
        Message("assistant", "", (ToolCall("1", "get_time", '{"city": "Paris"}'),)),
        Message("tool", "noon", (), "1"),
    )
    seen["after a tool"] = failure(engine, ChatRequest((*asked.messages, *history), max_tokens=2))
    seen["too long"] = failure(engine, ask("word " * 5000))
    seen["tokens"] = [engine.count_tokens(""), engine.count_tokens("Hello there, how are you today?"), len(model.tokens("é" * 50))]  # fmt: skip
    seen["context"] = engine.context_tokens

    read.clear()
    stream = engine.chat(ask("Count.", max_tokens=3500))
    seen["counted"] = [next(stream) for _ in range(3)]
    stream.close()
    while engine._answers:
        time.sleep(0.01)
    seen["steps before it stopped"] = len(read)
    seen["nothing more"] = next(stream, "end")
    seen["hello after that"] = list(engine.chat(ask("Say hello.")))
    hook.remove()

    waiting = engine.chat(ask("Count.", max_tokens=3500))
    next(waiting)
    engine.close()
    seen["closed"] = [engine.info.loaded, model._model is None]
    seen["hello once more"] = list(engine.chat(ask("Say hello.")))

    shutil.copytree(root / "tiny", root / "thinking")
    (root / "thinking" / "chat_template.jinja").write_text(TEMPLATE + "<think>\n")
    thinker = TransformersChat(ModelStore(root), settings.model_copy(update={"chat_model": "thinking"}))
    seen["thoughts"] = list(thinker.chat(ask("Say hello.", max_tokens=20)))

    shutil.copytree(root / "tiny", root / "pickled")
    (root / "pickled" / "model.safetensors").rename(root / "pickled" / "pytorch_model.bin")
    for name, device in (("pickled", "cpu"), ("../tiny", "cpu"), ("tiny", "cuda")):
        changed = settings.model_copy(update={"chat_model": name, "device": device})
        seen[f"{name} on {device}"] = failure(TransformersChat(ModelStore(root), changed), ask("Say hello."))
    return seen


if __name__ == "__main__":
    print(json.dumps(trial(Path(sys.argv[1]))))
