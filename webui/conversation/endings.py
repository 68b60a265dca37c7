"""Whether what somebody has said so far sounds finished: by the words, and by how their sound ends where that is known.

The words are a recognizer's, which puts full stops even behind words that trail off, and writes Chinese with marks or
without. So the last words count for more than the mark behind them: words that want others after them, by the grammar
of English and of Chinese. Any other language is judged by its marks. The sound tells of what the words hide: "He lives
near the, er …" is heard as "He lives near the Earth."
"""

from __future__ import annotations

import re
from enum import Enum

from webui.text.script import language_of


class Ending(Enum):
    """How an utterance ends."""

    FINISHED = "finished"  # a question, or a whole sentence
    OPEN = "open"  # it may go on
    TRAILING = "trailing"  # it certainly wants to go on: "and so …"


# Nothing ends with these, not even a question: "Can you tell me how?" is how "can you tell me how …" is written down.
_NEVER_LAST = frozenset(
    "and but or nor because if although though unless whether than whereas the a an my your our their every several "
    "such how which whose very quite into onto between during through until without against among beyond despite "
    "toward towards upon via within per um uh er erm".split()
)
# These end a question ("Where are you from?") and hardly ever anything else.
_LAST_IF_ASKED = frozenset(
    "so while when since whenever as to for of with from at about under in on by over near except including called "
    "i we he she they it's i'm you're we're they're he's she's that's there's i'll we'll i'd i've we've let's "
    "is are was were be been am will would can could should shall may might must does did have has had "
    "don't doesn't didn't can't won't isn't aren't wasn't couldn't wouldn't shouldn't haven't hasn't gonna wanna gotta "
    "just also even like well plus its some any each maybe perhaps probably usually basically almost especially "
    "seems seem become became means includes".split()
)
# Of those, what may end a sentence where one of these stands before: "Turn it on".
_MAY_END_AFTER = {
    **dict.fromkeys("on in over by about".split(), "it them him her that come go went hold log sign".split()),
    "so": "think hope guess suppose said say believe".split(),
    "well": "very as really it you going do did".split(),
}
_YES_NO = frozenset("yes no yeah sure".split())  # "Yes, it is"
# These begin what is asked, unless the question is as short as "You know what?" or "Went where?".
_ASKS = frozenset("what who where".split())
_SHORT_QUESTION_WORDS = 4
# Verbs that want an object, unless it stands before them: "what I need".
_TRANSITIVE = frozenset(
    "want wants wanted need needs needed make makes made take takes took get gets got give gives gave put puts bring "
    "brings brought buy buys bought find finds found send sends sent use uses keep keeps kept avoid avoids contain "
    "contains require requires".split()
)
_OBJECT_BEFORE = frozenset("what which that who how all everything anything something nothing".split())
_TRANSITIVE_PHRASE = re.compile(
    r"\b(?:(?:turn|switch) (?:on|off|up|down)|(?:look|bring) up|fill (?:in|out)|(?:point|carry) out|call off)$"
)
_NEVER_LAST_PHRASE = re.compile(r"\b(?:kind|sort|lot|lots|couple) of$")
_LAST_IF_ASKED_PHRASE = re.compile(
    r"\b(?:i (?:think|mean|guess|believe|was wondering|wonder|don't think)|(?:i'd|would) like|"
    r"(?:tell|show|give|let|help) me|for example|you know|and then|"
    r"(?:think|thought|believe|said|say|hope|mean|sure) that)$"
)
# A clause that begins so wants another, unless there is a comma in it or it is too long to be one clause only.
_SUBORDINATE = frozenset("if when while although though unless whenever once".split())
_ONE_CLAUSE_WORDS = 7

# The same for Chinese, by the last characters.
_COUNTED_ZH = "个张本家位种条双只件部台杯瓶碗份块辆间座支棵朵颗套批群名首篇段"
_NEVER_LAST_ZH = re.compile(
    "(?:然后|但是?|可是|不过|而|而是|因为|由于|所以|因此|如果|要是|假如|即使|哪怕|虽然|尽管|不但|不仅|不管|无论|否则|不然|而且|并且|或者?|"
    "还是|还有|以及|比如|比如说|例如|就是说|就像|那么|于是|另外|此外|接着|首先|其次|的话|和|跟|与|把|被|将|让|使|关于|对于|至于|根据|"
    "为了|除了|通过|作为|怎么|如何|之间|期间|时候|之前|之后|以前|以后|请问|请你|我想请|帮我|告诉我|你能|你可以|"
    "能不能|可不可以|是不是|会不会|有没有|嗯|呃|额|把.*的|(?<![成造高迁])就)$"
)
_LAST_IF_ASKED_ZH = re.compile(
    "(?:就是|(?<![不也都真正])是|(?<![没所拥])有|我想|我要|[你我他她]会|[你我他她]能|我可以|我们[想要]|想要|需要|应该|觉得|认为|希望|"
    "打算|准备|成为|包括|属于|叫做|位于|来自|从|(?<![不还存现实])在|(?<!交)给|向|往|像|(?<![值记舍晓])得|[译变换当做分改看]成|"
    "每次|其实|已经|一直|总是|可能|也许|或许|大概|好像|似乎|几乎|尤其|甚至|到底|突然|正在|曾经|经常|从来|必须|只是|非常|特别|比较|"
    f"很|最|更|太|还|也|(?<![的要是用吃喝买选])[这那]个|[这那每哪某][{_COUNTED_ZH[1:]}]|[一两二三四五六七八九十几半][{_COUNTED_ZH}些]|"
    "(?<![慢快早晚好大小高低多少近远轻重])一点|"
    "(?:所以|因此|但是?|可是|不过|而且|并且|然后|于是|结果|如果|要是|假如|虽然|既然)(?:[我你您他她它咱]们?|大家))$"
)
# "我最喜欢的" wants its noun; "他是昨天来的", "好的" and "我要红的" do not.
_NO_NOUN_WANTED_ZH = re.compile("(?:[是会挺蛮够要买选].*|[好真对行])的$")
_MAY_END_ZH = re.compile("[我他她]们?$")  # "因为我", "请帮帮我"
_SUBORDINATE_ZH = re.compile("(?:如果|要是|假如|虽然|尽管|既然|只要|除非|每当|当)[^，,就那但也都才还]*$")
# A request of which nothing is there but the verb: "你能不能帮我查一下".
_NO_OBJECT_ZH = re.compile(
    "(?:请|麻烦)?你?(?:能不能|可不可以|能|可以)?[帮给替]我(?:查|找|搜|订|买|翻译|解释|介绍|推荐|打开|关掉?|发)一下$"
)
_LAST_ZH = re.compile("[吗呢吧么了啊呀啦嘛哦]$")
_ASKS_ZH = re.compile(r"什么|怎么|怎样|哪|谁|多少|多大|多久|多长|多远|为何|几[点个岁号天年月次]|(.)不\1")
# A request, with its verb: "请把这个" has none yet.
_REQUEST_ZH = re.compile(
    "(?:请?[帮给跟]我(?!的)|请(?![把给在从跟和对向用])|告诉我|讲|说说|打开|关|播放|介绍|推荐|翻译|写|停止|继续|再).{3}"
)

# Below this finality words that end so are taken for trailing off. Of pauses in which the words are open every other
# one is in the middle of a turn, and a slight doubt is enough; of those in which they are finished hardly any is.
_DOUBTED = {Ending.FINISHED: 0.1, Ending.OPEN: 0.8}

_MARKS = re.compile(r"[\s.,!?;:…。，！？；：、\"'“”‘’~—-]+$")
_SENTENCES = re.compile(r"[。！？!?]|\.\s")


def ending(text: str, language: str = "auto") -> Ending:
    """How ``text`` ends. ``language`` is its code where it is known, else it is told from the script."""
    text = text.rstrip(" \n\"'“”‘’")
    sentence = _SENTENCES.split(_MARKS.sub("", text))[-1].strip()
    mark = text[-1:]
    if not sentence:
        return Ending.OPEN
    if text.endswith(("..", "…")) or mark in ",，、;；:：-—":
        return Ending.TRAILING
    asked, said = mark in "?？", mark in ".。!！"
    code = language_of(sentence, language)
    found = None
    if code == "en":
        found = _english(re.findall(r"[\w']+", sentence.lower().replace("’", "'")), "," in sentence, asked)
    elif code in ("zh", "yue"):
        found = _chinese(sentence, asked)
    return found or (Ending.FINISHED if asked or said else Ending.OPEN)


def judged(words: Ending, finality: float | None) -> Ending:
    """How an utterance ends: as its ``words`` do, unless its sound says that more is to come.

    ``finality``, 0 to 1, is how likely its speaker is done by the sound alone; None where nobody told. It is never more
    than a doubt: a voice that ends surely in the middle of a sentence is common, one that is left hanging at its end
    is not.
    """
    doubt = _DOUBTED.get(words)
    return words if finality is None or doubt is None or finality >= doubt else Ending.TRAILING


def _english(words: list[str], comma: bool, asked: bool) -> Ending | None:
    """What the words of a sentence tell; None where they tell nothing. ``comma``: whether one stands in it."""
    if asked and len(words) == 1:
        return Ending.FINISHED  # "How?", "And?"
    *before, last = words
    phrase = " ".join(words[-3:])
    asks = last in _ASKS and len(words) > _SHORT_QUESTION_WORDS
    wants_object = _TRANSITIVE_PHRASE.search(phrase) and not (_OBJECT_BEFORE - {"how"}).intersection(before)
    if last in _NEVER_LAST or asks or wants_object or _NEVER_LAST_PHRASE.search(phrase):
        return Ending.TRAILING
    if asked:
        return Ending.FINISHED
    if last in _LAST_IF_ASKED:
        may_end = before and (before[0] in _YES_NO or before[-1] in _MAY_END_AFTER.get(last, ()))
        return Ending.OPEN if may_end else Ending.TRAILING
    if _LAST_IF_ASKED_PHRASE.search(phrase):
        return Ending.TRAILING
    if last in _TRANSITIVE and not _OBJECT_BEFORE.intersection(before):
        return Ending.TRAILING
    if words[0] in _SUBORDINATE and not comma and len(words) <= _ONE_CLAUSE_WORDS:
        return Ending.TRAILING
    return None


def _chinese(sentence: str, asked: bool) -> Ending | None:
    """The same of a Chinese sentence."""
    if _NEVER_LAST_ZH.search(sentence) or _NO_OBJECT_ZH.match(sentence):
        return Ending.TRAILING
    if asked:
        return Ending.FINISHED
    if _SUBORDINATE_ZH.match(sentence):
        return Ending.TRAILING
    if _LAST_ZH.search(sentence):
        return Ending.FINISHED
    wants_noun = sentence.endswith("的") and not _NO_NOUN_WANTED_ZH.search(sentence)
    if wants_noun or _LAST_IF_ASKED_ZH.search(sentence):
        return Ending.TRAILING
    if _MAY_END_ZH.search(sentence):
        return Ending.OPEN
    return Ending.FINISHED if _REQUEST_ZH.match(sentence) or _ASKS_ZH.search(sentence) else None
