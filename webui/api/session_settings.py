"""What a client of ``/v1/realtime`` may set, in the protocol's present form and in the beta's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from webui.audio.formats import G711_RATE, WireFormat
from webui.conversation.prompts import LANGUAGE_NAMES, PERSONAS
from webui.conversation.turntaking import TurnTaking
from webui.engines.protocols import Tool
from webui.errors import UserError
from webui.features.chat import TurnSettings
from webui.types import STYLES

MAX_PERSONA_CHARS = 1000
MAX_TOOLS = 64
SPEEDS = (0.5, 2.0)
# Seconds of speech that interrupt for a client that does not fall silent at ``funaudio.hold``: it must not wait long.
INSIST_PLAIN = 0.6
PCM_RATES = (24_000, 16_000)  # Hz
LONGEST_WAIT_S = 10.0  # of any threshold of turn-taking

# Voices of OpenAI's own, which clients ask for without knowing who answers.
OPENAI_VOICES = frozenset("alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse".split())
_BETA_FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}
_TOOL_NAME = re.compile(r"[\w-]{1,64}")


@dataclass(frozen=True)
class Detection:
    """Who decides that a turn is over: the server, as ``told`` by the client. ``options`` is what that means."""

    told: Mapping[str, Any] = field(default_factory=lambda: {"type": "server_vad"})
    options: TurnTaking = field(default_factory=TurnTaking.silence_only)

    @property
    def answers(self) -> bool:
        """Whether the end of a turn begins a response."""
        return self.told.get("create_response") is not False

    @property
    def interrupts(self) -> bool:
        """Whether speech ends a response."""
        return self.told.get("interrupt_response") is not False


@dataclass(frozen=True)
class SessionSettings:
    """How a session's sound travels and how its turns are answered. ``detection`` is None where the client decides."""

    turn: TurnSettings = field(default_factory=TurnSettings)
    lang: str = "en"  # the page's, and so probably the person's
    heard: WireFormat = field(default_factory=WireFormat)
    spoken: WireFormat = field(default_factory=WireFormat)
    detection: Detection | None = field(default_factory=Detection)
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: Any = "auto"
    ours: bool = False  # the client knows our extras

    @property
    def turn_taking(self) -> TurnTaking | None:
        """How the server takes turns; None where the client decides."""
        if self.detection is None:
            return None
        usual = self.detection.options
        return usual if self.ours else replace(usual, insist=min(usual.insist, INSIST_PLAIN))

    def updated(self, told: Mapping[str, Any]) -> SessionSettings:
        """These settings with what ``told``, a session or a response of the protocol, changes in them.

        Raises ``UserError``, and what malformed JSON raises.
        """
        ours, old = told.get("funaudio", {}), self.turn
        heard, spoken = (told.get("audio", {}).get(way, {}) for way in ("input", "output"))
        lang = str(ours.get("lang", self.lang))
        persona = PERSONAS.get(str(ours.get("persona")), {})
        instructions = str(told.get("instructions") or persona.get(lang, persona.get("en", old.persona)))
        style = ours.get("style", old.style)
        language = ours.get("reply_language", old.reply_language)
        modalities = told.get("output_modalities", told.get("modalities"))
        tools = tuple(told.get("tools", self.tools))
        choice = told.get("tool_choice", self.tool_choice)
        turn = TurnSettings(
            voice=_voice(spoken.get("voice", told.get("voice", old.voice))),
            style=style if style in STYLES else "auto",
            style_strength=_clamp(ours.get("style_strength", old.style_strength), 0.0, 1.0),
            speed=_clamp(spoken.get("speed", old.speed), *SPEEDS),
            reply_language=language if language in LANGUAGE_NAMES else "same",
            persona=instructions[:MAX_PERSONA_CHARS],
            itn=bool(ours.get("itn", old.itn)),
            tools=() if choice == "none" else _tools(tools),
            aloud=old.aloud if modalities is None else "audio" in modalities,
        )
        detection = self.detection
        if "turn_detection" in heard or "turn_detection" in told:
            detection = _detection(heard.get("turn_detection", told.get("turn_detection")))
        return SessionSettings(
            turn,
            lang,
            _format(heard.get("format", told.get("input_audio_format")), self.heard),
            _format(spoken.get("format", told.get("output_audio_format")), self.spoken),
            detection,
            tools,
            choice,
            self.ours or "funaudio" in told,
        )

    def json(self) -> dict[str, Any]:
        """The session as the protocol describes it."""
        return {
            "type": "realtime",
            "object": "realtime.session",
            "model": "funaudio",
            "output_modalities": ["audio" if self.turn.aloud else "text"],
            "instructions": self.turn.persona,
            "tools": list(self.tools),
            "tool_choice": self.tool_choice,
            "audio": {
                "input": {
                    "format": _format_json(self.heard),
                    "turn_detection": None if self.detection is None else dict(self.detection.told),
                },
                "output": {"format": _format_json(self.spoken), "voice": self.turn.voice, "speed": self.turn.speed},
            },
        }


def _detection(told: Mapping[str, Any] | None) -> Detection | None:
    if told is None or told["type"] == "none":
        return None
    if told["type"] == "server_vad":
        threshold = _clamp(told.get("threshold") or 0.5, 0.05, 0.95)
        silence = _clamp(told.get("silence_duration_ms") or 500, 100, LONGEST_WAIT_S * 1000) / 1000
        options = TurnTaking.silence_only(threshold, silence)
    elif told["type"] == "semantic_vad":
        options = TurnTaking.eager(str(told.get("eagerness") or "auto"))
    else:
        raise UserError("unknown_detection", "The turn detection is server_vad, semantic_vad or null.")
    known = {f.name for f in fields(TurnTaking)}
    ours = {
        name: _clamp(value, 0.0, LONGEST_WAIT_S) for name, value in told.get("funaudio", {}).items() if name in known
    }
    return Detection(told, replace(options, **ours))


def _format(told: Any, old: WireFormat) -> WireFormat:
    if told is None:
        return old
    kind = _BETA_FORMATS.get(told, told) if isinstance(told, str) else told["type"]
    rate = int((told.get("rate") if isinstance(told, dict) else None) or PCM_RATES[0])
    if kind == "audio/pcm" and rate in PCM_RATES:
        return WireFormat("PCM_16", rate)
    if kind in ("audio/pcmu", "audio/pcma"):
        return WireFormat("ULAW" if kind == "audio/pcmu" else "ALAW", G711_RATE)
    raise UserError("unknown_format", "Sound travels as PCM of 16 bits at 24000 or 16000 Hz, or as G.711 at 8000 Hz.")


def _format_json(form: WireFormat) -> dict[str, Any]:
    if form.encoding == "PCM_16":
        return {"type": "audio/pcm", "rate": form.rate}
    return {"type": "audio/pcmu" if form.encoding == "ULAW" else "audio/pcma"}


def _voice(told: Any) -> str:
    name = str(told["id"] if isinstance(told, dict) else told)
    return "" if name in OPENAI_VOICES else name


def _tools(told: tuple[Mapping[str, Any], ...]) -> tuple[Tool, ...]:
    if len(told) > MAX_TOOLS or not all(t["type"] == "function" and _TOOL_NAME.fullmatch(t["name"]) for t in told):
        raise UserError("bad_tools", f"Tools are at most {MAX_TOOLS} functions with plain names.", limit=MAX_TOOLS)
    return tuple(Tool(t["name"], str(t.get("description") or ""), dict(t.get("parameters") or {})) for t in told)


def _clamp(value: Any, low: float, high: float) -> float:
    return min(high, max(low, float(value)))
