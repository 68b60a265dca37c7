"""Whether what somebody has said so far sounds finished: by the words alone, as a listener on the telephone would tell.

The words are a recognizer's, which puts full stops even behind words that trail off, and writes Chinese with marks or
without. So the last words count for more than the mark behind them. English and Chinese have tables; any other
language is judged by its marks.
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
    "and but or nor because if although though unless whether than the a an my your our their every how which whose "
    "very quite um uh er erm".split()
)
# These end a question ("Where are you from?") and nothing else.
_LAST_IF_ASKED = frozenset(
    "so while when until since as to for of with without from at into onto between during through about under in on "
    "by over i we he she they it's i'm you're we're they're he's she's that's there's i'll we'll i'd i've we've let's "
    "is are was were be been am will would can could should shall may might must does did have has had "
    "just also even like well plus its some any each".split()
)
# Words of the list above that do end an answer where one of the others stands before: "Yes, it is", "Turn it on".
_AFTER_SUBJECT = "i you we he she it they".split()
_AFTER_VERB = "it them him her that come go went hold log sign".split()
_MAY_END_AFTER = {
    **dict.fromkeys("is are was am were will would can could should did have has had".split(), _AFTER_SUBJECT),
    **dict.fromkeys("on in over by through about".split(), _AFTER_VERB),
    "so": "think hope guess suppose said say believe".split(),
    "well": "very as really it you going do did".split(),
}
_NEVER_LAST_PHRASE = re.compile(
    r"\b(?:i (?:think|mean|guess|want|need|believe|was wondering|don't think|wonder)|(?:i'd|would|you) like|"
    r"(?:tell|show|give|let|help) me|for example|such as|(?:kind|sort|lot) of|you know|going to|"
    r"(?:think|thought|believe|said|say|hope|mean|sure) that)$"
)
# A clause that begins so wants another, unless there is a comma in it or it is too long to be one clause only.
_SUBORDINATE = frozenset("if when while although though unless whenever once".split())
_ONE_CLAUSE_WORDS = 7

# The same for Chinese, by the last characters.
_NEVER_LAST_ZH = tuple(
    "然后 但是 可是 不过 因为 由于 所以 因此 如果 要是 假如 虽然 尽管 而且 并且 或者 还是 还有 以及 比如 比如说 例如 "
    "就是说 那么 于是 另外 接着 首先 其次 的话 和 跟 与 把 被 将 关于 对于 至于 根据 为了 除了 通过 怎么 如何 "
    "请问 请你 我想请 帮我 告诉我 你能 你可以 能不能 可不可以 是不是 会不会 有没有 嗯 呃 额".split()
)
_LAST_IF_ASKED_ZH = tuple(
    "就是 我是 我在 我有 我想 我要 我能 我会 我可以 我们想 我们要 想要 需要 应该 觉得 认为 希望 打算 准备 "
    "我的 你的 他的 她的 我们的 从 在 给 向 往 每次 其实 已经 一直 总是 可能 也许 大概 非常 特别 比较 很 最 更 太 还 也 "
    "一个 一张 一本 一些 一家 一位 一种 一条 几个 这个 那个 这种 那种 我 我们 他 他们 她".split()
)
_LAST_ALL_THE_SAME_ZH = tuple("现在 不在 还在 存在 实在 给我 太太".split())
_SUBORDINATE_ZH = tuple("如果 要是 假如 虽然 尽管 既然 只要 除非 每当 当".split())
_SECOND_CLAUSE_ZH = re.compile("[，,]|就|那|但|也|都|才|还")
_LAST_ZH = tuple("吗 呢 吧 么 了 啊 呀 啦 嘛 哦".split())
_ASKS_ZH = re.compile(r"什么|怎么|怎样|哪|谁|多少|多大|多久|多长|多远|为何|几[点个岁号天年月次]|(.)不\1")
_REQUESTS_ZH = tuple("请 帮我 给我 告诉我 跟我 讲 说说 打开 关掉 关闭 播放 介绍 推荐 翻译 写 停止 继续 再".split())
_SHORTEST_REQUEST_ZH = 5  # characters

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


def _english(words: list[str], comma: bool, asked: bool) -> Ending | None:
    """What the words of a sentence tell; None where they tell nothing. ``comma``: whether one stands in it."""
    if asked and len(words) == 1:
        return Ending.FINISHED  # "How?", "And?"
    *before, last = words
    if last in _NEVER_LAST:
        return Ending.TRAILING
    if asked:
        return Ending.FINISHED
    if before and before[-1] in _MAY_END_AFTER.get(last, ()):
        return Ending.OPEN
    if last in _LAST_IF_ASKED or _NEVER_LAST_PHRASE.search(" ".join(words)):
        return Ending.TRAILING
    if words[0] in _SUBORDINATE and not comma and len(words) <= _ONE_CLAUSE_WORDS:
        return Ending.TRAILING
    return None


def _chinese(sentence: str, asked: bool) -> Ending | None:
    """The same of a Chinese sentence."""
    whole = sentence.endswith(_LAST_ALL_THE_SAME_ZH)
    if sentence.endswith(_NEVER_LAST_ZH) and not whole:
        return Ending.TRAILING
    if asked:
        return Ending.FINISHED
    if sentence.startswith(_SUBORDINATE_ZH) and not _SECOND_CLAUSE_ZH.search(sentence):
        return Ending.TRAILING
    if sentence.endswith(_LAST_ZH):
        return Ending.FINISHED
    if sentence.endswith(_LAST_IF_ASKED_ZH) and not whole:
        return Ending.TRAILING
    requested = sentence.startswith(_REQUESTS_ZH) and len(sentence) >= _SHORTEST_REQUEST_ZH
    return Ending.FINISHED if requested or _ASKS_ZH.search(sentence) else None
