from webui.conversation.memory import MAX_MESSAGES, Memory, fitting
from webui.conversation.prompts import user_message
from webui.engines.protocols import Message
from webui.types import Emotion, Event, EventSpan, Segment, Transcript


def words(text: str) -> int:
    return len(text.split())


def talk(*texts: str) -> list[Message]:
    """What the person and the program said, in turn."""
    return [Message("assistant" if i % 2 else "user", text) for i, text in enumerate(texts)]


def test_old_messages_make_room_and_the_rest_keeps_its_order() -> None:
    said = [t for i in range(20) for t in (f"question {i}", f"answer {i}")]
    kept = fitting((Message("system", "be kind"),), talk(*said, "and now?"), 120, words)
    assert kept[0].content == "be kind" and kept[-1].content == "and now?"
    assert sum(words(m.content) + 8 for m in kept) <= 120
    left = [m.content for m in kept[1:]]
    assert len(left) > 1 and kept[1].role == "user" and left == [*said, "and now?"][-len(left) :]


def test_the_last_message_stays_however_small_the_room() -> None:
    assert [m.content for m in fitting((), talk("one", "two", "three"), 1, words)] == ["three"]


def test_a_turn_that_was_cut_before_its_first_word_leaves_no_empty_message() -> None:
    kept = fitting((Message("system", "s"),), talk("hello", "", "again"), 1000, words)
    assert [m.content for m in kept] == ["s", "hello", "again"]


def test_a_message_can_be_put_in_its_place_corrected_and_forgotten() -> None:
    memory = Memory()
    memory.add("a", Message("user", "one"))
    memory.add("c", Message("user", "three"))
    memory.add("b", Message("assistant", "two and a half"), after="a")
    memory.amend("b", "two")
    memory.amend("nobody", "x")
    assert [m.content for m in memory.messages] == ["one", "two", "three"] and memory.last_id == "c"
    assert memory.forget("b") and not memory.forget("b") and memory.get("b") is None


def test_memory_is_bounded() -> None:
    memory = Memory()
    for i in range(3 * MAX_MESSAGES):
        memory.add(str(i), Message("user", str(i)))
    assert MAX_MESSAGES / 2 <= len(memory.messages) <= MAX_MESSAGES
    assert memory.messages[-1].content == str(3 * MAX_MESSAGES - 1)


def test_the_model_is_told_how_the_voice_sounded() -> None:
    laugh = EventSpan(Event.LAUGHTER, 0.2, 0.6)
    heard = Transcript((Segment(0, 2, "I passed", "en", Emotion.HAPPY, 0.9, 0.9, (laugh,)),), 2.0)
    assert user_message("I passed", heard, "en", asked=False) == "[happy, energetic, laughter heard] I passed"
    assert user_message("I passed", heard, "zh", asked=True).startswith(
        "[happy, energetic, laughter heard, answer in Ch"
    )
    sad = Transcript((Segment(0, 2, "He left", "en", Emotion.SAD, 0.9, 0.1),), 2.0)
    assert user_message("He left", sad, "en", asked=False) == "[sad, calm] He left"
    for arousal in (None, 0.1):  # a voice that is quiet and nothing else goes without saying
        plain = Transcript((Segment(0, 2, "hm", "en", Emotion.NEUTRAL, 0.9, arousal),), 2.0)
        assert user_message("hm", plain, "en", asked=False) == "hm"
    assert user_message("hm", None, "ja", asked=False) == "[answer in Japanese] hm"
    assert user_message("hm", None, "??", asked=True) == "hm"
