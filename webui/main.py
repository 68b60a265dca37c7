"""Puts the house together: settings, engines, routes and page, served on one port."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from typing import Any

from pydantic_settings import CliApp

from webui.config import Settings
from webui.engines.registry import check_names
from webui.errors import UserError

log = logging.getLogger(__name__)

# Of one file given to Gradio (the Transcribe tab): hours of speech, compressed.
MAX_FILE_SIZE = "2gb"
# Gradio deletes what it cached for a page after a day at most; checked every hour.
CACHE_SECONDS = (3600, 86400)


def main(arguments: list[str] | None = None) -> None:
    """Start the program, with flags from the command line unless ``arguments`` are given."""
    settings = CliApp.run(Settings, cli_args=arguments)
    if not _is_free(settings.host, settings.port):
        raise SystemExit(f"Port {settings.port} is in use: stop what uses it, or choose another with --port.")
    try:
        check_names(settings)
    except UserError as error:
        raise SystemExit(error.message) from None
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every request of Gradio's own start-up check
    serve(settings)


def serve(settings: Settings, block: bool = True) -> str:
    """Open the page on ``settings.host:port`` and return its address; with ``block``, stay until interrupted."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    from webui.conversation.scratch import scratch

    os.environ.setdefault("GRADIO_TEMP_DIR", str(scratch() / "gradio"))  # uploads go when the process goes

    from webui.api.routes import Api
    from webui.engines.registry import Engines
    from webui.engines.store import ModelStore
    from webui.ui.context import PageContext
    from webui.ui.page import build_page, launch_options

    if block:  # as Ctrl+C does: what people recorded is deleted on the way out
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    engines = Engines(settings, ModelStore(settings.models_dir))
    if settings.preload:
        engines.load(lambda job: log.info("loading the %s", job))
    context = PageContext(settings, engines)
    options: dict[str, Any] = launch_options(context)
    options["app_kwargs"]["routes"] = Api(engines).routes()
    page = build_page(context)
    page.delete_cache = CACHE_SECONDS
    _, address, _ = page.queue(default_concurrency_limit=4).launch(
        server_name=settings.host,
        server_port=settings.port,
        share=settings.share,
        max_file_size=MAX_FILE_SIZE,
        show_error=False,
        quiet=True,
        ssr_mode=False,
        prevent_thread_lock=True,
        **options,
    )
    log.info("open %s in a browser; Ctrl+C ends the program", address)
    if block:
        try:
            page.block_thread()
        finally:
            engines.close()
    return str(address)


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
