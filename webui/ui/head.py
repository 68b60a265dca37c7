"""What the page needs before Gradio starts: language, theme, styles, scripts and its own name."""

from __future__ import annotations

import json
import re
from html import escape

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webui.ui.labels import ASSETS, table

# Gradio's tags about itself (sharing cards with its name and pictures on other hosts), its empty manifest link.
_GRADIO_TAGS = re.compile(rb'<meta\s+(?:property="og:|name="twitter:)[^>]*>|<link rel="manifest"[^>]*>')
# Runs before anything is drawn: no flash of the wrong theme or language. Gradio reads navigator.language once, when
# it starts, so it is told ours: ?lang= in the address, else the choice made before, else --lang, else the browser's.
_EARLY = """
(() => {
  const known = (code) => ["en", "zh"].find((ours) => (code || "").toLowerCase().split("-")[0] === ours);
  const asked = new URLSearchParams(location.search).get("lang");
  const choices = [asked, localStorage.getItem("funaudio.lang"), __LANG__, navigator.language];
  const lang = choices.map(known).find(Boolean) || "en";
  const tag = lang === "zh" ? "zh-CN" : lang; // Gradio knows Chinese by this name
  Object.defineProperty(navigator, "language", { get: () => tag, configurable: true });
  Object.defineProperty(navigator, "languages", { get: () => [tag], configurable: true });
  document.documentElement.lang = lang;
  const theme = localStorage.getItem("funaudio.theme");
  const dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.classList.toggle("dark", dark);
  document.documentElement.style.setProperty("--opening", JSON.stringify(__OPENING__[lang]));
})();
"""


class PageHead:
    """Middleware that puts our head into the page Gradio serves.

    ``launch(head=…, css=…)`` would add it from Gradio's own script, long after the first paint, and would rewrite
    every selector.
    """

    def __init__(self, app: ASGIApp, lang: str) -> None:
        self._app = app
        opening = {code: words["opening"] for code, words in table().items()}
        early = _EARLY.replace("__LANG__", json.dumps(lang)).replace("__OPENING__", json.dumps(opening))
        names = sorted(file.name for file in (ASSETS / "css").glob("*.css"))
        styles = "".join(f'<link rel="stylesheet" href="webui/static/css/{name}">' for name in names)
        about = escape(table()["en"]["about"])
        self._head = (
            f'<script>{early}</script><meta name="description" content="{about}">{styles}'
            '<link rel="icon" type="image/svg+xml" href="webui/static/icons/favicon.svg">'
            '<script type="module" src="webui/static/js/app.js"></script></head>'
        ).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through; add the head where the page itself is asked for."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def rewrite(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                kind = MutableHeaders(scope=message).get("content-type", "")
                if not kind.startswith("text/html"):
                    await send(message)
                    return
                start = message
            elif start is None:
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    page = self._with_head(bytes(body))
                    MutableHeaders(scope=start)["content-length"] = str(len(page))
                    await send(start)
                    await send({"type": "http.response.body", "body": page})

        await self._app(scope, receive, rewrite)

    def _with_head(self, page: bytes) -> bytes:
        if b"<gradio-app" not in page:
            return page
        return _GRADIO_TAGS.sub(b"", page).replace(b"</head>", self._head, 1)
