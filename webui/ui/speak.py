"""The Speak tab: an empty place that ``assets/js/speak.js`` fills. It talks to ``/v1/speak`` and ``/v1/voices``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

if TYPE_CHECKING:
    from webui.ui.context import PageContext


def build(ctx: PageContext) -> None:
    """Place the mount point. Call inside the tab."""
    gr.HTML('<div class="fa" data-mount="speak"></div>', elem_classes="fa-bare", apply_default_css=False)
