"""The frame of the page: one bar with the name, the tabs and the two switches; the theme; what ``launch`` needs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from webui.ui.context import PageContext
from webui.ui.head import PageHead
from webui.ui.labels import ASSETS, translations

# Tab id -> module with ``build(ctx)``, called inside its ``gr.Tab``. The tab's name is the label ``tab_<id>``.
TABS = {
    "talk": "webui.ui.talk",
    "live": "webui.ui.live",
    "transcribe": "webui.ui.transcribe",
    "speak": "webui.ui.speak",
}
FONT = (
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Roboto",
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans CJK SC",
    "sans-serif",
)
MONO = ("ui-monospace", "SF Mono", "Menlo", "Consolas", "monospace")


def build_page(ctx: PageContext) -> gr.Blocks:
    """The whole page as Gradio blocks. Launch it with ``launch_options(ctx)``."""
    label = translations()
    page: gr.Blocks
    with gr.Blocks(title="FunAudio WebUI", analytics_enabled=False, fill_width=True) as page:
        gr.HTML('<div class="fa fa-header" data-mount="header"></div>', elem_id="fa-header", apply_default_css=False)
        with gr.Tabs(elem_id="fa-tabs"):
            for tab, module in TABS.items():
                with gr.Tab(label(f"tab_{tab}"), id=tab):
                    import_module(module).build(ctx)
    return page


def launch_options(ctx: PageContext) -> dict[str, Any]:
    """Keyword arguments for ``Blocks.launch``; routes are the server's to add to ``app_kwargs``."""
    return {
        "theme": _theme(),
        "i18n": translations(),
        "footer_links": [],
        "run_history": False,
        "favicon_path": ASSETS / "icons" / "favicon.svg",
        "app_kwargs": {"middleware": [Middleware(PageHead, lang=ctx.settings.lang)]},
    }


def _theme() -> gr.Theme:
    """Gradio's own parts in the page's colours: every colour is a variable of ``assets/css/tokens.css``."""
    return gr.themes.Base(
        font=FONT, font_mono=MONO, radius_size=gr.themes.sizes.radius_md, text_size=gr.themes.sizes.text_md
    ).set(**{f"{name}{dark}": value for name, value in _COLOURS.items() for dark in ("", "_dark")}, **_SHAPES)


_COLOURS = {
    "body_background_fill": "var(--ground)",
    "body_text_color": "var(--ink)",
    "body_text_color_subdued": "var(--ink-2)",
    "background_fill_primary": "var(--surface)",
    "background_fill_secondary": "var(--sunken)",
    "border_color_accent": "var(--accent-line)",
    "border_color_accent_subdued": "var(--accent-line)",
    "border_color_primary": "var(--line)",
    "color_accent_soft": "var(--accent-soft)",
    "link_text_color": "var(--accent)",
    "link_text_color_hover": "var(--accent-hover)",
    "link_text_color_active": "var(--accent)",
    "link_text_color_visited": "var(--accent)",
    "code_background_fill": "var(--sunken)",
    "block_background_fill": "var(--surface)",
    "block_border_color": "var(--line)",
    "block_info_text_color": "var(--ink-2)",
    "block_label_background_fill": "var(--surface)",
    "block_label_border_color": "var(--line)",
    "block_label_text_color": "var(--ink-2)",
    "block_title_text_color": "var(--ink-2)",
    "block_shadow": "none",
    "panel_background_fill": "var(--surface)",
    "panel_border_color": "var(--line)",
    "accordion_text_color": "var(--ink)",
    "table_text_color": "var(--ink)",
    "table_border_color": "var(--line)",
    "table_even_background_fill": "var(--surface)",
    "table_odd_background_fill": "var(--surface)",
    "table_row_focus": "var(--accent-soft)",
    "checkbox_background_color": "var(--surface)",
    "checkbox_background_color_hover": "var(--surface)",
    "checkbox_background_color_focus": "var(--surface)",
    "checkbox_background_color_selected": "var(--accent)",
    "checkbox_border_color": "var(--line-strong)",
    "checkbox_border_color_hover": "var(--accent)",
    "checkbox_border_color_focus": "var(--accent)",
    "checkbox_border_color_selected": "var(--accent)",
    "checkbox_label_background_fill": "var(--surface)",
    "checkbox_label_background_fill_hover": "var(--sunken)",
    "checkbox_label_background_fill_selected": "var(--accent-soft)",
    "checkbox_label_border_color": "var(--line)",
    "checkbox_label_border_color_hover": "var(--line-strong)",
    "checkbox_label_border_color_selected": "var(--accent-line)",
    "checkbox_label_text_color": "var(--ink)",
    "checkbox_label_text_color_selected": "var(--ink)",
    "error_background_fill": "var(--warn-soft)",
    "error_border_color": "var(--warn-line)",
    "error_text_color": "var(--ink)",
    "error_icon_color": "var(--warn)",
    "input_background_fill": "var(--surface)",
    "input_background_fill_focus": "var(--surface)",
    "input_background_fill_hover": "var(--surface)",
    "input_border_color": "var(--line)",
    "input_border_color_focus": "var(--accent)",
    "input_border_color_hover": "var(--line-strong)",
    "input_placeholder_color": "var(--ink-3)",
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "loader_color": "var(--accent)",
    "slider_color": "var(--accent)",
    "stat_background_fill": "var(--accent-soft)",
    "button_primary_background_fill": "var(--accent)",
    "button_primary_background_fill_hover": "var(--accent-hover)",
    "button_primary_border_color": "var(--accent)",
    "button_primary_border_color_hover": "var(--accent-hover)",
    "button_primary_text_color": "var(--accent-ink)",
    "button_primary_text_color_hover": "var(--accent-ink)",
    "button_secondary_background_fill": "var(--surface)",
    "button_secondary_background_fill_hover": "var(--sunken)",
    "button_secondary_border_color": "var(--line)",
    "button_secondary_border_color_hover": "var(--line-strong)",
    "button_secondary_text_color": "var(--ink)",
    "button_secondary_text_color_hover": "var(--ink)",
    "button_cancel_background_fill": "var(--live-soft)",
    "button_cancel_background_fill_hover": "var(--live-soft)",
    "button_cancel_border_color": "var(--live)",
    "button_cancel_border_color_hover": "var(--live)",
    "button_cancel_text_color": "var(--live)",
    "button_cancel_text_color_hover": "var(--live)",
}
_SHAPES = {
    "color_accent": "var(--accent)",
    "block_radius": "10px",
    "block_label_text_size": "13px",
    "block_title_text_size": "13px",
    "block_title_text_weight": "550",
    "input_radius": "10px",
    "button_large_radius": "10px",
    "button_medium_radius": "10px",
    "button_small_radius": "8px",
    "button_large_text_weight": "500",
    "button_medium_text_weight": "500",
    "button_large_text_size": "15px",
    "button_large_padding": "8px 16px",
    "container_radius": "10px",
    "layout_gap": "16px",
}
