"""Items of the conversation over the socket: made, read, deleted; tools that are called and answer."""

from __future__ import annotations

import base64

import pytest

from tests.api.live_client import talking
from tests.scripted import ScriptedChat, ScriptedEngines, tone
from webui.audio.convert import to_pcm16
from webui.engines.protocols import EngineInfo, ToolCall

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def text(words: str, role: str = "user") -> dict[str, object]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": words}]}


def test_items_are_part_of_the_conversation_until_they_are_deleted() -> None:
    engines = ScriptedEngines()
    with talking(engines, None) as person:
        person.send("conversation.item.create", item={**text("Be brief.", "system"), "id": "rule"})
        assert person.until("conversation.item.added")["item"]["id"] == "rule"
        person.send("conversation.item.create", item={**text("Forget this."), "id": "gone"})
        person.send("conversation.item.create", item=text("I like cats.", "user"))
        person.send("conversation.item.delete", item_id="gone")
        assert person.until("conversation.item.deleted")["item_id"] == "gone"
        person.send("conversation.item.retrieve", item_id="rule")
        assert person.until("conversation.item.retrieved")["item"]["content"][0]["text"] == "Be brief."
        person.send("response.create")
        person.until("response.done")
        for kind in ("retrieve", "delete", "truncate"):
            person.send(f"conversation.item.{kind}", item_id="gone", audio_end_ms=10, event_id="mine")
            error = person.until("error")["error"]
            assert (error["code"], error["event_id"]) == ("no_such_item", "mine")
    told = [(m.role, m.content) for m in engines.chat.requests[-1].messages]
    assert told[-2:] == [("system", "Be brief."), ("user", "I like cats.")]


def test_a_recording_may_come_as_an_item() -> None:
    engines = ScriptedEngines()
    with talking(engines, None) as person:
        audio = base64.b64encode(to_pcm16(tone(0.5).samples).tobytes()).decode()
        item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}
        person.send("conversation.item.create", item=item)
        person.send("response.create")
        assert person.until("response.done")["response"]["status"] == "completed"
    assert engines.recognizer.requests[-1].audio.duration == pytest.approx(0.5)  # type: ignore[union-attr]


def test_a_tool_is_called_and_its_result_answered() -> None:
    call = ToolCall("call_1", "get_weather", '{"city": "Paris"}')
    engines = ScriptedEngines(chat=ScriptedChat([call]))
    with talking(engines, None) as person:
        person.send("session.update", session={"tools": [WEATHER]})
        assert person.until("session.updated")["session"]["tools"] == [WEATHER]
        person.send("conversation.item.create", item=text("How is the weather in Paris?"))
        person.send("response.create")
        done = person.until("response.done")["response"]
        asked = done["output"][0]
        assert (asked["type"], asked["name"], asked["call_id"]) == ("function_call", "get_weather", "call_1")
        assert person.of("response.function_call_arguments.done")[0]["arguments"] == '{"city": "Paris"}'
        assert "response.output_audio.delta" not in person.kinds()
        engines.chat.pieces = ["neutral: It is sunny."]
        result = {"type": "function_call_output", "call_id": "call_1", "output": '{"sky": "clear"}'}
        person.send("conversation.item.create", item=result)
        person.send("response.create")
        assert person.until("response.output_audio_transcript.done")["transcript"] == "It is sunny."
        person.until("response.done")
    assert [tool.name for tool in engines.chat.requests[-1].tools] == ["get_weather"]
    *_, question, called, answer = engines.chat.requests[-1].messages
    assert question.content == "How is the weather in Paris?"
    assert called.tool_calls == (call,) and (answer.role, answer.tool_call_id) == ("tool", "call_1")


class Toolless(ScriptedChat):
    @property
    def info(self) -> EngineInfo:
        return EngineInfo("x", ("en",), {"tools": "It cannot."}, "CPU", "MIT", True)


def test_a_model_that_cannot_use_tools_says_so() -> None:
    engines = ScriptedEngines(chat=Toolless())
    with talking(engines, None) as person:
        person.send("session.update", session={"tools": [WEATHER]})
        person.until("session.updated")
        assert person.until("error")["error"]["code"] == "tools_unavailable"
        assert person.until("session.updated")["session"]["tools"] == []


@pytest.mark.parametrize(
    ("session", "code"),
    [
        ({"tools": [{"type": "mcp"}]}, "bad_tools"),
        ({"tools": [{**WEATHER, "name": "no spaces please"}]}, "bad_tools"),
        ({"audio": {"input": {"turn_detection": {"type": "telepathy"}}}}, "unknown_detection"),
        ({"audio": {"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "very"}}}}, "malformed_event"),
        ({"audio": {"output": {"format": {"type": "audio/pcm", "rate": 44100}}}}, "unknown_format"),
        ({"input_audio_format": "mp3"}, "unknown_format"),
    ],
)
def test_settings_that_make_no_sense_change_nothing(session: dict[str, object], code: str) -> None:
    with talking(ScriptedEngines()) as person:
        person.send("session.update", session=session)
        assert person.until("error")["error"]["code"] == code
        person.send("session.update", session={})
        told = person.until("session.updated")["session"]
        assert told["audio"]["input"]["turn_detection"] == {"type": "semantic_vad"} and told["tools"] == []


def test_a_response_may_have_instructions_of_its_own_and_be_written_only() -> None:
    engines = ScriptedEngines()
    with talking(engines, None) as person:
        own = {"instructions": "You are a pirate.", "output_modalities": ["text"]}
        person.send("response.create", response=own)
        person.until("response.done")
        assert person.of("response.output_text.done")[0]["text"] == "I am sorry. Tell me more."
        assert "response.output_audio.delta" not in person.kinds()
        person.send("conversation.item.create", item=text("And now?"))
        person.send("response.create")
        person.until("response.done")
    first, second = (r.messages[0].content for r in engines.chat.requests[-2:])
    assert first.startswith("You are a pirate.") and "pirate" not in second
