"""A language model in this process, through transformers: on the GPU, or on the CPU where there is none."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webui.engines.answers import AnswerStream, Pieces
from webui.engines.openai_wire import AnswerReader, message_json, tool_json
from webui.engines.presets import torch_for
from webui.engines.protocols import ChatRequest, EngineInfo, ToolCall
from webui.engines.structured import Malformed, checked, corrected, no_json, told
from webui.engines.thinking import OPEN
from webui.errors import EngineError, ModelError, UserError

if TYPE_CHECKING:
    from webui.config import Settings
    from webui.engines.store import ModelStore

log = logging.getLogger(__name__)

CONTEXT_TOKENS = 8192  # or the model's own limit; the presets reckon with the memory of so much
SMALLEST = "qwen3-1.7b"  # where no preset says which

Emit = Callable[[str | ToolCall], object]


class TransformersChat:
    """Implements ``ChatModel``. One answer is written at a time; others wait.

    ``settings.chat_model`` is a name of the catalogue, or of a folder under the models folder with safetensors in it;
    where it is empty, the preset for the GPU's free memory. What two prompts have in common at their beginning is read
    once.
    """

    def __init__(self, store: ModelStore, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._name = settings.chat_model
        self._loading = threading.Lock()
        self._writing = threading.Lock()
        self._model: _Model | None = None
        self._answers: set[threading.Event] = set()  # of those under way: set, they end

    @property
    def info(self) -> EngineInfo:
        """Which model was taken, and where it runs."""
        entry = self._store.catalog.get(self._name)
        return EngineInfo(
            name=entry.title if entry else self._name or "Qwen3",
            languages=("zh", "en"),
            capabilities={"stream": True, "schema": True, "tools": True},
            device="CPU" if self._settings.device == "cpu" or (self._model and self._model.device == "cpu") else "GPU",
            licence=entry.licence if entry else "",
            loaded=self._model is not None,
        )

    @property
    def context_tokens(self) -> int:
        """8,192, or what the model can do where that is less."""
        return self._ready().context_tokens

    def count_tokens(self, text: str) -> int:
        """How many tokens ``text`` takes in the model's vocabulary."""
        return len(self._ready().tokens(text))

    def load(self) -> None:
        """Bring the weights into memory. Raises ``ModelError``."""
        self._ready()

    def close(self) -> None:
        """End what is being written, and give the memory back."""
        for answer in tuple(self._answers):
            answer.set()
        with self._loading, self._writing:
            model, self._model = self._model, None
            if model is not None:
                model.free()

    def chat(self, request: ChatRequest) -> AnswerStream:
        """Start an answer. With a schema it comes whole, once it has been checked. Raises ``EngineError``."""
        model = self._ready()
        pieces: Pieces = queue.SimpleQueue()
        stopped = threading.Event()

        def write() -> None:
            self._answers.add(stopped)
            try:
                with self._writing:
                    self._answer(model, request, pieces.put, stopped)
                pieces.put(None)
            except Exception as error:  # noqa: BLE001  (carried to the reader, and raised there)
                pieces.put(error)
            finally:
                self._answers.discard(stopped)

        threading.Thread(target=write, name="chat", daemon=True).start()
        return AnswerStream(pieces, stopped.set)

    def _answer(self, model: _Model, request: ChatRequest, emit: Emit, stopped: threading.Event) -> None:
        if request.schema is None:
            model.write(request, emit, stopped)
            return
        asked = told(request)
        for _ in range(2):
            said: list[str | ToolCall] = []
            model.write(asked, said.append, stopped)
            if stopped.is_set():
                return
            if calls := [piece for piece in said if isinstance(piece, ToolCall)]:
                for call in calls:
                    emit(call)
                return
            answer = "".join(map(str, said))
            try:
                emit(checked(answer, request.schema))
                return
            except Malformed as problem:
                asked = corrected(asked, answer, problem)
        raise no_json()

    def _ready(self) -> _Model:
        with self._loading:
            if self._model is None:
                self._model = self._load()
            return self._model

    def _load(self) -> _Model:
        import torch

        on_gpu = self._settings.device != "cpu" and torch.cuda.is_available()
        if self._settings.device == "cuda" and not on_gpu:
            raise EngineError("no_cuda", "No NVIDIA GPU can be used here; set --device to auto or cpu.")
        if not self._name:
            self._name = (torch_for(torch.cuda.mem_get_info()[0]) if on_gpu else "") or SMALLEST
        folder = self._folder()
        try:
            return _Model(folder, "cuda" if on_gpu else "cpu")
        except UserError:
            raise
        except Exception as error:  # whatever the library raises of weights that are broken or not its own
            log.exception("loading %s failed", self._name)
            raise ModelError(
                "torch_chat_not_loaded",
                f"The language model {self._name} could not be loaded. Choose a smaller one, or another engine.",
                name=self._name,
            ) from error

    def _folder(self) -> Path:
        """Where the weights are: fetched if the catalogue knows them, else a folder that somebody put there."""
        own = self._store.root / self._name
        if self._name not in self._store.catalog and own.parent == self._store.root and (own / "config.json").is_file():
            return own
        return self._store.ensure(self._name)


class _Model:
    """The weights, their vocabulary, and what has been read last. Used by one thread at a time."""

    def __init__(self, folder: Path, device: str) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        self.device = device
        self._tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
        dtype = torch.bfloat16 if device == "cuda" else torch.float32
        self._model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, use_safetensors=True, **safe)
        self._model.to(device).eval()
        self.context_tokens = min(CONTEXT_TOKENS, int(self._model.config.max_position_embeddings))
        self._read: list[int] = []  # the tokens that the cache holds
        self._cache: Any = None

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text, with nothing added."""
        return list(self._tokenizer(text, add_special_tokens=False).input_ids)

    def write(self, request: ChatRequest, emit: Emit, stopped: threading.Event) -> None:
        """One answer, given to ``emit`` piece by piece, until it is done or ``stopped``. Raises ``EngineError``."""
        import torch

        text = self._prompt(request)
        prompt = self.tokens(text)
        if len(prompt) + request.max_tokens > self.context_tokens:
            raise EngineError("chat_too_long", "That is too long for the language model. Say it in fewer words.")
        if stopped.is_set():
            return
        # Templates of models that always think end in an open thought.
        reader = AnswerReader(request.tools, inside=text.rstrip().endswith(OPEN))

        def give(text: str) -> None:
            for piece in reader.add(text):
                emit(piece)

        cache = self._cache_for(prompt)
        ids = torch.tensor([prompt], device=self.device)
        try:
            with torch.inference_mode():
                written = self._model.generate(
                    ids,
                    attention_mask=torch.ones_like(ids),
                    past_key_values=cache,
                    max_new_tokens=request.max_tokens,
                    streamer=_streamer(self._tokenizer, give),
                    stopping_criteria=_stopping(stopped),
                    **_sampling(request.temperature),
                )
        except torch.cuda.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise EngineError(
                "gpu_full", "The graphics card has no memory left. Close what else uses it, or choose a smaller model."
            ) from error
        # The last token was chosen but not read.
        self._read, self._cache = written[0].tolist()[: cache.get_seq_length()], cache
        if not stopped.is_set():
            for piece in reader.finish():
                emit(piece)

    def free(self) -> None:
        """Drop the weights and everything that was read."""
        import torch

        self._model = self._cache = None
        self._read = []
        if self.device == "cuda":
            torch.cuda.empty_cache()

    def _prompt(self, request: ChatRequest) -> str:
        """The chat in the model's own template, without thinking where the template knows of it."""
        return str(
            self._tokenizer.apply_chat_template(
                [_templated(message_json(m)) for m in request.messages],
                tools=[tool_json(tool) for tool in request.tools] or None,
                add_generation_prompt=True,
                tokenize=False,
                enable_thinking=False,
            )
        )

    def _cache_for(self, prompt: list[int]) -> Any:
        """What has been read already of ``prompt``, as a cache cut to that; a fresh one where it is nothing."""
        from transformers import DynamicCache

        # Taken out while it is written to, so that a failure leaves no half of it behind.
        cache, self._cache = self._cache, None
        same = 0
        while same < min(len(prompt) - 1, len(self._read)) and prompt[same] == self._read[same]:
            same += 1
        if cache is None or not same:
            return DynamicCache(config=self._model.config)
        if same < len(self._read):
            cache.crop(same - len(self._read))
        return cache


def _templated(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as chat templates take it: the arguments of calls as values, not as JSON text."""
    out = dict(message)
    for call in out.get("tool_calls", ()):
        with suppress(ValueError):  # what is not JSON is shown to the model as it wrote it
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return out


def _sampling(temperature: float) -> dict[str, Any]:
    if temperature <= 0:
        return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    return {"do_sample": True, "temperature": temperature}


def _streamer(tokenizer: Any, give: Callable[[str], None]) -> Any:
    """Has ``give`` called with each piece of text as soon as its words are certain."""
    from transformers import TextStreamer

    class Streamer(TextStreamer):  # type: ignore[misc]
        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            give(text)

    return Streamer(tokenizer, skip_prompt=True, skip_special_tokens=True)


def _stopping(stopped: threading.Event) -> Any:
    """Ends the writing after the token at which ``stopped`` is found to be set."""
    import torch
    from transformers import StoppingCriteria, StoppingCriteriaList

    class Stop(StoppingCriteria):  # type: ignore[misc]
        def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((input_ids.shape[0],), stopped.is_set(), dtype=torch.bool, device=input_ids.device)

    return StoppingCriteriaList([Stop()])
