"""The page over our own routes and somebody else's language model: connecting to it, and what the page says of that."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import chat_servers as foreign
from tests.chat_servers import KEY, Server, models
from tests.speech_server import SpeechServer, speaking
from webui.api.routes import Api
from webui.config import ROOT, Settings
from webui.engines.registry import Engines
from webui.engines.store import ModelStore
from webui.ui.context import PageContext
from webui.ui.labels import text
from webui.ui.page import build_page, launch_options

pytestmark = pytest.mark.browser


@pytest.fixture
def llm() -> Iterator[SpeechServer]:
    with speaking(Server(foreign.openai, models({"id": "gpt-5-mini"}), key=KEY).routes()) as state:
        yield state


@pytest.fixture
def url() -> Iterator[str]:
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    settings = Settings(_env_file=None, profile="embedded")  # type: ignore[call-arg]
    engines = Engines(settings, ModelStore(ROOT / "models"))
    context = PageContext(settings, engines)
    options = launch_options(context)
    options["app_kwargs"]["routes"] = Api(engines).routes()
    blocks = build_page(context)
    _, address, _ = blocks.launch(prevent_thread_lock=True, quiet=True, **options)
    yield address
    blocks.close(verbose=False)
    engines.close()


def test_another_language_model_is_connected_from_the_page(
    open_page: Callable[..., Page], url: str, llm: SpeechServer
) -> None:
    page = open_page(url, expect_faults=True)  # the browser logs an answer of 409
    summary = page.get_by_text(text("chat_server"), exact=True)
    summary.click()
    form = page.locator(".fa-chat-server")
    form.get_by_label(text("chat_server_url")).fill(f"{llm.url}/v1")
    form.get_by_label(text("chat_server_key")).fill("sk-wrong")
    connect = form.get_by_role("button", name=text("chat_server_connect"))
    connect.click()
    expect(form.get_by_role("status")).to_have_text(text("server_key", server=llm.url.removeprefix("http://")))

    form.get_by_label(text("chat_server_key")).fill(KEY)
    connect.click()
    found = text("chat_server_found", model="gpt-5-mini", context_tokens=4096)
    expect(form.get_by_role("status")).to_have_text(found)
    key = form.get_by_label(text("chat_server_key"))
    expect(key).to_have_value("")
    expect(key).to_have_attribute("placeholder", text("chat_server_has_key"))
    expect(page.locator('.fa-engine[data-job="chat"] .fa-engine-name')).to_have_text("gpt-5-mini")

    page.reload()
    page.get_by_text(text("chat_server"), exact=True).click()
    expect(form.get_by_label(text("chat_server_url"))).to_have_value(f"{llm.url}/v1")
    expect(form.get_by_label(text("chat_server_key"))).to_have_attribute("placeholder", text("chat_server_has_key"))
    assert KEY not in page.content()
