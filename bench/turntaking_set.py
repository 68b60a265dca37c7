"""The end-of-turn test set: what is said, by which voice, with which pauses; and the sounds that nobody says.

Everything is made here, the same every time: speech by our own synthesizer, sounds from shaped noise. Half of the
sentences are ``held out``: thresholds are tuned on the other half.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
import numpy.typing as npt

from webui.audio.convert import resample
from webui.audio.vad import RATE
from webui.engines.protocols import SpeechRequest, Synthesizer
from webui.types import Audio, Samples

Wave = npt.NDArray[np.float64]

BEFORE, AFTER = 0.5, 3.0  # seconds of the room around what is said
ROOM = 10 ** (-60 / 20)  # -60 dBFS of noise under everything
SPEECH = 10 ** (-23 / 20)  # root mean square of speech
PAUSES = (0.5, 0.7, 0.9, 1.2)  # seconds, in turn
TRAILING = 1.2  # seconds until the rest comes

VOICES = {
    "en": "af_heart am_michael bf_emma am_puck bm_george af_bella".split(),
    "zh": "zf_xiaobei zm_yunjian zf_xiaoyi zm_yunxi zf_xiaoxiao zm_yunyang".split(),
}
# A stroke is where the pause is.
SAID = {
    ("finished", "en"): """
        What's the weather like in Paris today?
        How many people live in Tokyo?
        Where did I put my keys?
        Could you recommend a good book?
        Do you know who wrote Hamlet?
        Please set a timer for ten minutes.
        Tell me a joke about penguins.
        Turn off the kitchen lights.
        Translate good morning into Chinese.
        My brother works at a hospital in Boston.
        I finished reading the novel last night.
        We had dinner with our neighbours on Sunday.
        That sounds like a good idea to me.
        I don't think it will rain tomorrow.
        No, I have never been there before.
        The blue one, please.""",
    ("finished", "zh"): """
        今天北京的天气怎么样？
        东京有多少人口？
        你会说几种语言？
        这道菜应该怎么做？
        你能推荐一本好书吗？
        请帮我定一个十分钟的闹钟。
        给我讲一个关于企鹅的笑话。
        把厨房的灯关掉。
        把早上好翻译成英文。
        我哥哥在上海的一家医院工作。
        昨天晚上我看完了那本小说。
        我们周末和邻居一起吃了晚饭。
        我觉得这是个好主意。
        明天应该不会下雨。
        我从来没有去过那里。
        我要蓝色的那个。""",
    ("paused", "en"): """
        I would like to | book a table for two.
        Can you tell me how | to get to the station?
        My sister, who lives in | Canada, is coming to visit.
        The reason I am calling is | that my order has not arrived.
        I was wondering if | you could help me with my homework.
        When I get home tonight | I want to cook something simple.
        Please send an email to | my manager about the meeting.
        What is the difference between | a frog and a toad?
        I need a recipe for | chocolate cake without eggs.
        We went to the mountains | and stayed in a little cabin.
        Yesterday I bought a | new pair of running shoes.
        Could you explain why | the sky is blue?
        The best thing about my job is | the people I work with.
        How long does it take | to fly from London to Rome?
        Remind me tomorrow morning | to call the dentist.
        I think we should | leave before it gets dark.""",
    ("paused", "zh"): """
        我想请你 | 帮我订一张桌子。
        你能告诉我怎么 | 去火车站吗？
        我姐姐住在 | 加拿大，她下个月来看我。
        我打电话是因为 | 我的订单还没有到。
        我想知道你能不能 | 帮我看一下作业。
        今天晚上回家以后 | 我想做点简单的饭。
        请给我的经理 | 发一封邮件。
        青蛙和蟾蜍之间 | 有什么区别？
        我需要一个 | 不放鸡蛋的蛋糕食谱。
        我们去了山里 | 住在一个小木屋里。
        昨天我买了一双 | 新的跑步鞋。
        你可以解释一下为什么 | 天空是蓝色的吗？
        我最喜欢这份工作的 | 地方是同事都很友好。
        从伦敦飞到罗马 | 要多长时间？
        明天早上提醒我 | 给牙医打电话。
        我觉得我们应该 | 天黑以前出发。""",
    ("trailing", "en"): """
        I went to the shop, and so… | I bought some milk.
        It was a good film, but… | the ending was too long.
        I wanted to ask you about, um… | the trip next week.
        I like it because… | it reminds me of home.
        Let me think, it was… | the third of March.
        You know, the thing is… | I am not very hungry.
        We could go by train, or… | we could take the car.
        For dinner I would like some… | soup and bread.""",
    ("trailing", "zh"): """
        我去了商店，然后… | 我买了一些牛奶。
        这部电影很好看，但是… | 结局太长了。
        我想问一下那个… | 下个星期的旅行。
        我喜欢它是因为… | 它让我想起家乡。
        让我想想，好像是… | 三月三号。
        就是说，其实… | 我不太饿。
        我们可以坐火车，或者… | 自己开车去。
        晚饭我想吃一点… | 汤和面包。""",
    (
        "backchannel",
        "en",
    ): "Mm-hmm.\nUh-huh.\nYeah.\nRight.\nOkay.\nI see.\nOh.\nHmm.\nYeah, yeah.\nGot it.\nSure.\nAh, okay.",
    (
        "backchannel",
        "zh",
    ): "嗯。\n嗯嗯。\n对。\n好的。\n是的。\n哦。\n对对对。\n是啊。\n明白。\n哦，这样啊。\n好。\n知道了。",
    ("interruption", "en"): """
        Stop.
        Wait.
        No.
        Wait, no.
        Hold on.
        Stop talking, please.
        That's not what I asked.
        Can you say that again?
        What about tomorrow?
        Actually, I meant the other one.""",
    ("interruption", "zh"): """
        停。
        等一下。
        不对。
        别说了。
        停一下，别说了。
        不是，我不是这个意思。
        你能再说一遍吗？
        那明天呢？
        我说的是另一个。
        换个话题吧。""",
}
TWICE = ("finished", "backchannel")  # said by two voices each


@dataclass(frozen=True)
class Item:
    """Something that happens at the microphone. ``gap`` is the pause in seconds between what is ``said``.

    ``kind`` is a key of ``SAID``, or ``noise``, where ``said`` is the sound's name and ``language`` says where it is
    from: ``made`` or ``real``.
    """

    kind: str
    language: str
    said: tuple[str, ...]
    held_out: bool
    voice: str = ""
    gap: float = 0.0


@dataclass(frozen=True, eq=False)
class Recording:
    """An item as a microphone hears it, at 16 kHz; ``over`` is when the person is done, in seconds."""

    samples: Samples
    over: float


def spoken() -> Iterator[Item]:
    """Everything that is said."""
    for (kind, language), texts in SAID.items():
        voices, gaps = cycle(VOICES[language]), cycle(PAUSES if kind == "paused" else (TRAILING,))
        for number, line in enumerate(texts.strip().split("\n")):
            said, gap = tuple(part.strip() for part in line.split("|")), next(gaps)
            for _ in range(2 if kind in TWICE else 1):
                yield Item(kind, language, said, number % 2 == 1, next(voices), gap)


def noises() -> dict[str, Samples]:
    """Sounds of a person who does not speak and of a room, shaped from noise."""
    rng = np.random.default_rng(3)
    out: dict[str, Wave] = {}
    for number, (length, low, high) in enumerate(((0.25, 300, 2500), (0.3, 250, 1800), (0.22, 400, 3500))):
        burst = _band(rng, length, low, high) * _decay(length, 0.06)
        again = _band(rng, length, low, high) * _decay(length, 0.08) * 0.7
        out[f"cough {number + 1}"] = np.concatenate((burst, np.zeros(RATE // 8), again))
    for number, length in enumerate((0.6, 1.0)):
        out[f"breath {number + 1}"] = _band(rng, length, 500, 5000) * np.hanning(round(length * RATE)) * 0.15
    out["keys"] = np.concatenate([_band(rng, 0.12, 1500, 7000) * _decay(0.12, 0.01) for _ in range(8)])
    out["knocks"] = np.concatenate([_band(rng, 0.3, 80, 500) * _decay(0.3, 0.03) for _ in range(3)])
    out["door"] = _band(rng, 0.5, 50, 900) * _decay(0.5, 0.1)
    out["fan"] = _band(rng, 2.0, 100, 1000) * 0.1
    return {name: np.asarray(sound, np.float32) for name, sound in out.items()}


def _band(rng: np.random.Generator, seconds: float, low: float, high: float) -> Wave:
    """Noise between two frequencies in Hz, with a peak of 0.5."""
    spectrum = np.fft.rfft(rng.standard_normal(round(seconds * RATE)))
    frequencies = np.fft.rfftfreq(round(seconds * RATE), 1 / RATE)
    spectrum[(frequencies < low) | (frequencies > high)] = 0
    noise = np.fft.irfft(spectrum, round(seconds * RATE))
    return np.asarray(0.5 * noise / np.abs(noise).max(), np.float64)


def _decay(seconds: float, by: float) -> Wave:
    """Falls to a third every ``by`` seconds."""
    return np.exp(-np.arange(round(seconds * RATE), dtype=np.float64) / (by * RATE))


class Studio:
    """Records items; keeps what was synthesised in ``folder``."""

    def __init__(self, synthesizer: Synthesizer, folder: Path) -> None:
        self._synthesizer = synthesizer
        self._folder = folder

    def record(self, item: Item) -> Recording:
        """What the microphone hears while ``item`` is said."""
        clips = [self._clip(text, item.language, item.voice) for text in item.said]
        pause = np.zeros(round(item.gap * RATE), np.float32)
        return in_room(np.concatenate([part for clip in clips for part in (pause, clip)][1:]))

    def _clip(self, text: str, language: str, voice_id: str) -> Samples:
        name = hashlib.sha256(f"{voice_id} {language} {text}".encode()).hexdigest()[:16]
        path = self._folder / f"{name}.npy"
        if not path.exists():
            voice = next(v for v in self._synthesizer.voices() if v.id == voice_id)
            chunks = list(self._synthesizer.synthesize(SpeechRequest(text, voice, language=language)))
            whole = np.concatenate([chunk.audio.samples for chunk in chunks])
            self._folder.mkdir(parents=True, exist_ok=True)
            np.save(path, _level(trim(resample(Audio(whole, chunks[0].audio.rate), RATE).samples)))
        return np.asarray(np.load(path), np.float32)


def in_room(sound: Samples) -> Recording:
    """``sound`` at 16 kHz with the room's noise before, under and after it."""
    samples = np.pad(sound, (round(BEFORE * RATE), round(AFTER * RATE)))
    noise = np.random.default_rng(len(sound)).standard_normal(len(samples)) * ROOM
    return Recording(np.clip(samples + noise, -1, 1).astype(np.float32), BEFORE + len(sound) / RATE)


def trim(samples: Samples) -> Samples:
    """Without what is 40 dB below its loudest, before and after: so that its end is the end of the speech."""
    loud = np.flatnonzero(np.abs(samples) > np.abs(samples).max() / 100)
    return samples[loud[0] : loud[-1] + 1]


def _level(samples: Samples) -> Samples:
    return np.asarray(samples * SPEECH / np.sqrt((samples**2).mean()), np.float32)
