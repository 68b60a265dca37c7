"""Whether words are a back-channel: what a listener says to show that he listens, and not to have the floor.

A mumbled "mm-hmm" is written down as anything ("Mama.", "Have fun."), and mostly the recognizer is not sure of it. But
what is said within half a second or so to somebody who is speaking hardly ever wants the floor, unless it is one of the
few words that do.
"""

from __future__ import annotations

import math
import re

from webui.types import Transcript

# Sounds, at any length and as recognizers spell them: "Mm-hmm.", "Mhm", "Hmm", "Uh-huh", "Um", "Aha", "嗯嗯".
_SOUNDS = "m+ h+m+ m+h+m* u+h+ u+m+ h+u+h+ a+h+ a+h+a+h* o+h* e+r*m* e+h+ h+e+h+ (?:ha)+h*".split()
# "我" is what "哦" is taken for.
_SOUNDS_CJK = "我 嗯 哼 唔 呃 额 哦 噢 喔 啊 诶 欸 哎 呵 哈 うん うーん ん ー へえ 음 응 어 아".split()
_WORDS = (
    "yeah yea yep yup yes right okay ok kay sure cool nice great good fine wow really true exactly absolutely "
    "definitely indeed interesting alright"
).split()
_PHRASES = (
    "all right|i see|(?:i )?got it|of course|(?:that )?makes? sense|i know|i understand|go on|very good|"
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
SHORT, MUMBLED = 0.7, 1.2  # seconds of speech in which nobody says a sentence, and in which what is unsure is none
UNSURE = 0.6  # a confidence below which words are hardly those that were said
_WANTS_FLOOR = re.compile(
    r"(?:^|\b(?:its|thats|do) )not\b|"
    r"\b(?:stop|wait|no|dont|hold|hang|pause|enough|quiet|silence|shut|cancel|skip|next|back|again|repeat|louder|"
    r"slower|faster|but|actually|sorry|pardon|excuse|hey|hello|listen|help|please|wrong|what|whats|who|why|where|when|which|how)\b"
    "|(?<![没沒不])[错錯]|停|等|不(?:[对對是要行用了想可懂听聽好会會能]|$)|别|別|[没沒](?![错錯])|够|夠|闭嘴|閉嘴|安静|安靜|算了|取消|下一|再|换|換|慢点|快点|大声|小声|可是|但是|其实|其實|抱歉|"
    "喂|你好|请|請|什么|什麼|谁|誰|哪|怎|几|幾|吗|嗎|待って|違う|いや|だめ|잠깐|아니|그만"
)
_APOSTROPHE = re.compile(r"['’]")
_APART = re.compile(r"[\W_]+")


def is_backchannel(text: str, seconds: float = math.inf, confidence: float = 1.0) -> bool:
    """Whether nothing but back-channels was said, once or several times. No words at all are none.

    ``seconds`` of speech, where they are known, and the recognizer's ``confidence`` (0 to 1) tell a mumble that was
    misheard.
    """
    plain = _APART.sub(" ", _APOSTROPHE.sub("", text.lower())).strip()
    if _ONLY.fullmatch(plain):
        return True
    return bool(plain) and seconds < (MUMBLED if confidence < UNSURE else SHORT) and not _WANTS_FLOOR.search(plain)


def confidence(transcript: Transcript) -> float:
    """How sure the recognizer is of the words that it is least sure of, 0 to 1; 1 where there are none."""
    return min((segment.confidence for segment in transcript.segments if segment.text.strip()), default=1.0)
