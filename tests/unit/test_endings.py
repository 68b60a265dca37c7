"""Whether words sound finished."""

from __future__ import annotations

import pytest

from webui.conversation.endings import Ending, ending, judged

FINISHED = """
What is the capital of France?
I don't know that.
Tell me a story about a cat.
Yes.
No.
Okay.
How?
Where are you from?
What is it like?
Who are they?
Please tell me more.
That is what I need.
You know what?
What would you like?
Do you know?
I went home, and then I slept.
If it rains tomorrow, we will stay at home.
I like her.
That's all, thank you!
"Is it raining?"
I'm fine. What about you?
请问中国的首都是哪里？
你好吗
你好吗？
我找到新工作了。
今天天气很好。
现在几点
请问从这里到火车站怎么走
请给我讲一个故事
你能告诉我怎么去火车站吗
他现在不在。
我要蓝色的那个。
他不是。
他是昨天来的。
这是很大的成就。
What did you look up?
请帮我查一下天气。
没有。
好的。
我要蓝色的。
如果明天下雨，我们就不去了。
¿Dónde está la estación?
今日はいい天気ですね。
Das war gut.
"""
OPEN = """
Tell me a story about a cat
Yes, I am.
Turn it on.
I think so.
今天天气很好
因为我。
我喜欢的是他们。
今日はいい天気です
?!
...
"""
TRAILING = """
I went to the shop and so.
I went to the shop and so...
Could you tell me the
Can you tell me how
Can you tell me how?
I would like to
I would like to.
My sister, who lives in
My sister, who lives in.
Well, um.
I think,
I think.
My favourite colour is.
Could you please turn down?
I would like to buy.
Next week we might.
I was thinking that maybe.
I want to know where?
I was going to.
There are a lot of.
If it rains tomorrow.
When I was young.
Let me see—
I think we should.
It was.
What is the difference between?
It's good, I like it. But.
我想去公园，然后
我今天去了商店，因为。
我想请你
我想请你。
你能告诉我怎么
你能告诉我怎么？
我昨天和
我最喜欢的是……
如果明天下雨
嗯
我觉得。
我需要一个
把客厅的。
我已经有。
我最喜欢的。
昨天我买了一双。
吃完饭以后。
他好像是。
我想问一下那个
听完音乐会我们就。
他说会来，所以我。
但是他们
我想知道如果你。
Could you look up?
How do I turn down?
The doctor told me to avoid.
你能不能帮我查一下？
请帮我找一下。
昼ご飯は、
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (text, kind)
        for kind, texts in ((Ending.FINISHED, FINISHED), (Ending.OPEN, OPEN), (Ending.TRAILING, TRAILING))
        for text in texts.strip().split("\n")
    ],
)
def test_as_a_listener_would_tell(text: str, expected: Ending) -> None:
    assert ending(text) is expected


@pytest.mark.parametrize("text", ["", " ", "。"])
def test_no_words_may_go_on(text: str) -> None:
    assert ending(text) is Ending.OPEN


def test_the_tables_are_of_their_language_only() -> None:
    assert ending("Der Zug kommt um neun Uhr an.") is Ending.TRAILING  # "an", taken for English
    assert ending("Der Zug kommt um neun Uhr an.", "de") is Ending.FINISHED


@pytest.mark.parametrize(
    ("words", "finality", "expected"),
    [
        (Ending.FINISHED, None, Ending.FINISHED),
        (Ending.FINISHED, 0.4, Ending.FINISHED),
        (Ending.FINISHED, 0.02, Ending.TRAILING),
        (Ending.OPEN, 0.9, Ending.OPEN),
        (Ending.OPEN, 0.6, Ending.TRAILING),
        (Ending.TRAILING, 0.99, Ending.TRAILING),
        (Ending.TRAILING, None, Ending.TRAILING),
    ],
)
def test_the_sound_may_doubt_the_words(words: Ending, finality: float | None, expected: Ending) -> None:
    assert judged(words, finality) is expected
