"""``python -m webui.engines.worker``: one engine, served to this machine's program or to another machine.

Started by the program it listens on a free loopback port, says which on standard output, and ends with standard
input. With ``--listen tcp://0.0.0.0:7861`` it stays and serves other machines, which name it with
``--synthesizer-url tcp://HOST:7861``; the token of ``FUNAUDIO_WORKER_TOKEN`` is their key. What goes over the wire is
not encrypted: across a network that is not yours, use a tunnel.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import socket
import sys
import threading
from importlib import import_module
from typing import Any, NoReturn
from urllib.parse import urlsplit

from webui.engines.worker.server import Server

TOKEN = "FUNAUDIO_WORKER_TOKEN"  # noqa: S105  (the variable's name)


def main() -> None:
    """Parse the arguments and serve until the end."""
    parser = argparse.ArgumentParser(prog="python -m webui.engines.worker", description="Serve one engine.")
    parser.add_argument("--engine", required=True, help="import string of the engine's class, MODULE:CLASS")
    parser.add_argument("--options", default="{}", help="what it is made with, as JSON")
    parser.add_argument("--listen", default="", help="tcp://HOST:PORT, to serve other machines")
    args = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    token = os.environ.get(TOKEN, "")
    if len(token) < 16:
        parser.error(f"set {TOKEN} to a secret of at least 16 characters")
    engine = _engine(args.engine, json.loads(args.options))
    if args.listen:
        url = urlsplit(args.listen)
        listener = socket.create_server((url.hostname or "", url.port or 0))
        Server(engine, listener, token, _start_anew).run()
    else:
        listener = socket.create_server(("127.0.0.1", 0))
        _announce(listener.getsockname()[1])
        threading.Thread(target=_end_with_parent, daemon=True).start()
        Server(engine, listener, token, _end).run()


def _engine(name: str, options: dict[str, Any]) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)(**options)


def _announce(port: int) -> None:
    """Tell the parent the port; from then on whatever libraries print goes to standard error."""
    print(json.dumps({"port": port}), flush=True)  # noqa: T201  (this is the protocol)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        """Nothing is said over it; its end is the message."""
    _end()


def _end() -> NoReturn:
    os._exit(70)


def _start_anew() -> NoReturn:
    os.execv(sys.executable, [sys.executable, "-m", "webui.engines.worker", *sys.argv[1:]])  # noqa: S606


if __name__ == "__main__":
    main()
