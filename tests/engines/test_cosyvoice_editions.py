"""What CosyVoice 1 and 3 of the official repository are asked, by a stand-in with its signatures that records it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.scripted import tone
from webui.config import ROOT, Settings
from webui.engines.cosyvoice import CosyVoiceSynthesizer
from webui.engines.cosyvoice_voices import PLANS
from webui.engines.protocols import SpeechRequest
from webui.engines.store import ModelStore
from webui.errors import EngineError, ModelError
from webui.types import Audio, Style, Voice

PYTHON = ROOT / ".cache" / "env-cosyvoice" / "bin" / "python"
OFFICIAL = ROOT / "tests" / "official_cosyvoice"
V3 = "You are a helpful assistant.<|endofprompt|>"

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not PYTHON.exists(), reason="no environment: bash scripts/engine_envs.sh cosyvoice"),
]


class Asked:
    """An engine of one generation, and what the library was asked since the last look."""

    def __init__(self, engine: CosyVoiceSynthesizer, calls: Path) -> None:
        self.engine, self._calls, self._seen = engine, calls, 0

    def say(self, text: str, voice: Voice, **more: object) -> list[dict[str, Any]]:
        self.look()
        chunks = list(self.engine.synthesize(SpeechRequest(text, voice, **more)))  # type: ignore[arg-type]
        assert max(np.abs(chunk.audio.samples).max() for chunk in chunks) <= 1.0, "the stand-in's 1.5 is clipped"
        return self.look()

    def look(self) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self._calls.read_text().splitlines()] if self._calls.exists() else []
        new, self._seen = lines[self._seen :], len(lines)
        return new


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Any:
    engines: list[CosyVoiceSynthesizer] = []
    patch = pytest.MonkeyPatch()

    def made(number: int, name: str, speakers: tuple[str, ...] = (), **more: object) -> Asked:
        box = tmp_path_factory.mktemp("edition")
        folder = box / name
        folder.mkdir()
        (folder / PLANS[number]).write_text("sample_rate: 24000\n")
        if speakers:
            store = f"{{name: {{'embedding': torch.zeros(1, 192)}} for name in {speakers!r}}}"
            subprocess.run(
                [PYTHON, "-c", f"import torch; torch.save({store}, {str(folder / 'spk2info.pt')!r})"], check=True
            )
        patch.setenv("COSYVOICE_CALLS", str(box / "calls"))
        settings = Settings(cosyvoice_model=str(folder), cosyvoice_code=OFFICIAL, threads=1, device="cpu", **more)  # type: ignore[arg-type]
        engine = CosyVoiceSynthesizer(ModelStore(box), settings)
        engines.append(engine)
        asked = Asked(engine, box / "calls")
        engine.load()
        return asked

    yield made
    for engine in engines:
        engine.close()
    patch.undo()


Make = Callable[..., Asked]


@pytest.fixture(scope="module")
def first(make: Make) -> Asked:
    return make(1, "CosyVoice-300M-Instruct", ("中文女", "英文男"))


@pytest.fixture(scope="module")
def third(make: Make) -> Asked:
    return make(3, "Fun-CosyVoice3-0.5B")


def clip(text: str = "I am the one who speaks here.", seconds: float = 3.0, rate: int = 44_100) -> Voice:
    return Voice("mine", "Mine", ("en",), kind="cloned", sample=tone(seconds, rate), sample_text=text)


MAN = Voice("英文男", "", ("en",))


def spoken(calls: list[dict[str, Any]]) -> dict[str, Any]:
    """The one call that speaks."""
    (call,) = [call for call in calls if call["call"].startswith("inference")]
    return call


def test_the_first_speaks_as_it_was_trained(first: Asked) -> None:
    call = spoken(first.say("I have 3 cats.", MAN))
    assert (call["call"], call["text"], call["speed"]) == ("inference_sft", "I have three cats.", 1.0)
    voices = first.engine.voices()
    assert [(voice.id, voice.languages[0], voice.gender) for voice in voices[:2]] == [
        ("中文女", "zh", "female"),
        ("英文男", "en", "male"),
    ]
    chunks = list(first.engine.synthesize(SpeechRequest("Hello.", MAN)))
    assert {chunk.audio.rate for chunk in chunks} == {22050}


def test_the_first_is_told_in_words(first: Asked) -> None:
    call = spoken(first.say("Hello there.", MAN, style=Style("happy")))
    assert (call["call"], call["text"]) == ("inference_instruct", "Hello there.")
    assert call["instruct"] == "Speak happily<|endofprompt|>"


def test_the_first_names_the_language_of_a_borrowed_voice(first: Asked) -> None:
    assert spoken(first.say("你好。", clip()))["text"] == "<|zh|>你好。"
    assert spoken(first.say("Hello there.", clip("")))["text"] == "<|en|>Hello there."
    same = spoken(first.say("Hello there.", clip()))
    assert (same["call"], same["text"]) == ("inference_zero_shot", "Hello there.")
    assert same["prompt"] == "I am the one who speaks here."


def test_a_plain_first_refuses_an_instruction(make: Make) -> None:
    plain = make(1, "CosyVoice-300M-SFT", ("英文男",))
    assert isinstance(plain.engine.info.capabilities["instruction"], str)
    with pytest.raises(EngineError) as caught:
        plain.say("Hello.", MAN, style=Style(instruction="softly"))
    assert caught.value.key == "instruction_missing"
    assert spoken(plain.say("Hello.", MAN, style=Style("sad")))["call"] == "inference_sft"


def test_a_clip_is_embedded_once_and_left_as_it_was(third: Asked) -> None:
    mine = clip("Only once.")
    first, second, third_time = (third.say("Hello there.", mine) for _ in range(3))
    assert [call["seconds"] for call in first if call["call"] == "add_zero_shot_spk"] == [3.0]
    assert [call["call"] for call in second] == [call["call"] for call in third_time] == ["inference_zero_shot", "tts"]
    assert spoken(second)["prompt"] == spoken(third_time)["prompt"] == V3 + "Only once."


def test_the_third_has_its_preamble(third: Asked) -> None:
    same, other = spoken(third.say("Hello there.", clip())), spoken(third.say("你好。", clip()))
    assert (same["call"], same["text"]) == ("inference_zero_shot", "Hello there.")
    assert same["prompt"] == V3 + "I am the one who speaks here."
    assert (other["call"], other["text"]) == ("inference_cross_lingual", V3 + "你好。")
    told = spoken(third.say("你好。", clip(), style=Style("happy", instruction="慢一点")))
    manner = "You are a helpful assistant. 用开心的语气说。慢一点<|endofprompt|>"
    assert (told["call"], told["text"], told["instruct"], told["prompt"]) == (
        "inference_instruct2",
        "你好。",
        manner,
        manner,
    )


def test_the_third_reads_katakana(third: Asked) -> None:
    call = spoken(third.say("歴史は[laughter]過ぎ去った。", clip("これは私の声です。")))
    assert call["text"] == "レキシ ワ[laughter]スギサッ タ。"


def test_what_is_spoken_has_no_foreign_tags(third: Asked) -> None:
    text = "Well [laughter]<strong>yes</strong> <b>so</b><|HAPPY|> [j][ǐ] [cough] <|endofprompt|>ok."
    call = spoken(third.say(text, clip(), style=Style(instruction="sad<|endofprompt|> and slow")))
    assert call["text"] == "Well [laughter]<strong>yes</strong> so [j][ǐ] ok."
    assert call["instruct"] == "You are a helpful assistant. sad and slow<|endofprompt|>"


def test_the_third_says_a_word_as_it_is_told_to(third: Asked) -> None:
    call = spoken(third.say("我在{重庆|chong2 qing4}，{read|R EH1 D}了3次。", clip()))
    assert call["text"].removeprefix(V3) == "我在[ch][óng][q][ìng]，[R][EH1][D]了三次。"
    said = SpeechRequest("我在{重庆|chong2 qing4} [laughter]。", clip())
    assert [chunk.text for chunk in third.engine.synthesize(said) if chunk.text] == ["我在重庆。"]
    with pytest.raises(EngineError) as caught:  # its tokens do not have every sound
        third.say("{Beijing|bei3 jing1}", clip())
    assert (caught.value.key, caught.value.values) == ("readings_unknown", {"word": "Beijing"})


def test_which_marks_a_generation_takes(first: Asked, third: Asked) -> None:
    able = first.engine.info.capabilities
    assert isinstance(able["tokens"], str) and able["token_breath"] is True and isinstance(able["readings"], str)
    assert third.engine.info.capabilities["tokens"] is third.engine.info.capabilities["readings"] is True
    with pytest.raises(EngineError) as caught:
        first.say("{重庆|chong2 qing4}很大。", MAN)
    assert caught.value.key == "readings_unknown"
    call = spoken(first.say("Oh [breath] no [cough] <strong>no</strong>.", MAN))
    assert call["text"] == "Oh [breath] no <strong>no</strong>."


@pytest.mark.parametrize("name", ["cosyvoice3-0.5b", "cosyvoice2-0.5b", "cosyvoice-300m-instruct", "cosyvoice-300m"])
def test_what_it_can_do_is_known_before_it_is_loaded(name: str, third: Asked, first: Asked, tmp_path: Path) -> None:
    engine = CosyVoiceSynthesizer(ModelStore(tmp_path), Settings(cosyvoice_model=name, cosyvoice_code=OFFICIAL))
    able = engine.info.capabilities
    loaded = {"cosyvoice3-0.5b": third, "cosyvoice-300m-instruct": first}.get(name)
    if loaded:
        assert able == loaded.engine.info.capabilities
    assert able["seed"] is able["energy"] is able["clone"] is True
    assert all(why is True or why.endswith(".") for why in able.values())


def test_a_stretch_of_stress_ends_with_its_sentence(third: Asked) -> None:
    text = "<strong>" + "This is a sentence that is long. " * 9 + "</strong>"
    texts = [call["text"] for call in third.say(text, clip()) if call["call"].startswith("inference")]
    assert len(texts) > 1
    assert all(text.count("<strong>") == text.count("</strong>") == 1 for text in texts)


def test_each_sentence_finds_the_model_as_it_was(third: Asked) -> None:
    calls = [call for _ in range(2) for call in third.say("This is a sentence that is long. " * 9, clip())]
    hops = [call["hop"] for call in calls if call["call"] == "tts"]
    assert len(hops) >= 4
    assert set(hops) == {25}


def test_a_seeded_sentence_is_made_whole(third: Asked) -> None:
    assert spoken(third.say("Hello there.", clip(), seed=1))["stream"] is False
    assert spoken(third.say("Hello there.", clip()))["stream"] is True


def test_a_long_recording_is_converted_in_parts(third: Asked) -> None:
    third.look()
    source = tone(70.0, 16_000)
    chunks = list(third.engine.convert(source, clip(seconds=4.0)))
    parts = [call["source"] for call in third.look() if call["call"] == "inference_vc"]
    assert len(parts) == 3
    assert max(parts) <= 28.0
    assert sum(parts) == pytest.approx(70.0, abs=0.1)
    assert sum(chunk.audio.duration for chunk in chunks) > 20


def test_clips_leave_no_files(third: Asked, tmp_path: Path) -> None:
    before = set(Path("/tmp").glob("**/prompt.wav"))
    third.say("Hello there.", clip("Where are the files?"))
    assert set(Path("/tmp").glob("**/prompt.wav")) <= before


def test_switches_need_a_gpu(make: Make) -> None:
    with pytest.raises(ModelError) as caught:
        make(3, "Fun-CosyVoice3-0.5B", cosyvoice_fp16=True)
    assert caught.value.key == "cosyvoice_no_gpu"
    with pytest.raises(ModelError) as caught:
        make(1, "CosyVoice-300M", cosyvoice_vllm=True)
    assert caught.value.key == "cosyvoice_no_switch"


def test_an_instruction_is_never_text(third: Asked) -> None:
    for voice in (clip(), clip("")):
        call = spoken(third.say("Hello there.", voice, style=Style(instruction="Say it like a pirate")))
        assert "pirate" not in call["text"]


def test_silence_is_no_source(third: Asked) -> None:
    with pytest.raises(Exception, match="too short"):
        list(third.engine.convert(Audio(np.zeros(10, np.float32), 16_000), clip()))
