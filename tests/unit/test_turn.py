import json
import threading
import zipfile
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.scripted import ScriptedChat, ScriptedEngines, ScriptedRecognizer, ScriptedSynthesizer, tone
from tests.waiting import wait_until
from webui.conversation.session import Conversation
from webui.engines.lending import Seat
from webui.engines.protocols import Message
from webui.errors import Cancelled, UserError
from webui.features.chat import Finished, Heard, Spoke, Turn, TurnEvent, TurnSettings, Unspoken, Wrote
from webui.types import Audio, Event, EventSpan, Segment


def turn(
    engines: Any, conversation: Conversation, said: Any = None, **settings: Any
) -> Generator[TurnEvent, None, None]:
    return Turn(engines, conversation, TurnSettings(**settings)).run(tone(1.0) if said is None else said)


def run(engines: Any, said: Any = None, conversation: Conversation | None = None, **settings: Any) -> list[Any]:
    if conversation is not None:
        return list(turn(engines, conversation, said, **settings))
    with closing(Conversation()) as fresh:
        return list(turn(engines, fresh, said, **settings))


@pytest.fixture
def conversation() -> Generator[Conversation, None, None]:
    with closing(Conversation()) as fresh:
        yield fresh


def test_a_turn_is_heard_written_spoken_and_finished_in_that_order() -> None:
    engines = ScriptedEngines()
    events = run(engines)
    assert isinstance(events[0], Heard) and isinstance(events[-1], Finished)
    assert "".join(e.text for e in events if isinstance(e, Wrote)) == "I am sorry. Tell me more."
    assert [e.chunk.text for e in events if isinstance(e, Spoke)] == ["I am sorry.", "Tell me more."]
    assert {e.style for e in events if isinstance(e, Spoke)} == {"sad"}
    latency = events[-1].latency
    assert latency["total_s"] == pytest.approx(sum(v for k, v in latency.items() if k != "total_s"), abs=0.005)


def test_speech_starts_while_the_model_is_still_writing(conversation: Conversation) -> None:
    engines = ScriptedEngines(chat=ScriptedChat(hold_at=3))
    events = turn(engines, conversation)
    for event in events:
        if isinstance(event, Spoke):
            break
    assert not engines.chat.answers[0].released.is_set()
    engines.chat.answers[0].released.set()
    assert isinstance(list(events)[-1], Finished)


def test_a_cancelled_turn_stops_the_model_and_remembers_only_what_was_spoken(conversation: Conversation) -> None:
    engines = ScriptedEngines(chat=ScriptedChat(hold_at=3))
    events = turn(engines, conversation)
    for event in events:
        if isinstance(event, Spoke):
            threading.Timer(0.05, conversation.generations.cancel).start()
            break
    with pytest.raises(Cancelled):
        list(events)
    assert engines.chat.answers[0].closed.wait(1)
    assert conversation.memory.messages[-1].content == "I am sorry."


@dataclass
class Mute(ScriptedSynthesizer):
    """A server that has been asked to speak and sends nothing, until it is hung up on."""

    hung_up: threading.Event = field(default_factory=threading.Event)

    def synthesize(self, request: Any) -> Any:
        self.requests.append(request)
        waiting = self.hung_up

        class Line(Iterator[Any]):
            def __next__(self) -> Any:
                waiting.wait(20)
                raise StopIteration

            def close(self) -> None:
                waiting.set()

        return Line()


def test_a_cancelled_turn_hangs_up_on_a_silent_server_and_asks_it_nothing_more(conversation: Conversation) -> None:
    mute = Mute()
    engines = ScriptedEngines(synthesizer=Seat("mute", mute).lend())
    events = turn(engines, conversation)
    while not isinstance(next(events), Wrote):
        continue
    wait_until(lambda: mute.requests)
    conversation.generations.cancel()
    with pytest.raises(Cancelled):
        list(events)
    assert mute.hung_up.wait(2)
    assert len(mute.requests) == 1


def test_closing_the_iterator_stops_everything(conversation: Conversation) -> None:
    engines = ScriptedEngines(chat=ScriptedChat(hold_at=1))
    events = turn(engines, conversation)
    assert isinstance(next(events), Heard)
    assert isinstance(next(events), Wrote)
    events.close()
    assert engines.chat.answers[0].closed.wait(1)


def test_a_new_turn_overtakes_the_old_one(conversation: Conversation) -> None:
    engines = ScriptedEngines(chat=ScriptedChat(hold_at=2))
    old = turn(engines, conversation)
    next(old)
    engines.chat.hold_at = None
    assert isinstance(run(engines, conversation=conversation)[-1], Finished)
    with pytest.raises(Cancelled):
        list(old)


def test_the_next_turn_knows_the_last_and_the_speakers_usual_voice(conversation: Conversation) -> None:
    engines = ScriptedEngines()
    run(engines, conversation=conversation)
    run(engines, conversation=conversation)
    first, second = (request.messages for request in engines.chat.requests)
    # as the model read and wrote it, so that it need not read it again
    assert second[:-2] == first and second[-2] == Message("assistant", "sad: I am sorry. Tell me more.")
    assert [m.content for m in conversation.memory.messages[:2]] == ["Hello there.", "I am sorry. Tell me more."]
    assert engines.recognizer.requests[1].baseline.count == 1


def test_settings_reach_the_engines() -> None:
    engines = ScriptedEngines()
    run(engines, voice="two", style="happy", speed=1.5, reply_language="zh", persona="You are a cat.")
    request = engines.synthesizer.requests[0]
    assert (request.voice.id, request.style.name, request.speed) == ("two", "happy", 1.5)
    messages = engines.chat.requests[0].messages
    assert messages[0].content.startswith("You are a cat.") and "answer in Chinese" in messages[-1].content


@pytest.mark.parametrize(("reply", "voice"), [("Good morning.", "one"), ("早上好。", "two")])
def test_without_a_choice_the_voice_is_at_home_in_the_replys_language(reply: str, voice: str) -> None:
    engines = ScriptedEngines(chat=ScriptedChat([reply]))
    run(engines)
    assert engines.synthesizer.requests[0].voice.id == voice


def test_a_reply_that_cannot_be_spoken_can_still_be_read() -> None:
    events = run(ScriptedEngines(synthesizer=ScriptedSynthesizer(fail=True)))
    assert [e.error.key for e in events if isinstance(e, Unspoken)] == ["language_unspoken"]
    assert isinstance(events[-1], Finished) and events[-1].reply == "I am sorry. Tell me more."


def test_a_laugh_without_words_is_answered_but_silence_is_not() -> None:
    laugh = Segment(0, 1, events=(EventSpan(Event.LAUGHTER, 0.0, 0.8),))
    engines = ScriptedEngines(recognizer=ScriptedRecognizer([laugh]))
    assert isinstance(run(engines)[-1], Finished)
    assert "laughter heard" in engines.chat.requests[0].messages[-1].content
    with pytest.raises(UserError) as caught:
        run(ScriptedEngines(recognizer=ScriptedRecognizer([])))
    assert caught.value.key == "no_speech"


@pytest.mark.parametrize(
    ("said", "key"),
    [("  ", "nothing_typed"), ("x" * 5000, "text_too_long"), (Audio(tone(1).samples * 0, 24000), "silent")],
)
def test_what_cannot_be_answered_is_refused_in_one_sentence(said: object, key: str) -> None:
    with pytest.raises(UserError) as caught:
        run(ScriptedEngines(), said)
    assert caught.value.key == key


def test_a_failing_model_ends_the_turn_with_its_sentence() -> None:
    with pytest.raises(UserError) as caught:
        run(ScriptedEngines(chat=ScriptedChat(fail=True)))
    assert caught.value.key == "chat_unreachable"
    with pytest.raises(UserError) as caught:
        run(ScriptedEngines(chat=ScriptedChat(pieces=["<sad> "])))
    assert caught.value.key == "no_reply"


def test_recordings_are_kept_for_download_and_deleted_with_the_conversation(conversation: Conversation) -> None:
    run(ScriptedEngines(), conversation=conversation)
    archive = conversation.archive(lambda turns: turns[0]["you"])
    with zipfile.ZipFile(archive) as file:
        assert set(file.namelist()) == {"conversation.json", "conversation.txt", "001-you.wav", "001-reply.wav"}
        assert json.loads(file.read("conversation.json"))[0]["emotion"] == "SAD"
    conversation.close()
    assert not archive.exists()
