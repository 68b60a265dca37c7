"""Chat over HTTP with any server that speaks OpenAI's chat-completions protocol, streamed."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from webui.engines.protocols import ChatRequest
from webui.errors import EngineError

if TYPE_CHECKING:
    import httpx

# A local model may chew on a long prompt for a while before its first token; after that tokens come steadily.
READ_TIMEOUT_S = 120.0
CONNECT_TIMEOUT_S = 10.0
# Small models fall into loops ("the fox said …" without end); free text is nudged out of them, JSON is not.
FREQUENCY_PENALTY = 0.4


class AnswerStream(Iterator[str]):
    """Pieces of an answer as they arrive. ``close`` stops the server's work at once, from any thread."""

    def __init__(self, pieces: queue.SimpleQueue[str | Exception | None], work: Future[None]) -> None:
        self._pieces = pieces
        self._work = work
        self._done = False

    def __next__(self) -> str:
        if self._done:
            raise StopIteration
        piece = self._pieces.get()
        if isinstance(piece, str):
            return piece
        self._done = True
        if piece is None:
            raise StopIteration
        raise piece

    def close(self) -> None:
        """Stop. Whatever has not been read is dropped, and a reader waiting in another thread wakes up."""
        self._work.cancel()
        self._pieces.put(None)


class OpenAIChat:
    """One server and one model of it.

    Requests run on an event loop of their own thread, because only an awaited read can be cancelled while the
    server is still silent, and a voice turn must stop at once.
    """

    def __init__(self, base_url: str, api_key: str = "", model: str = "default") -> None:
        import httpx

        self.model = model
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chat", daemon=True)
        self._thread.start()
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            # A kept connection may be closed by the server in the moment that it is used again, and a question that
            # has been sent cannot be told from one that has been lost. On loopback a new one costs nothing.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def chat(self, request: ChatRequest) -> AnswerStream:
        """Start an answer. Raises ``EngineError`` from the stream where the server refuses or goes away."""
        pieces: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()
        work = asyncio.run_coroutine_threadsafe(self._stream(request, pieces), self._loop)
        return AnswerStream(pieces, work)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """One JSON question, one JSON answer, for what a server offers beside chat."""

        async def ask() -> Any:
            return (await self._client.post(path, json=body)).raise_for_status().json()

        return asyncio.run_coroutine_threadsafe(ask(), self._loop).result()

    def close(self) -> None:
        """Drop the connections and end the thread."""
        asyncio.run_coroutine_threadsafe(self._client.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stream(self, request: ChatRequest, pieces: queue.SimpleQueue[str | Exception | None]) -> None:
        import httpx

        try:
            async with self._client.stream("POST", "/v1/chat/completions", json=self._body(request)) as response:
                if response.is_error:
                    await response.aread()
                    raise _refused(response)
                async for line in response.aiter_lines():
                    if line.startswith("data: ") and line != "data: [DONE]":
                        for choice in json.loads(line[6:]).get("choices", ()):
                            if text := choice["delta"].get("content"):
                                pieces.put(text)
            pieces.put(None)
        except EngineError as error:
            pieces.put(error)
        except (httpx.HTTPError, ValueError, KeyError) as error:
            failure = EngineError(
                "chat_unreachable",
                "The language model did not answer. Try again, or look at the server's log.",
            )
            failure.__cause__ = error
            pieces.put(failure)

    def _body(self, request: ChatRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            "stream": True,
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
        }
        if request.schema is None:
            body["frequency_penalty"] = FREQUENCY_PENALTY
        else:
            schema = {"name": "answer", "schema": dict(request.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body


def _refused(response: httpx.Response) -> EngineError:
    if "context" in response.text and response.status_code == 400:
        return EngineError("chat_too_long", "That is too long for the language model. Say it in fewer words.")
    status = response.status_code
    return EngineError(
        "chat_refused",
        f"The language model's server refused the request (HTTP {status}). Check its address, model and key.",
        status=status,
    )
