"""Whether words are a back-channel: what a listener says to show that he listens, and not to have the floor."""

from __future__ import annotations

import re

# Sounds, at any length and as recognizers spell them: "Mm-hmm.", "Mhm", "Hmm", "Uh-huh", "Um", "Aha", "嗯嗯".
_SOUNDS = "m+ h+m+ m+h+m* u+h+ u+m+ h+u+h+ a+h+ a+h+a+h* o+h* e+r*m* e+h+ h+e+h+ (?:ha)+h*".split()
_SOUNDS_CJK = "嗯 哼 唔 呃 额 哦 噢 喔 啊 诶 欸 哎 呵 哈 うん うーん ん ー へえ 음 응 어 아".split()
_WORDS = (
    "yeah yea yep yup yes right okay ok kay sure cool nice great good fine wow really true exactly absolutely "
    "definitely indeed interesting alright"
).split()
_PHRASES = (
    "all right|i see|(?:i )?got it|of course|(?:that )?makes sense|i know|i understand|go on|very good|"
    "thats (?:right|true|great|good)|sounds good"
).split("|")
_WORDS_CJK = (
    "对 对的 对呀 没错 是 是的 是呀 是吗 好 好的 好吧 好呀 行 明白 明白了 知道了 我知道 我知道了 我明白 我明白了 "
    "了解 懂了 原来如此 这样 这样子 原来是这样 真的 真的吗 有道理 当然 "
    "對 對的 對呀 沒錯 是嗎 這樣 原來如此 真的嗎 當然 係 "
    "はい ええ そう そうです そうですね そうですか なるほど ね 네 예 그래 그래요 그렇군요 맞아요"
).split()
_ONLY = re.compile(
    rf"(?:(?:{'|'.join(_SOUNDS + _WORDS + _PHRASES)})(?: |$)|(?:{'|'.join(_SOUNDS_CJK + _WORDS_CJK)}) ?)+"
)
_APOSTROPHE = re.compile(r"['’]")
_APART = re.compile(r"[\W_]+")


def is_backchannel(text: str) -> bool:
    """Whether nothing but back-channels was said, once or several times. No words at all are none."""
    plain = _APART.sub(" ", _APOSTROPHE.sub("", text.lower())).strip()
    return _ONLY.fullmatch(plain) is not None
