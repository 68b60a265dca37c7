"""What a listener says without wanting the floor."""

from __future__ import annotations

import pytest

from webui.conversation.backchannels import confidence, is_backchannel
from webui.types import Segment, Transcript


@pytest.mark.parametrize(
    "text",
    """Uh-huh.|Mm-hmm.|Mhm|Mmm|Hmm.|Uh|Um...|Ah!|Oh.|Yeah.|Yeah, yeah.|Right.|Okay.|OK|I see.|Oh, I see.|Got it.|All right.
    |That's right.|That’s true.|Yeah, okay, I see.|Wow!|Ha ha ha.|嗯|嗯嗯。|嗯，嗯。|对|对对对。|好的。|是的|是啊|哦|哦，好的。|明白了|知道了。
    |原来如此|真的吗？|對|うん。|なるほど|はい、はい。|네""".replace("\n", "").split("|"),
)
def test_back_channels(text: str) -> None:
    assert is_backchannel(text.strip())


@pytest.mark.parametrize(
    "text",
    """|...|Stop.|Wait.|Wait, no.|No.|Hold on.|Okay, stop.|Yeah, but what about tomorrow?|Right now?|I see a cat.|Ham
    |What?|Why?|Go on without me.|等一下|不对|不对不对|停|好了停|对了，我想问一下|是不是|不是|嗯，不是这样的|好奇怪|what 对|のど""".replace(
        "\n", ""
    ).split("|"),
)
def test_what_wants_the_floor(text: str) -> None:
    assert not is_backchannel(text.strip())


def test_what_is_said_in_no_time_is_a_mumble_unless_it_wants_the_floor() -> None:
    assert is_backchannel("Mama.", 0.5) and is_backchannel("面子了", 0.5)
    assert not is_backchannel("Mama.", 1.0) and not is_backchannel("Mama.")
    assert not is_backchannel("Stop.", 0.4) and not is_backchannel("停", 0.3) and not is_backchannel("Wait what", 0.6)
    assert not is_backchannel("Wrong!", 0.4) and not is_backchannel("错了", 0.4) and is_backchannel("没错呀", 0.4)
    assert not is_backchannel("", 0.2)


def test_what_was_heard_unsurely_is_a_mumble_for_longer() -> None:
    assert is_backchannel("嘟嘟嘟呀", 1.0, 0.5) and not is_backchannel("嘟嘟嘟呀", 1.0, 0.8)
    assert not is_backchannel("嘟嘟嘟呀", 1.5, 0.5)
    assert not is_backchannel("Wait for me.", 1.0, 0.4) and not is_backchannel("不对", 0.4, 0.4)


def test_not_in_the_middle_of_a_mumble_wants_nothing() -> None:
    assert is_backchannel("I'm not.", 0.5) and is_backchannel("不移", 0.4)
    assert (
        not is_backchannel("Not that.", 0.5) and not is_backchannel("It's not.", 0.5) and not is_backchannel("不", 0.2)
    )


def test_words_are_as_sure_as_the_least_sure_of_them() -> None:
    sure, unsure, silent = Segment(0, 1, "Yes.", confidence=0.9), Segment(1, 2, "Mama.", confidence=0.4), Segment(2, 3)
    assert confidence(Transcript((sure, unsure, silent), 3.0)) == 0.4
    assert confidence(Transcript((silent,), 3.0)) == 1.0
