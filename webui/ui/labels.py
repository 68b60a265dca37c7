"""The label table ``assets/i18n.json``: every word the page shows, by key and language. No label stands in code."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from webui.config import ROOT

if TYPE_CHECKING:
    import gradio as gr

ASSETS = ROOT / "assets"


@cache
def table() -> dict[str, dict[str, str]]:
    """The whole table: language code -> key -> text with ``{blanks}``."""
    loaded: dict[str, dict[str, str]] = json.loads((ASSETS / "i18n.json").read_text("utf-8"))
    return loaded


def text(key: str, lang: str = "en", **values: object) -> str:
    """The label ``key`` in ``lang`` (English where there is no such language), blanks filled from ``values``."""
    words = table().get(lang, table()["en"])
    return words[key].format(**values)


@cache
def translations() -> gr.I18n:
    """The same table for Gradio's own parts: ``translations()("key")`` is a label in the browser's language."""
    import gradio as gr

    words = table()
    return gr.I18n(**words, **{"zh-CN": words["zh"]})
