"""What a client asks to be spoken, checked field by field."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from webui.api.requests import RequestError
from webui.api.speak_choices import able
from webui.engines.protocols import EngineInfo
from webui.errors import EngineError
from webui.types import STYLES, Style

MAX_INSTRUCTION = 500  # characters
MAX_BLEND = 64  # presets in one blend
MAX_ID = 200  # characters of a voice's id
MAX_SEED = 2**31 - 1

Factor = Annotated[float, Field(ge=0.5, le=2.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
VoiceId = Annotated[str, Field(max_length=MAX_ID)]


class Asked(BaseModel):
    """The body of ``POST /v1/speak/takes``; how long ``text`` may be is for ``webui.features.speak.plan`` to say."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    text: str
    voice: VoiceId = ""
    prosody: VoiceId | None = None
    blend: list[tuple[VoiceId, Share]] | None = Field(None, min_length=1, max_length=MAX_BLEND)
    style: str = "neutral"
    strength: float = Field(1.0, ge=0.0, le=1.0)
    rate: Factor = 1.0
    pitch: Factor = 1.0
    energy: Factor = 1.0
    instruction: str = Field("", max_length=MAX_INSTRUCTION)
    speed: Factor = 1.0
    language: str = Field("auto", pattern=r"^[a-z]{2,8}$")
    seed: int = Field(0, ge=0, le=MAX_SEED)
    proof: bool = False

    @property
    def manner(self) -> Style:
        """How it is to be said."""
        return Style(self.style, self.strength, self.rate, self.pitch, self.energy, self.instruction.strip())


def asked(told: dict[str, Any], info: EngineInfo) -> Asked:
    """What ``told`` asks for.

    Raises ``RequestError`` for a field that is wrong, ``EngineError`` for what ``info`` says the engine cannot do.
    """
    try:
        it = Asked.model_validate(told)
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])[:40]
        raise RequestError(
            "speak_field", f"The field {field} is missing, unknown or out of range.", field, field=field
        ) from error
    if it.style not in STYLES:
        raise RequestError(
            "speak_field", "The field style is missing, unknown or out of range.", "style", field="style"
        )
    wanted = {
        "styles": it.style != "neutral",
        "instruction": bool(it.instruction.strip()),
        "pitch": it.pitch != 1.0,
        "energy": it.energy != 1.0,
        "prosody": bool(it.prosody),
        "blend": bool(it.blend),
    }
    for name, needed in wanted.items():
        why = able(info, f"style_{it.style}", name) if name == "styles" else able(info, name)
        if needed and why is not True:
            raise EngineError(f"cannot_synthesizer_{name}", str(why))
    return it
