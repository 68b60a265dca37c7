"""Chat over HTTP with any server that speaks OpenAI's chat-completions protocol, streamed."""

from __future__ import annotations

import json
import queue
import re
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import SecretStr

from webui.engines import http
from webui.engines.answers import AnswerStream, Pieces
from webui.engines.background import Background
from webui.engines.openai_dialect import TOO_LONG, Dialect, sentence
from webui.engines.openai_wire import DONE, AnswerReader, BrokenAnswerError, context_tokens, event_data, models_listed
from webui.engines.protocols import ChatRequest, EngineInfo, Message, ToolCall
from webui.engines.structured import Malformed, checked, corrected, no_json
from webui.errors import EngineError

if TYPE_CHECKING:
    import httpx

    from webui.config import Settings
    from webui.engines.store import ModelStore

T = TypeVar("T")
Emit = Callable[[str | ToolCall], object]

UNSTATED_CONTEXT_TOKENS = 4096  # what Ollama takes where nobody says more; nothing that is used today takes less
LONG_WORD = 13  # letters; what is longer is taken apart into many pieces
# One word is enough to see whether a model thinks before it speaks. Those that answer stop long before the limit.
PROBE = ChatRequest((Message("user", "Answer with the one word: yes"),), max_tokens=512, temperature=0.0)


class OpenAIChat:
    """One server and one model of it.

    ``url`` is the server's address, with or without a path (``/v1`` where there is none). ``keeps_schema``: it is
    known to keep to a JSON Schema, so that such an answer can be streamed; otherwise it is given out whole, once it
    has been checked. ``settled``: it is known not to think aloud; ``find_manner`` finds that out.

    Requests run on an event loop of their own thread, because only an awaited read can be cancelled while the
    server is still silent, and a voice turn must stop at once.
    """

    def __init__(
        self,
        url: str,
        key: SecretStr = SecretStr(""),  # noqa: B008  (immutable)
        model: str = "",
        *,
        keeps_schema: bool = False,
        settled: bool = True,
    ) -> None:
        self.model = model
        self.dialect = Dialect(settled=settled)
        self._keeps_schema = keeps_schema
        self._client = http.connect_async(_api(url), key)
        # A kept connection may be closed by the server in the moment that it is used again, between two turns most of
        # all, and the wait before another attempt takes longer than a new connection does.
        self._client.headers["Connection"] = "close"
        self._background = Background("chat")

    def chat(self, request: ChatRequest) -> AnswerStream:
        """Start an answer. Raises ``EngineError`` from the stream where the server refuses or goes away."""
        pieces: Pieces = queue.SimpleQueue()
        return AnswerStream(pieces, self._background.begin(self._run(request, pieces)).cancel)

    def ask(self, method: str, path: str, **content: Any) -> Any:
        """One question, one JSON answer, for what a server offers beside chat.

        ``path`` starts at the API's root (``models``), or with a slash at the server's (``/tokenize``). Raises
        ``EngineError``.
        """
        base = self._client.base_url
        where = str(base.copy_with(path=path)) if path.startswith("/") else path

        async def ask() -> Any:
            response = await http.send_async(self._client, method, where, **content)
            try:
                return response.json()
            except ValueError as error:
                raise _no_api(base) from error

        return self._background.begin(ask()).result()

    def find_manner(self) -> None:
        """Find out by a short question what the server takes, and how its model is kept from thinking aloud.

        Raises ``EngineError`` where it does not answer at all.
        """
        self._background.begin(self._find_manner()).result()

    def close(self) -> None:
        """End the answers under way and drop the connections."""
        self._background.close(self._client.aclose())

    async def _find_manner(self) -> None:
        while True:
            reader = await self._answer(PROBE, lambda _: None, until_thought=True)
            if not reader.thought or not self.dialect.quieten():
                break
        self.dialect.inside = reader.unopened
        self.dialect.settled = True

    async def _run(self, request: ChatRequest, pieces: Pieces) -> None:
        try:
            if request.schema is None or self._keeps_schema:
                await self._answer(request, pieces.put)
            else:
                await self._json(request, request.schema, pieces.put)
        except Exception as error:  # noqa: BLE001  (carried to the reader, and raised there)
            pieces.put(error)
        finally:
            pieces.put(None)  # also where it is cancelled: nobody may wait for ever

    async def _json(self, request: ChatRequest, schema: Mapping[str, Any], emit: Emit) -> None:
        """An answer that is valid against ``schema``, asked for once more where the first is not; or tool calls."""
        for _ in range(2):
            asked, said = self.dialect.form, list[str | ToolCall]()
            reader = await self._answer(request, said.append)
            if calls := [piece for piece in said if isinstance(piece, ToolCall)]:
                for call in calls:
                    emit(call)
                return
            answer = "".join(map(str, said))
            try:
                emit(checked(answer, schema))
                return
            except Malformed as problem:
                if asked == self.dialect.form == "json_schema" and not reader.cut_short:
                    self.dialect.loosen()  # it takes the schema and does not keep to it
                request = corrected(request, answer, problem)
        raise no_json()

    async def _answer(self, request: ChatRequest, emit: Emit, until_thought: bool = False) -> AnswerReader:
        """One answer, asked for as simply as the server wants it. Nothing is asked again once a word has come."""
        while True:
            reader = AnswerReader(request.tools, self.dialect.inside)
            body = self.dialect.body(request, self.model)
            try:
                await self._post(body, reader, emit, until_thought)
            except (EngineError, BrokenAnswerError) as error:
                complaint = _complaint(error)
                # Another answer may have learnt it in the meantime.
                known = body != self.dialect.body(request, self.model)
                if complaint and not reader.begun and (known or self.dialect.learn(complaint, body)):
                    continue
                failure = sentence(complaint, request, self.model) if complaint else None
                if failure is not None and failure.key == "chat_no_tools":
                    self.dialect.tools = False
                if failure is None and isinstance(error, BrokenAnswerError):
                    failure = _broke_off(self._client.base_url)
                if failure is None:
                    raise
                raise failure from error
            self.dialect.thinks |= reader.thought and self.dialect.settled
            return reader

    async def _post(self, body: dict[str, Any], reader: AnswerReader, emit: Emit, until_thought: bool) -> None:
        response = await http.send_async(self._client, "POST", "chat/completions", stream=True, json=body)
        try:
            with http.telling(self._client):
                async for chunk in _chunks(response):
                    for piece in reader.feed(chunk):
                        emit(piece)
                    if until_thought and reader.thought:
                        return
            for piece in reader.finish():
                emit(piece)
        except (ValueError, AttributeError, TypeError) as error:  # it sends something, but not this protocol
            raise _no_api(self._client.base_url) from error
        finally:
            await response.aclose()


class RemoteChat:
    """Implements ``ChatModel`` for a server somewhere else: vLLM, SGLang, Ollama, llama.cpp, DashScope, OpenAI …

    Its address, model and key are the settings' ``chat_url``, ``chat_model`` (empty: the first that it lists) and
    ``chat_key``. Loading connects, and asks one short question to learn the server's manner. A server that does not
    say how much its model holds is taken to hold 4,096 tokens.
    """

    def __init__(self, store: ModelStore, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._client: OpenAIChat | None = None
        self._context = UNSTATED_CONTEXT_TOKENS

    @property
    def info(self) -> EngineInfo:
        """The model's name there, and what its server has shown that it can do."""
        client = self._client
        dialect = client.dialect if client else Dialect()
        capabilities: dict[str, bool | str] = {
            "stream": True,
            "schema": True,
            "tools": dialect.tools or "This language model cannot use tools.",
            "prompt": not dialect.thinks or "This model thinks before it answers. One that answers at once suits talk.",
        }
        name = client.model if client else self._settings.chat_model
        if name.endswith(".gguf"):  # llama.cpp names a model by its whole path
            name = re.split(r"[/\\]", name)[-1]
        return EngineInfo(name or "…", ("zh", "en"), capabilities, "remote", "", client is not None)

    @property
    def context_tokens(self) -> int:
        """What the server states of its model, else 4,096."""
        self._ready()
        return self._context

    def count_tokens(self, text: str) -> int:
        """At least as many tokens as ``text`` has in the vocabularies of today, without asking the server.

        See ``tokens_at_most``.
        """
        return tokens_at_most(text)

    def load(self) -> None:
        """Connect, choose the model, and learn the server's manner. Raises ``EngineError``."""
        self._ready()

    def close(self) -> None:
        """Drop the connections."""
        with self._lock:
            if self._client:
                self._client.close()
            self._client = None

    def chat(self, request: ChatRequest) -> AnswerStream:
        """Stream an answer. Raises ``EngineError``, from here or from the stream."""
        return self._ready().chat(request)

    def _ready(self) -> OpenAIChat:
        with self._lock:
            if self._client is None:
                client = OpenAIChat(
                    self._settings.chat_url, self._settings.chat_key, self._settings.chat_model, settled=False
                )
                try:
                    self._context = _introduce(client)
                except BaseException:
                    client.close()
                    raise
                self._client = client
            return self._client


def tokens_at_most(text: str) -> int:
    """An upper estimate of the tokens in ordinary ``text``, for byte-level vocabularies of 100,000 entries and more.

    A word of ASCII letters, with the space before it, counts a third of a token a character, and half where it is
    longer than any common word; any other ASCII character counts one; and everything else half a token a byte: one for
    é or я, one and a half for a Chinese character, two for an emoji. English comes out at up to twice what it is.
    """
    words = [len(word) for word in re.findall(r" ?[A-Za-z]+", text)]
    ascii_others = len(re.findall(r"[\x00-\x7f]", text)) - sum(words)
    beyond = len(re.sub(r"[\x00-\x7f]", "", text).encode("utf-8", "replace"))
    return sum(-(-n // (3 if n <= LONG_WORD else 2)) for n in words) + ascii_others + -(-beyond // 2)


def _introduce(client: OpenAIChat) -> int:
    """Choose the model where none is named, learn the server's manner, and return how much the model holds."""
    listed: list[Mapping[str, Any]] = []
    try:
        listed = list(models_listed(client.ask("GET", "models")))
    except EngineError as error:
        # Not every server lists its models. One that wants another key, or that is not there, is no use either way.
        if not client.model or error.key not in ("server_path", "server_refused"):
            raise
    if not client.model:
        if not listed:
            raise EngineError("chat_unnamed", "The language model's server lists no model. Give the name of one.")
        client.model = str(listed[0]["id"])
    entry = next((entry for entry in listed if entry["id"] == client.model), {})
    client.find_manner()
    return context_tokens(entry) or _slot_tokens(client, entry) or UNSTATED_CONTEXT_TOKENS


def _slot_tokens(client: OpenAIChat, entry: Mapping[str, Any]) -> int:
    """What one conversation may hold on llama.cpp's server, which lists only what the model was trained for."""
    trained = (entry.get("meta") or {}).get("n_ctx_train")
    if not trained:
        return 0
    try:
        return int(client.ask("GET", "/props")["default_generation_settings"]["n_ctx"])
    except (EngineError, KeyError, TypeError, ValueError):
        return min(int(trained), UNSTATED_CONTEXT_TOKENS)


def _api(url: str) -> str:
    """The API's root: what people paste may have no path, or too much of one."""
    root = re.sub(r"(/chat/completions|/models)?/*$", "", url.strip())
    if re.search(r"[@?#\s]", root):  # a password or a key in an address would be shown with it
        raise EngineError(
            "server_address", "The address of the server is not one: write it as http://name:port or https://name."
        )
    return f"{root}/v1" if re.fullmatch(r"https?://[^/]+", root) else root


async def _chunks(response: httpx.Response) -> Any:
    """The chunks of an answer, or the whole as one where the server does not stream."""
    if response.headers.get("content-type", "").startswith("application/json"):
        yield json.loads(await response.aread())
        return
    async for data in event_data(response.aiter_bytes()):
        if data == DONE:
            return
        yield json.loads(data)


def _complaint(error: EngineError | BrokenAnswerError) -> str:
    """What the server says of a request that it will not take; empty where the request is not what is wrong."""
    if isinstance(error, BrokenAnswerError):
        return str(error)
    response = getattr(error.__cause__, "response", None)
    if response is None:
        return ""
    # llama.cpp may call its context exceeded a failure of its own.
    refused = response.status_code in (400, 404, 413, 422, 501) or TOO_LONG.search(response.text)
    return response.text if refused else ""


def _no_api(base: httpx.URL) -> EngineError:
    server = http.host(str(base))
    return EngineError(
        "server_path", f"The server at {server} does not offer this: check its address and model.", server=server
    )


def _broke_off(base: httpx.URL) -> EngineError:
    server = http.host(str(base))
    return EngineError(
        "server_broke_off", f"The connection to {server} broke: try again, or look at its log.", server=server
    )
