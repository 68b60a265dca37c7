"""Going to a tab, wherever the page has room for its name."""

from __future__ import annotations

from playwright.sync_api import Page

from webui.ui.labels import text

OPENING_MS = 60_000


def open_tab(page: Page, tab: str) -> Page:
    """Goes to the tab of that id. On a narrow page its name may stand in the menu behind the others."""
    page.locator('[role=tab][data-tab-id="talk"]:visible').wait_for(timeout=OPENING_MS)
    page.wait_for_timeout(300)  # Gradio measures which names fit
    name = page.locator(f'[role=tab][data-tab-id="{tab}"]:visible')
    if name.count():
        name.click()
    else:
        page.locator(".overflow-menu > button").click()
        lang = page.evaluate("document.documentElement.lang.split('-')[0]")
        page.locator(".overflow-dropdown button", has_text=text(f"tab_{tab}", lang)).click()
    return page
