"""Which dialect a speech server understands: it is asked.

A FastAPI server describes itself in ``/openapi.json``. One with routes ``/inference_…`` there is CosyVoice's own; one
whose ``/v1/audio/speech`` takes ``ref_audio``, or whose models say that they are vLLM-Omni's or SGLang-Omni's, clones
voices and streams. Any other is taken to speak OpenAI's protocol, as far as that is written down, except under
DashScope's own path (``…/api/v1``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from webui.engines import http
from webui.engines.speech_dialects import CosyVoiceServer, DashScope, DashScopeCosyVoice, Dialect, OpenAISpeech
from webui.errors import EngineError

if TYPE_CHECKING:
    import httpx

# What OpenAI, and what vLLM-Omni and SGLang-Omni take, should they not say so.
OPENAI_FIELDS = frozenset({"speed", "instructions"})
OMNI_FIELDS = frozenset("ref_audio ref_text instructions language speed stream stream_format seed".split())
OMNI_OWNERS = ("vllm", "sglang-omni")
_SPEAKS = re.compile("tts|speech|voice|audio|kokoro", re.IGNORECASE)
# A question about itself that a server does not answer says nothing about whether it speaks.
_UNTOLD = frozenset({"server_path", "server_refused", "server_key", "server_failed", "server_busy"})


async def recognise(client: httpx.AsyncClient, model: str) -> Dialect:
    """How to ask the server of ``client``, whose address may end in ``/v1``. ``model`` may be empty.

    Raises ``EngineError`` where nobody answers, or where there are several models and none is named.
    """
    base = str(client.base_url).rstrip("/")
    if base.endswith("/api/v1"):
        return DashScopeCosyVoice(model) if model.startswith("cosyvoice") else DashScope(model or "qwen3-tts-flash")
    root, v1 = base.removesuffix("/v1"), "" if base.endswith("/v1") else "/v1"
    api = await _ask(client, f"{root}/openapi.json")
    paths = api.get("paths") if isinstance(api, dict) else None
    if routes := frozenset(path.strip("/") for path in paths or () if path.startswith("/inference_")):
        return CosyVoiceServer(model, routes)
    listed = await _ask(client, f"{v1}/models")
    cards = listed.get("data") if isinstance(listed, dict) else None
    cards = [card for card in cards or () if isinstance(card, dict) and isinstance(card.get("id"), str)]
    owner = str(cards[0].get("owned_by", "")) if cards else ""
    model = model or _model([card["id"] for card in cards], base)
    fields = _fields(api) or (OMNI_FIELDS if owner in OMNI_OWNERS else OPENAI_FIELDS)
    voices = _names(await _ask(client, f"{v1}/audio/voices"))
    return OpenAISpeech(model, f"{v1}/audio/speech", owner, fields, voices)


async def _ask(client: httpx.AsyncClient, path: str) -> Any:
    """The JSON at ``path``, or None."""
    try:
        return (await http.send_async(client, "GET", path)).json()
    except ValueError:
        return None
    except EngineError as error:
        if error.key not in _UNTOLD:
            raise
        return None


def _model(ids: list[str], base: str) -> str:
    """The one to ask for where none was named."""
    if not ids:
        return "tts-1"  # the protocol wants a name; a server that lists none does not mind which
    speaking = [id_ for id_ in ids if _SPEAKS.search(id_)]
    if len(ids) == 1 or speaking:
        return (speaking or ids)[0]
    server = http.host(base)
    raise EngineError(
        "speech_model",
        f"The server at {server} has several models: say which of them is to speak (--synthesizer-model).",
        server=server,
    )


def _fields(api: Any) -> frozenset[str]:
    """The fields that ``/v1/audio/speech`` takes, as far as the server describes them."""
    try:
        path = next(path for path in api["paths"] if path.endswith("/audio/speech"))
        schema = api["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        if "$ref" in schema:
            schema = api["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        return frozenset(schema["properties"])
    except (KeyError, TypeError, StopIteration):
        return frozenset()


def _names(listed: Any) -> tuple[str, ...]:
    """Voices as servers list them: names, or objects that have one."""
    rows = listed.get("voices", ()) if isinstance(listed, dict) else listed
    if not isinstance(rows, list):
        return ()
    names = (row if isinstance(row, str) else row.get("id") or row.get("name") for row in rows if row)
    return tuple(name for name in names if isinstance(name, str))
