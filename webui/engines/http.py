"""HTTP to other people's servers: one way to connect, to try again, and to say in a sentence what went wrong.

``connect`` (or ``connect_async``) makes the client, ``send`` (or ``send_async``) asks it something, patiently. For an
answer that is read piece by piece, ``send(..., stream=True)`` and wrap the reading in ``telling``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from webui.errors import EngineError

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

CONNECT_S = 5.0
READ_S = 120.0  # for each read: a server may think for long before it says a word
ATTEMPTS = 4
FIRST_WAIT_S, LONGEST_WAIT_S, JITTER_S = 0.5, 8.0, 0.5
LONGEST_QUOTE = 160  # characters of a server's own complaint that are passed on


def connect(url: str, key: SecretStr, read_s: float = READ_S) -> httpx.Client:
    """A client for the server at ``url``, to be closed by the caller. It may be shared between threads.

    ``key`` goes with every request as a bearer token, to that server only: no redirect is followed. A read may take
    ``read_s`` seconds. Raises ``EngineError`` for an address that is none.
    """
    import httpx

    return httpx.Client(**_options(url, key, read_s))


def connect_async(url: str, key: SecretStr, read_s: float = READ_S) -> httpx.AsyncClient:
    """The same for an event loop."""
    import httpx

    return httpx.AsyncClient(**_options(url, key, read_s))


def send(client: httpx.Client, method: str, path: str, *, stream: bool = False, **content: Any) -> httpx.Response:
    """The server's answer, a success. With ``stream`` its body is still to come, and the caller closes it.

    ``path`` is joined to the client's address; ``content`` is httpx's (``json``, ``data``, ``files``, ``params``,
    ``headers``), of bytes and not of open files, as it may go out several times: a connection that fails, 429 and 5xx
    are tried again, at growing distances or when the server says. Raises ``EngineError``.
    """
    with telling(client):
        for attempt in _attempts():
            with attempt:
                response = client.send(client.build_request(method, path, **content), stream=stream)
                if not response.is_success:
                    response.read()
                    response.close()
                    raise _refusal(response)
                return response
    raise AssertionError("the last attempt returns or raises")


async def send_async(
    client: httpx.AsyncClient, method: str, path: str, *, stream: bool = False, **content: Any
) -> httpx.Response:
    """The same for an event loop; cancelling the task drops the connection, also while it waits to try again."""
    with telling(client):
        async for attempt in _attempts():
            with attempt:
                response = await client.send(client.build_request(method, path, **content), stream=stream)
                if not response.is_success:
                    await response.aread()
                    await response.aclose()
                    raise _refusal(response)
                return response
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def telling(client: httpx.Client | httpx.AsyncClient) -> Iterator[None]:
    """What httpx raises inside becomes an ``EngineError`` that says what to do."""
    import httpx

    try:
        yield
    except httpx.HTTPError as error:
        raise _sentence(error, client) from error


def host(url: str) -> str:
    """The server's name and port, for people: no path, no user, no password."""
    import httpx

    return httpx.URL(url).netloc.decode("ascii", "replace")


def _options(url: str, key: SecretStr, read_s: float) -> dict[str, Any]:
    import httpx

    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise EngineError(
            "server_address", "The address of the server is not one: write it as http://name:port or https://name."
        )
    secret = key.get_secret_value().strip()
    if not (secret.isascii() and secret.isprintable()):  # no header can hold it, and the failure would quote it
        raise _wrong_key(host(str(parsed)))
    return {
        "base_url": parsed,
        "headers": {"Authorization": f"Bearer {secret}"} if secret else {},
        "timeout": httpx.Timeout(read_s, connect=CONNECT_S),
        "follow_redirects": False,
        "trust_env": not _is_here(parsed.host),  # a proxy that the environment names does not know this machine's own
    }


def _is_here(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _attempts() -> Any:
    import stamina

    return stamina.retry_context(
        on=_again,
        attempts=ATTEMPTS,
        timeout=None,
        wait_initial=FIRST_WAIT_S,
        wait_max=LONGEST_WAIT_S,
        wait_jitter=JITTER_S,
    )


def _again(error: Exception) -> bool | float:
    """Whether, or after how many seconds, another attempt may go better."""
    import httpx

    if isinstance(error, httpx.HTTPStatusError):
        if error.response.status_code != 429 and error.response.status_code < 500:
            return False
        asked = error.response.headers.get("retry-after", "")
        return min(float(asked), LONGEST_WAIT_S) if asked.isdecimal() else True
    # A server that is silent still works on what it was asked: asking again would double its work.
    return isinstance(error, httpx.TransportError) and not isinstance(
        error, (httpx.ReadTimeout, httpx.UnsupportedProtocol)
    )


def _refusal(response: httpx.Response) -> httpx.HTTPStatusError:
    import httpx

    return httpx.HTTPStatusError(f"HTTP {response.status_code}", request=response.request, response=response)


def _sentence(error: httpx.HTTPError, client: httpx.Client | httpx.AsyncClient) -> EngineError:
    import httpx

    server = host(str(client.base_url))
    if isinstance(error, httpx.HTTPStatusError):
        return _status_sentence(error.response, server, client.headers.get("Authorization", ""))
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return EngineError(
            "server_silent",
            f"The server at {server} did not answer in time: try again, or look at its log.",
            server=server,
        )
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol)):
        return EngineError(
            "server_unreachable",
            f"No server answers at {server}: check the address, and that the server is running.",
            server=server,
        )
    return EngineError(
        "server_broke_off", f"The connection to {server} broke: try again, or look at its log.", server=server
    )


def _status_sentence(response: httpx.Response, server: str, authorization: str) -> EngineError:
    status = response.status_code
    if status in (401, 403):
        return _wrong_key(server)
    if status == 404 or response.is_redirect:
        return EngineError(
            "server_path", f"The server at {server} does not offer this: check its address and model.", server=server
        )
    if status == 429:
        return EngineError("server_busy", f"The server at {server} has too much to do: try later.", server=server)
    if status >= 500:
        return EngineError(
            "server_failed",
            f"The server at {server} failed (HTTP {status}): try again, or look at its log.",
            server=server,
            status=status,
        )
    said = _complaint(response).replace(authorization.removeprefix("Bearer ") or "\0", "…")[:LONGEST_QUOTE]
    return EngineError(
        "server_refused",
        f"The server at {server} refused the request (HTTP {status}): {said or 'it does not say why'}",
        server=server,
        status=status,
        said=said or "–",
    )


def _wrong_key(server: str) -> EngineError:
    return EngineError("server_key", f"The server at {server} refused the key: check it.", server=server)


def _complaint(response: httpx.Response) -> str:
    """What the server itself says is wrong: OpenAI's ``error.message``, FastAPI's ``detail`` and the like."""
    try:
        body = response.json()
    except ValueError:
        return ""
    while isinstance(body, dict):
        body = next((body[name] for name in ("error", "message", "detail", "msg") if body.get(name)), None)
    return " ".join(body.split()) if isinstance(body, str) else ""
