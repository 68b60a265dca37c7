from webui.conversation.memory import Exchange, messages
from webui.conversation.prompts import user_message
from webui.engines.protocols import Message
from webui.types import Emotion, Event, EventSpan, Segment, Transcript


def words(text: str) -> int:
    return len(text.split())


def test_old_exchanges_make_room_and_the_rest_keeps_its_order() -> None:
    history = tuple(Exchange(f"question {i}", f"answer {i}") for i in range(20))
    kept = messages((Message("system", "be kind"),), history, "and now?", 120, words)
    assert kept[0].content == "be kind" and kept[-1].content == "and now?"
    assert sum(words(m.content) + 8 for m in kept) <= 120
    talk = [m.content for m in kept[1:-1]]
    assert talk == [t for i in range(20 - len(talk) // 2, 20) for t in (f"question {i}", f"answer {i}")]
    assert talk


def test_a_turn_that_was_cut_before_its_first_word_leaves_no_empty_message() -> None:
    kept = messages((Message("system", "s"),), (Exchange("hello", ""),), "again", 1000, words)
    assert [m.content for m in kept] == ["s", "hello", "again"]


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
