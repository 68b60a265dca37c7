"""The program's routes on a real server of the loopback address, in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from webui.api.routes import Api


@contextmanager
def serving_api(engines: Any) -> Iterator[str]:
    """The address of all of our own routes over ``engines``."""
    with serving_routes(Api(engines).routes()) as url:
        yield url


@contextmanager
def serving_routes(routes: list[BaseRoute]) -> Iterator[str]:
    """The address of any routes."""
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), "127.0.0.1", 0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
