import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soxr

from webui.audio.prosody import NAMES, measure
from webui.config import ROOT, Settings
from webui.engines.g2p import G2P, SYMBOL_IDS
from webui.engines.g2p_readings import symbols
from webui.engines.kokoro import KokoroSynthesizer
from webui.engines.kokoro_plan import plan, size
from webui.engines.kokoro_voices import is_british
from webui.engines.protocols import SpeechRequest
from webui.engines.store import Found, ModelStore
from webui.errors import EngineError
from webui.text.marks import Reading
from webui.text.phones import CONSONANTS, FINALS, VOWELS
from webui.text.spoken import plain
from webui.types import Audio, SpeechChunk, Style, Voice

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(
        not ModelStore(ROOT / "models").present("kokoro-voices"),
        reason="these name voices of the 54, which come from a hub or by npm, and neither is here",
    ),
]

ENGLISH = "What will the weather be like tomorrow?"
NEUTRAL = Style()
READ = G2P()
CHINESE = "明天早上我们在学校门口见面。"


@pytest.fixture(scope="module")
def kokoro() -> Iterator[KokoroSynthesizer]:
    engine = KokoroSynthesizer(ModelStore(ROOT / "models"), Settings(threads=1))
    engine.load()
    yield engine
    engine.close()
    assert not engine.info.loaded


@pytest.fixture(scope="module")
def voice(kokoro: KokoroSynthesizer) -> dict[str, Voice]:
    return {v.id: v for v in kokoro.voices()}


@pytest.fixture(scope="module")
def hear():
    """What Whisper hears in 24 kHz sound: lower-case words in English, characters in Chinese and Japanese."""
    from faster_whisper import WhisperModel
    from faster_whisper.audio import pad_or_trim
    from faster_whisper.tokenizer import Tokenizer

    folder = str(ModelStore(ROOT / "models").ensure("whisper-base"))
    whisper = WhisperModel(folder, compute_type="int8", cpu_threads=1)

    def hear(sound: np.ndarray, language: str) -> list[str]:
        features = whisper.feature_extractor(soxr.resample(sound, 24_000, 16_000))
        encoded = whisper.encode(pad_or_trim(features, 800))  # eight seconds, a quarter of the usual work
        tokenizer = Tokenizer(whisper.hf_tokenizer, True, task="transcribe", language=language)
        prompt = whisper.get_prompt(tokenizer, [], without_timestamps=True)
        (result,) = whisper.model.generate(encoded, [prompt], beam_size=1)
        return units(tokenizer.decode(result.sequences_ids[0]), language)

    return hear


@pytest.fixture(scope="module")
def say(kokoro: KokoroSynthesizer, voice: dict[str, Voice]):
    """The English sentence in a voice and style, each made once."""

    @cache
    def say(who: str, style: Style = NEUTRAL, speed: float = 1.0) -> np.ndarray:
        return sound_of(list(kokoro.synthesize(SpeechRequest(ENGLISH, voice[who], style, speed))))

    return say


def units(text: str, language: str) -> list[str]:
    from opencc import OpenCC

    simplified = OpenCC("t2s").convert(text) if language == "zh" else text
    text = re.sub(r"[^\w\s]", "", simplified.lower())
    return text.split() if language == "en" else list(re.sub(r"\s", "", text))


def errors(heard: list[str], said: list[str]) -> float:
    row = list(range(len(said) + 1))
    for i, h in enumerate(heard, 1):
        above, row[0] = row[0], i
        for j, s in enumerate(said, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (h != s))
    return row[-1] / len(said)


def sound_of(chunks: list[SpeechChunk]) -> np.ndarray:
    return np.concatenate([c.audio.samples for c in chunks])


def melody(sound: np.ndarray) -> tuple[float, float, float]:
    """Median F0 in Hz, its spread (in semitones, middle 80 %), and how much of the sound is voiced."""
    n, rate = 960, 24_000
    found, loud = [], 0
    for i in range(0, len(sound) - n, 240):
        frame = sound[i : i + n]
        if np.sqrt((frame**2).mean()) < 0.1 * np.sqrt((sound**2).mean()):
            continue
        loud += 1
        power = np.fft.irfft(np.abs(np.fft.rfft(frame - frame.mean(), 2 * n)) ** 2)[:n]
        match = power / power[0] * n / (n - np.arange(n))
        lag = rate // 400 + int(np.argmax(match[rate // 400 : rate // 65]))
        if match[lag] > 0.6:
            found.append(rate / lag)
    semitones = 12 * np.log2(np.array(found or [1.0]))
    low, high = np.percentile(semitones, [10, 90])
    return float(np.median(found or [0.0])), float(high - low), len(found) / loud


def test_54_voices_each_with_its_own_language_first(kokoro: KokoroSynthesizer, voice: dict[str, Voice]) -> None:
    assert len(voice) == 54
    assert voice["af_heart"].name == "Heart (US)"
    assert voice["zf_xiaobei"].languages[:2] == ("zh", "en")
    assert voice["bm_george"].gender == "male"
    assert all(set(v.languages) == set(kokoro.info.languages) and v.licence for v in voice.values())
    assert all(why is True or why.endswith(".") for why in kokoro.info.capabilities.values())


@pytest.mark.parametrize(
    ("who", "text", "language"),
    [
        ("af_heart", ENGLISH, "en"),
        ("zf_xiaobei", CHINESE, "zh"),
        ("zm_yunjian", ENGLISH, "en"),
        ("am_puck", CHINESE, "zh"),
    ],
)
def test_any_voice_says_the_words_in_either_language(kokoro, voice, hear, who: str, text: str, language: str) -> None:
    chunks = list(kokoro.synthesize(SpeechRequest(text, voice[who])))
    assert errors(hear(sound_of(chunks), language), units(text, language)) <= 0.15


def test_a_mixed_text_is_said_in_one_voice(kokoro, voice, hear) -> None:
    text = "老师对我说 good morning，然后开始上课。"
    heard = hear(sound_of(list(kokoro.synthesize(SpeechRequest(text, voice["zm_yunjian"])))), "zh")
    assert "goodmorning" in "".join(heard)
    assert errors(heard, units(text, "zh")) <= 0.15


def test_the_first_piece_is_short_and_the_pieces_make_the_text(kokoro, voice) -> None:
    text = "I read your message this morning, and we should meet at 5:30pm; it costs $12.50! Is **that** fine?"
    chunks = list(kokoro.synthesize(SpeechRequest(text, voice["af_heart"])))
    assert chunks[0].text == "I read your message this morning,"
    assert " ".join(c.text for c in chunks) == plain(text)
    assert [w.text for c in chunks for w in c.words] == plain(text).split()
    for chunk in chunks:
        assert chunk.audio.rate == 24_000
        assert np.abs(chunk.audio.samples).max() < 1.0
        assert abs(chunk.audio.samples[0]) < 1e-3 and abs(chunk.audio.samples[-1]) < 1e-3
        times = [t for w in chunk.words for t in (w.start, w.end)]
        assert times == sorted(times)
        assert 0 <= times[0] < 0.25 and times[-1] <= chunk.audio.duration
    levels = [np.sqrt((c.audio.samples**2).mean()) for c in chunks]
    assert max(levels) < 1.6 * min(levels)


def test_chinese_words_are_timed_by_character(kokoro, voice) -> None:
    (chunk,) = kokoro.synthesize(SpeechRequest("今天25℃，很好。", voice["zf_xiaobei"]))
    assert [w.text for w in chunk.words] == ["今", "天", "25℃，", "很", "好。"]
    assert all(w.end > w.start for w in chunk.words)


def test_styles_change_the_melody_and_not_the_words(say, hear) -> None:
    base, happy, sad, whisper = (say("am_michael", Style(name)) for name in ("neutral", "happy", "sad", "whisper"))
    pitch, spread, voiced = melody(base)
    happy_pitch, happy_spread, _ = melody(happy)
    sad_pitch, sad_spread, _ = melody(sad)
    assert happy_pitch > 1.1 * pitch and happy_spread > 1.1 * spread
    assert sad_pitch < 0.9 * pitch and sad_spread < 0.9 * spread
    assert len(sad) > 1.05 * len(base)
    assert melody(whisper)[2] < 0.4 * voiced
    for sound in (happy, sad, whisper):
        assert errors(hear(sound, "en"), units(ENGLISH, "en")) <= 0.15


# F0's height and span, as shares of the neutral ones: at least, at most
MOVED = {
    "happy": ((1.1, 1.4), (1.1, 2.5)),
    "sad": ((0.75, 0.93), (0.2, 0.9)),
    "angry": ((0.95, 1.3), (1.1, 2.5)),
    "calm": ((0.75, 1.0), (0.3, 0.9)),
    "excited": ((1.1, 1.6), (1.1, 3.0)),
}


@pytest.mark.parametrize("who", ["zf_xiaoyi", "zm_yunjian"])  # the highest voice and a low one
def test_every_style_moves_the_melody_where_it_should(kokoro, voice, hear, who: str) -> None:
    def said(style: str) -> np.ndarray:
        return sound_of(list(kokoro.synthesize(SpeechRequest(CHINESE, voice[who], Style(style)))))

    def height_and_span(sound: np.ndarray) -> tuple[float, float]:
        values = measure(Audio(soxr.resample(sound, 24_000, 16_000).astype(np.float32), 16_000)).values
        assert values is not None
        middle, up, down = (values[NAMES.index(f"f0_{name}_st")] for name in ("median", "upper", "lower"))
        return 100 * 2 ** (middle / 12), up + down

    neutral = said("neutral")
    before = height_and_span(neutral)
    wrong = errors(hear(neutral, "zh"), units(CHINESE, "zh"))
    for style, limits in MOVED.items():
        sound = said(style)
        for (least, most), new, old in zip(limits, height_and_span(sound), before, strict=True):
            assert least <= new / old <= most, (style, new, old)
        assert errors(hear(sound, "zh"), units(CHINESE, "zh")) <= wrong + 0.1, style


def test_strength_fades_a_style_in_and_factors_come_on_top(say) -> None:
    base = say("am_michael", NEUTRAL)
    assert np.array_equal(say("am_michael", Style("angry", strength=0.0)), base)
    changed = say("am_michael", Style(pitch=1.3, rate=1.25, energy=0.5), 1.2)
    assert melody(changed)[0] > 1.2 * melody(base)[0]
    assert len(changed) < 0.8 * len(base)
    assert np.sqrt((changed**2).mean()) < 0.65 * np.sqrt((base**2).mean())
    assert np.abs(say("am_michael", Style("angry", energy=2.0))).max() < 1.0


def test_the_melody_of_another_voice(kokoro, voice, say) -> None:
    lent = voice["af_heart"].with_prosody("am_michael")
    sound = sound_of(list(kokoro.synthesize(SpeechRequest(ENGLISH, lent))))
    low, high = melody(say("am_michael", NEUTRAL))[0], melody(say("af_heart", NEUTRAL))[0]
    assert abs(melody(sound)[0] - low) < 0.25 * (high - low)


def blend(*shares: tuple[str, float]) -> Voice:
    return Voice("mine", "Mine", ("en", "zh"), kind="blend", blend=shares)


def test_a_blend_is_a_voice_between_its_presets(kokoro, voice, say, hear) -> None:
    low, high = melody(say("am_michael"))[0], melody(say("af_heart"))[0]
    mixed = sound_of(list(kokoro.synthesize(SpeechRequest(ENGLISH, blend(("am_michael", 0.5), ("af_heart", 0.5))))))
    assert low < melody(mixed)[0] < high
    assert errors(hear(mixed, "en"), units(ENGLISH, "en")) <= 0.15
    whole = sound_of(list(kokoro.synthesize(SpeechRequest(ENGLISH, blend(("af_heart", 1.0), ("am_michael", 0.0))))))
    assert np.allclose(whole, say("af_heart"), atol=1e-3)
    lent = blend(("am_michael", 0.5), ("af_heart", 0.5)).with_prosody("am_michael")
    assert melody(sound_of(list(kokoro.synthesize(SpeechRequest(ENGLISH, lent)))))[0] < melody(mixed)[0]


def test_a_blend_is_british_where_most_of_it_is() -> None:
    assert is_british(blend(("bf_emma", 0.6), ("af_heart", 0.4)))
    assert not is_british(blend(("bf_emma", 0.4), ("af_heart", 0.6)))


@pytest.mark.parametrize("text", ["", "  \n", "😀 👍", "...!?", "<|HAPPY|>", "\x00\u200b", "```\ncode\n```"])
def test_a_text_with_nothing_to_say_yields_nothing(kokoro, voice, text: str) -> None:
    assert list(kokoro.synthesize(SpeechRequest(text, voice["af_heart"]))) == []


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"text": "안녕하세요"}, "language_not_spoken"),
        ({"text": "a" * 20_001}, "text_too_long"),
        ({"speed": 3.0}, "factor_out_of_range"),
        ({"speed": float("nan")}, "factor_out_of_range"),
        ({"style": Style(pitch=0.0)}, "factor_out_of_range"),
        ({"style": Style("bored")}, "style_unknown"),
        ({"style": Style("happy", strength=2.0)}, "style_unknown"),
        ({"voice": Voice("nobody", "Nobody", ("en",))}, "voice_missing"),
        ({"voice": Voice("af_heart", "Heart", ("en",), prosody="nobody")}, "voice_missing"),
        ({"voice": blend(("af_heart", 0.5), ("nobody", 0.5))}, "voice_missing"),
        ({"voice": blend(("af_heart", 0.5), ("af_bella", 0.4))}, "blend_shares"),
        ({"voice": blend(("af_heart", 1.5), ("af_bella", -0.5))}, "blend_shares"),
        ({"voice": blend(("af_heart", float("nan")), ("af_bella", 0.5))}, "blend_shares"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(kokoro, voice, change: dict, key: str) -> None:
    with pytest.raises(EngineError) as caught:
        list(kokoro.synthesize(replace(SpeechRequest("Hello.", voice["af_heart"]), **change)))
    assert caught.value.key == key
    assert caught.value.message.endswith(".") and "\n" not in caught.value.message


def test_two_requests_at_once_and_one_that_stops(kokoro, voice, say) -> None:
    together: dict[str, np.ndarray] = {}

    def work(who: str) -> None:
        together[who] = sound_of(list(kokoro.synthesize(SpeechRequest(ENGLISH, voice[who]))))

    threads = [threading.Thread(target=work, args=(who,)) for who in ("af_heart", "am_michael")]
    stopped = kokoro.synthesize(SpeechRequest("One, two, three, and four. " * 50, voice["af_heart"]))
    next(stopped)
    for thread in threads:
        thread.start()
    stopped.close()
    for thread in threads:
        thread.join()
    for who, sound in together.items():
        assert np.allclose(sound, say(who, NEUTRAL), atol=1e-3)


def test_with_five_voices_only_it_works_and_says_so(kokoro, voice, tmp_path: Path, monkeypatch) -> None:
    # the model is in memory already; only the voices are others
    monkeypatch.setattr("webui.engines.kokoro.steerable", lambda path: b"")
    monkeypatch.setattr("webui.engines.kokoro._session", lambda *_: kokoro._model.session)
    monkeypatch.setattr("webui.engines.kokoro.G2P", lambda: kokoro._g2p)
    five = ["jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo"]
    vectors = ModelStore(ROOT / "models").ensure("kokoro-voices")
    np.savez(
        tmp_path / "voices_ja.npz",
        **{v: np.fromfile(vectors / f"{v}.bin", np.float32).reshape(510, 1, 256) for v in five},
    )

    class SmallStore(ModelStore):
        def ensure_or_fallback(self, model_id: str, progress=None) -> Found:
            return Found("kokoro-voices-small", tmp_path, "Five voices stand in for all 54.")

    small = KokoroSynthesizer(SmallStore(ROOT / "models"), Settings())
    small.load()
    assert sorted(v.id for v in small.voices()) == five
    assert small.info.capabilities["voices"] == "Five voices stand in for all 54."
    assert list(small.synthesize(SpeechRequest("Hello.", small.voices()[0])))
    with pytest.raises(EngineError, match="af_heart"):
        list(small.synthesize(SpeechRequest("Hello.", voice["af_heart"])))


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("I read it yesterday; I will read it again.", "ˌI ɹˈɛd ɪt jˈɛstəɹdˌA; ˌI wɪl ɹˈid ɪt əɡˈɛn. "),
        ("银行，行长", "i↗nxa↗ŋ, xa↗ŋꭧa↓ŋ "),
        ("$5", "fˈIv dˈɑləɹz "),
        ("你好，world!", "ni↓xau↓, wˈɜɹld! "),
    ],
)
def test_readings_depend_on_context(text: str, phonemes: str) -> None:
    assert "".join(piece.phonemes for piece in READ(text)) == phonemes


def test_a_word_is_said_as_it_is_told_to_and_timed(kokoro, voice, hear) -> None:
    (chunk,) = kokoro.synthesize(SpeechRequest("我明天去{那里|bei3 jing1}开会。", voice["zf_xiaobei"]))
    assert "北京开会" in "".join(hear(chunk.audio.samples, "zh"))
    assert chunk.text == "我明天去那里开会。"
    assert [w.text for w in chunk.words] == ["我", "明", "天", "去", "那里", "开", "会。"]
    assert all(a.end <= b.start + 1e-6 for a, b in pairwise(chunk.words))
    assert 0.2 < chunk.words[4].end - chunk.words[4].start < 0.8
    (chunk,) = kokoro.synthesize(SpeechRequest("I saw an {thing|EH1 L AH0 F AH0 N T} today.", voice["af_heart"]))
    assert "elephant" in hear(chunk.audio.samples, "en")
    assert [w.text for w in chunk.words] == ["I", "saw", "an", "thing", "today."]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("I {read|R IY1 D} it, yes.", [("I ", "ˌI "), ("read ", "ɹˈid "), ("it, ", "ɪt, "), ("yes.", "jˈɛs. ")]),
        ("{重庆|chong2 qing4}。\n好", [("重庆。\n", "ꭧʰʊ↗ŋʨʰi↘ŋ. "), ("好", "xau↓ ")]),
        ('He plays "{bass|B EY1 S}"!', [("He ", "hˌi "), ("plays ", "plˈAz "), ('"bass"!', '"bˈAs! ')]),
        ("去{Tesla|te4 si1 la1}", [("去", "ʨʰy↘ "), ("Tesla", "tʰɤ↘sɨ→la→ ")]),
        ("{AA制|EY1 EY1 zhi4}", [("AA制", "ˈAˈA ꭧɨ↘ ")]),
    ],
)
def test_a_reading_is_one_piece(text: str, pieces: list[tuple[str, str]]) -> None:
    assert [(piece.text, piece.phonemes) for piece in READ(text) if piece.text] == pieces


def test_every_sound_of_a_reading_has_a_symbol() -> None:
    for initial, finals in FINALS.items():
        for final in finals:
            assert symbols(Reading("x", (f"{initial}{final}4",)), british=False), initial + final
    phones = (*(vowel + stress for vowel in VOWELS for stress in "012"), *CONSONANTS)
    for british in (False, True):
        made = [symbols(Reading("x", (phone,)), british) for phone in phones]
        assert set("".join(made)) <= SYMBOL_IDS.keys()
        assert len({sound for phone, sound in zip(phones, made, strict=True) if phone[-1] != "0"}) == 15 * 2 + 24
    assert symbols(Reading("boat", ("B", "OW1", "T")), british=True) == "bˈQt"


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("買った本は1,234円です。", "kaʔta hoɴ βa seɴ ɲiçakɯ saɴʥɨː joeɴ desɨ. "),
        ("「京都へ行こう」と言った。", " “kʲoːto e ikoː” to iʔta. "),
        ("iPhone 15を10:30に", "ˈIfˌOn ʥɨːɡo o ʥɨːʥi saɴʥɨʔpɯɴ ɲi "),
        ("ティーシャツとヴァイオリン、新聞", "tʲiːɕaʦɨ to vaioɾʲiɴ, ɕimbɯɴ "),
    ],
)
def test_japanese_readings(text: str, phonemes: str) -> None:
    pytest.importorskip("pyopenjtalk", reason="Japanese is an extra: pip install -r requirements-ja.txt")
    said = list(READ(text))
    assert "".join(piece.phonemes for piece in said) == phonemes
    assert "".join(piece.text for piece in said) == text


def test_japanese_is_heard_as_it_was_written_and_timed_by_word(kokoro, voice, hear) -> None:
    pytest.importorskip("pyopenjtalk", reason="Japanese is an extra: pip install -r requirements-ja.txt")
    (chunk,) = kokoro.synthesize(SpeechRequest("今日はとてもいい天気ですね。", voice["jf_alpha"]))
    assert [w.text for w in chunk.words] == ["今日", "は", "とても", "いい", "天気", "です", "ね。"]
    assert "天気ですね" in "".join(hear(chunk.audio.samples, "ja"))


def test_without_the_extra_japanese_says_how_to_get_it(kokoro, voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webui.engines.g2p.find_spec", lambda name: None)
    assert kokoro.info.languages == ("en", "zh")
    assert "`.venv/bin/pip install -r requirements-ja.txt`" in str(kokoro.info.capabilities["ja"])
    assert (ROOT / "requirements-ja.txt").is_file()
    with pytest.raises(EngineError, match="ja"):
        list(kokoro.synthesize(SpeechRequest("こんにちは", voice["jf_alpha"])))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("狐狸说：“你好。”", ["狐", "狸", "说：", "“你", "好。”"]),
        ('他说："hello."', ["他", "说：", '"hello."']),
        ("He said: “Go.” (He left.)", ["He ", "said: ", "“Go.” ", "(He ", "left.)"]),
    ],
)
def test_an_opening_quote_goes_with_what_follows(text: str, pieces: list[str]) -> None:
    said = list(READ(text))
    assert [piece.text for piece in said] == pieces
    assert not [piece for piece in said if piece.phonemes.rstrip().endswith(("“", "("))]


def test_a_first_piece_is_short_only_where_it_is_wanted() -> None:
    text = "After the long meeting in the morning, everyone went out for lunch together."
    assert len(list(plan(READ(text), eager=True))) == 2
    assert len(list(plan(READ(text), eager=False))) == 1


@pytest.mark.parametrize(
    "text",
    ["word " * 2000, "字" * 5000, "a" * 9000, "1" * 5000, "a@" * 2000, "[a](" * 2000, "𠀀鿮 ۳ ๓ ½ Ⅳ ㎏ é\u0301 \ufffd"],
)
def test_long_and_odd_texts_are_planned_in_pieces_the_model_takes(text: str) -> None:
    pieces = list(plan(READ(text)))
    assert "".join(said.text for piece in pieces for said in piece) == plain(text)
    assert all(size(piece) <= 509 for piece in pieces)
