"""Qwen (GGUF) on llama.cpp, through xllamacpp's server on loopback: the embedded model, or a larger one."""

from __future__ import annotations

import os
import secrets
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil
from pydantic import SecretStr

from webui.engines.answers import AnswerStream
from webui.engines.openai_chat import OpenAIChat
from webui.engines.protocols import ChatRequest, EngineInfo
from webui.errors import ModelError

if TYPE_CHECKING:
    from webui.config import Settings
    from webui.engines.store import Found, ModelStore

LARGE, SMALL = "qwen2.5-coder-1.5b", "qwen2.5-coder-0.5b"
EMBEDDED = (LARGE, SMALL)
# Below this much free memory the 1.5B (1.9 GB with its cache) would make the machine swap.
ROOM_FOR_LARGE_BYTES = 3 * 1024**3

SLOTS = 2  # two people may be answered at once; a third waits for a slot
CONTEXT_TOKENS = 4096  # for each slot
NICENESS = 10
PROMPT_CACHE_MIB = 256  # prompts of conversations that lost their slot, so that the next turn starts warm


class LlamaChat:
    """Implements ``ChatModel``. The context is 4,096 tokens for each conversation; two are answered at a time.

    ``settings.chat_model`` may name a GGUF of the catalogue; where that cannot be had, the embedded model stands in.
    """

    context_tokens = CONTEXT_TOKENS

    def __init__(self, store: ModelStore, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._lock = threading.Lock()
        self._server: Any = None
        self._client: OpenAIChat | None = None
        self._model, self._note = _wanted(store, settings)

    @property
    def info(self) -> EngineInfo:
        """Which size was taken, and what it can do."""
        return EngineInfo(
            name=self._store.entry(self._model).title,
            languages=("zh", "en"),
            capabilities={
                "stream": True,
                "schema": True,
                "tools": self._model not in EMBEDDED
                or "The embedded model often uses a tool where none is called for.",
                "large": self._note or True,
            },
            device="CPU",
            licence="Apache-2.0",
            loaded=self._client is not None,
        )

    def load(self) -> None:
        """Start llama.cpp's server in this process on a free loopback port, behind a key of its own."""
        self._ready()

    def close(self) -> None:
        """Stop the server and free the weights."""
        with self._lock:
            if self._client:
                self._client.close()
            self._client = self._server = None

    def count_tokens(self, text: str) -> int:
        """How many tokens ``text`` takes in this model's vocabulary."""
        return len(self._ready().ask("POST", "/tokenize", json={"content": text})["tokens"])

    def chat(self, request: ChatRequest) -> AnswerStream:
        """Stream an answer. A schema's white space is fixed, which spares a small model many tokens."""
        if request.schema is not None:
            compact: Mapping[str, Any] = {"x-guidance": {"whitespace_flexible": False}, **request.schema}
            request = replace(request, schema=compact)
        return self._ready().chat(request)

    def _ready(self) -> OpenAIChat:
        with self._lock:
            if self._client is None:
                self._server, self._client = self._start()
            return self._client

    def _start(self) -> tuple[Any, OpenAIChat]:
        found = self._find()
        self._model, self._note = found.model_id, found.note or self._note
        # Read once by OpenMP as it loads. Threads that spin while they wait for each other starve the recognizer and
        # the synthesizer; threads that sleep at once lose a third of their tokens a second. A few hundredths of a
        # millisecond of spinning have the best of both.
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
        try:
            import xllamacpp
        except ImportError as error:  # its wheel expects the system to have OpenMP
            raise ModelError(
                "openmp_missing",
                "The language model needs the library libgomp: start with run.sh, or install the package libgomp1.",
            ) from error

        params = xllamacpp.CommonParams()
        params.model.path = str(next(found.folder.glob("*.gguf")))
        params.n_ctx = CONTEXT_TOKENS * SLOTS
        params.n_parallel = SLOTS
        params.cache_ram_mib = PROMPT_CACHE_MIB
        params.cpuparams_batch.n_threads = params.cpuparams.n_threads = self._settings.threads
        # Qwen3's template: without this, those that can think do, and a person waits.
        params.default_template_kwargs = {"enable_thinking": "false"}
        params.verbosity = -1
        params.ui = params.endpoint_slots = False
        key = secrets.token_urlsafe(24)
        params.api_keys = [key]
        try:
            with ThreadPoolExecutor(1, initializer=_yield_to_speech) as starter:
                server = starter.submit(xllamacpp.Server, params).result()
        except Exception as error:  # xllamacpp raises bare exceptions
            raise ModelError(
                "chat_not_loaded",
                "The language model could not be loaded. Close other programs, or use --small.",
            ) from error
        return server, OpenAIChat(server.listening_address, SecretStr(key), self._model, keeps_schema=True)

    def _find(self) -> Found:
        """The weights, or those of the embedded model and why."""
        try:
            return self._store.ensure_or_fallback(self._model)
        except ModelError as error:
            if self._model in EMBEDDED:
                raise
            size, note = _size(self._settings)
            found = self._store.ensure_or_fallback(size)
            return replace(found, note=" ".join(filter(None, (error.message, note or found.note))))


def _wanted(store: ModelStore, settings: Settings) -> tuple[str, str]:
    """Which model to take, and why it is not the large one. Beside a server's address, the name may be one of its."""
    if settings.chat_model and (settings.chat_model in store.catalog or not settings.chat_url):
        return store.entry(settings.chat_model).id, ""
    return _size(settings)


def _size(settings: Settings) -> tuple[str, str]:
    """Which model to take, and why it is not the large one."""
    if settings.small:
        return SMALL, "The smaller model was asked for (--small)."
    if psutil.virtual_memory().available < ROOM_FOR_LARGE_BYTES:
        return (
            SMALL,
            "Less than 3 GB of memory is free, so the smaller model is used. Close other programs and restart.",
        )
    return LARGE, ""


def _yield_to_speech() -> None:
    """Have this thread, and so those that it starts, give way to whatever else wants the core.

    What is heard and spoken has somebody waiting for it; the words after the first sentence do not. Only a tenth of a
    core is left to it then, but never nothing: in Linux' idle class it would stand still where another program takes
    all cores. Only Linux has priorities of threads; elsewhere the two share the cores as they come.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
