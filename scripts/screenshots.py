"""Pictures of the page for the README, from the running program: ``python webui.py`` first, then this.

``python scripts/screenshots.py [--url http://127.0.0.1:7860] [--out docs/images]``: each picture is a real turn on an
example clip, at the moment when half of the answer has been said.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
ANSWER_MS = 180_000  # the first answer may wait for the models
# name -> language, colours, size, number of the example clip; no clip: the page as it opens.
PICTURES = {
    "talk-light": ("en", "light", DESKTOP, 1),
    "talk-dark": ("en", "dark", DESKTOP, 2),
    "talk-zh": ("zh", "light", DESKTOP, 1),
    "talk-phone": ("en", "light", PHONE, 0),
    "talk-start": ("en", "light", DESKTOP, None),
}


def take(browser: Browser, url: str, out: Path, name: str) -> None:
    """One picture, in a session of its own."""
    lang, colours, size, clip = PICTURES[name]
    page = browser.new_context(viewport=size, color_scheme=colours, device_scale_factor=2).new_page()
    page.goto(f"{url}?lang={lang}")
    page.wait_for_selector(".fa-clip canvas")
    page.wait_for_timeout(1000)
    page.wait_for_function("document.querySelectorAll('.fa-ready.is-on').length === 3", timeout=ANSWER_MS)
    if clip is not None:
        page.locator(".fa-clip").nth(clip).click()
        page.wait_for_selector(".fa-latency", timeout=ANSWER_MS)
        page.locator('[data-state="idle"]').wait_for(timeout=ANSWER_MS)
        page.locator(".is-it .fa-acts button").first.click()
        half = page.locator(".fa-word").count() // 2
        page.locator(f".fa-word >> nth={half}").and_(page.locator(".is-said")).wait_for()
    page.screenshot(path=out / f"{name}.png")
    page.context.close()


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:7860/")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("names", nargs="*", default=list(PICTURES), help=", ".join(PICTURES))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("FUNAUDIO_CHROMIUM") or shutil.which("chromium")
    flags = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        for name in asked.names:
            take(browser, asked.url, asked.out, name)
        browser.close()


if __name__ == "__main__":
    main()
