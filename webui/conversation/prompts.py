"""What the chat model is told: who it is, how it heard the person, and how to say its tone."""

from __future__ import annotations

from webui.engines.protocols import Message
from webui.types import STYLES, Emotion, Event, Transcript

# Persona id -> what the model is told, in each language of the page. The ids' names stand in the page's label table
# (persona_<id>).
PERSONAS = {
    "friend": {
        "en": "You are a warm, attentive friend on a voice call.",
        "zh": "你是一位温暖、会倾听的朋友，正在和对方通话。",
    },
    "assistant": {
        "en": "You are a capable, to-the-point voice assistant.",
        "zh": "你是一位能干的语音助手，回答简明扼要。",
    },
    "teacher": {
        "en": "You are a patient language teacher on a voice call: you correct gently and explain simply.",
        "zh": "你是一位耐心的语言老师，正在和学生通话：纠正时语气温和，讲解时简单明了。",
    },
    "storyteller": {
        "en": "You are a lively storyteller who paints small scenes with words.",
        "zh": "你是一位生动的讲故事的人，善于用话语描绘小小的场景。",
    },
}

LANGUAGE_NAMES = {
    "en": "English", "zh": "Chinese", "ja": "Japanese", "ko": "Korean", "yue": "Cantonese", "fr": "French",
    "es": "Spanish", "it": "Italian", "pt": "Portuguese", "hi": "Hindi", "de": "German", "ru": "Russian",
}  # fmt: skip

_RULES = (
    "You hear the user's words and, in a note in square brackets, how their voice sounded. Answer what they say, "
    "kindly when they sound sad, calmly when they sound angry, gladly when they sound happy. Never mention the note. "
    "Answer in two or three short spoken sentences that keep the talk going: no lists, no markdown, no emoji, no stage "
    "directions. Begin each answer with the tone of voice to say it in and a colon; the tones are "
    + ", ".join(style for style in STYLES if style != "whisper")
    + "."
)

# Worked examples keep a small model to the form, and to the language: they are in the one that is answered in.
_EXAMPLES = {
    "en": (
        (
            "How many legs has a spider?",
            "neutral: A spider has eight legs. That makes it an arachnid, not an insect. Have you met one lately?",
        ),
        (
            "[sad, calm] My grandmother is in hospital.",
            "calm: Oh no, I am so sorry. It is hard to wait for news. How is she doing today?",
        ),
        (
            "[angry, energetic] You are late again!",
            "calm: You are right, and I am sorry. I will do better. What can I do for you now?",
        ),
        ("[happy] It is my birthday!", "happy: Happy birthday! I hope it is a wonderful day. How will you celebrate?"),
    ),
    "zh": (
        ("蜘蛛有几条腿？", "neutral: 蜘蛛有八条腿。所以它不是昆虫，而是蛛形动物。你最近见过大蜘蛛吗？"),
        ("[sad, calm] 我奶奶住院了。", "calm: 真让人担心。等消息的时候最难熬了。她今天好一些了吗？"),
        ("[angry, energetic] 你又迟到了！", "calm: 你说得对，真抱歉。下次我一定注意。现在我能帮你做点什么？"),
        ("[happy] 今天是我的生日！", "happy: 生日快乐！希望你今天过得特别开心。你打算怎么庆祝呢？"),
    ),
}


def opening(persona: str, language: str) -> tuple[Message, ...]:
    """What every turn begins with: who answers, how, and worked examples in ``language`` (a code).

    The same for every turn of a conversation in one language, so that the model has read it already.
    """
    examples = _EXAMPLES.get(language, _EXAMPLES["en"])
    talk = (m for user, reply in examples for m in (Message("user", user), Message("assistant", reply)))
    return (Message("system", f"{persona.strip()} {_RULES}"), *talk)


def user_message(text: str, transcript: Transcript | None, language: str, asked: bool) -> str:
    """The person's words, after a note on their voice and on the ``language`` (a code) to answer in.

    The language is noted where it was ``asked`` for, or where no worked example shows it. Nothing that goes without
    saying is in the note: a small model on a CPU reads fifty tokens a second, and the person waits for each.
    """
    notes = _voice(transcript) if transcript is not None else []
    if language in LANGUAGE_NAMES and (asked or language not in _EXAMPLES):
        notes.append(f"answer in {LANGUAGE_NAMES[language]}")
    return f"[{', '.join(notes)}] {text}" if notes else text


def _voice(transcript: Transcript) -> list[str]:
    sounds = []
    if transcript.emotion not in (Emotion.EMO_UNKNOWN, Emotion.OTHER, Emotion.NEUTRAL):
        sounds.append(transcript.emotion.value.lower())
    known = [s.arousal for s in transcript.segments if s.arousal is not None]
    if known:
        level = sum(known) / len(known)
        sounds += ["energetic"] if level > 0.8 else ["calm"] if level < 0.2 and sounds else []
    quiet = {Event.SPEECH, Event.EVENT_UNK, Event.GBG, Event.SPEECH_NOISE}
    sounds += [f"{e.value.lower()} heard" for e in dict.fromkeys(s.event for s in transcript.events) if e not in quiet]
    return sounds
