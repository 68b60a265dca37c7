"""A SenseVoice of 8 MB that has learned 30 clips by heart: the real classes, vocabulary and file layout, tiny weights.

``python -m tests.engines.tiny_sensevoice FOLDER``, in the environment of ``scripts/engine_envs.sh funasr``, reads the
clips of FOLDER/clips and writes the checkpoint FOLDER/checkpoint. Tests ask for ``tiny()``, which does all of it once
and keeps it under ``.cache/tiny``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from webui.audio.convert import to_pcm16
from webui.audio.formats import WireFormat
from webui.config import ROOT
from webui.engines.catalog import WeightFile, load_catalog
from webui.engines.store import ModelStore, sha256
from webui.types import Samples

VERSION = 3  # another one for another vocabulary, other clips or another training
RATE = 16_000
ENVIRONMENT = ROOT / ".cache" / "env-funasr" / "bin" / "python"
MISSING = "needs the environment of funasr: bash scripts/engine_envs.sh funasr"
BPE = "chn_jpn_yue_eng_ko_spectok.bpe.model"

# Language, emotion, event, words. The first two are spoken (tests/engines/spoken.py says them); the last three are no speech.
UTTERANCES = (
    ("en", "NEUTRAL", "Speech", "The train to London leaves from platform nine in twenty minutes."),
    ("zh", "NEUTRAL", "Speech", "昨天我和朋友一起去公园散步。"),
    ("en", "HAPPY", "Laughter", "What a lovely surprise!"),
    ("en", "SAD", "Cry", "I have lost my little dog."),
    ("en", "ANGRY", "Speech", "Who left the window open?"),
    ("en", "FEARFUL", "Breath", "Something moves behind us."),
    ("en", "DISGUSTED", "Cough", "The milk is sour."),
    ("en", "SURPRISED", "Speech", "You came after all."),
    ("en", "OTHER", "Sneeze", "Please close the door."),
    ("en", "EMO_UNKNOWN", "Speech_Noise", "Nobody hears a word."),
    ("en", "NEUTRAL", "Sing", "The."),
    ("zh", "HAPPY", "Laughter", "今天真是太好了！"),
    ("zh", "SAD", "Cry", "他再也没有回来。"),
    ("zh", "ANGRY", "Speech", "谁动了我的书？"),
    ("zh", "NEUTRAL", "BGM", "现在播送新闻。"),
    ("zh", "FEARFUL", "Speech", "外面有人。"),
    ("zh", "SURPRISED", "Applause", "我们赢了！"),
    ("yue", "NEUTRAL", "Speech", "你食咗飯未？"),
    ("yue", "HAPPY", "Speech", "我哋聽日去飲茶。"),
    ("yue", "ANGRY", "Cough", "唔好嘈。"),
    ("ja", "NEUTRAL", "Speech", "駅はどこですか。"),
    ("ja", "HAPPY", "Laughter", "とても楽しかったです。"),
    ("ja", "SAD", "Breath", "雨がやまない。"),
    ("ja", "SURPRISED", "Speech", "本当ですか。"),
    ("ko", "NEUTRAL", "Speech", "오늘은 날씨가 좋네요."),
    ("ko", "HAPPY", "Sing", "같이 노래해요."),
    ("ko", "ANGRY", "Speech", "문을 닫아 주세요."),
    ("nospeech", "EMO_UNKNOWN", "Applause", ""),
    ("nospeech", "EMO_UNKNOWN", "BGM", ""),
    ("nospeech", "EMO_UNKNOWN", "Event_UNK", ""),
)
SPECIAL = (
    {24884: "zh", 24885: "en", 24888: "yue", 24892: "ja", 24896: "ko", 24992: "nospeech", 24993: "Speech"}
    | {24995: "BGM", 24997: "Laughter", 24999: "Applause", 25001: "HAPPY", 25002: "SAD", 25003: "ANGRY"}
    | {25004: "NEUTRAL", 25005: "FEARFUL", 25006: "DISGUSTED", 25007: "SURPRISED", 25008: "OTHER"}
    | {25009: "EMO_UNKNOWN", 25010: "Cry", 25011: "Sneeze", 25012: "Breath", 25013: "Cough", 25014: "Sing"}
    | {25015: "Speech_Noise", 25016: "withitn", 25017: "woitn", 25018: "GBG", 25019: "Event_UNK"}
)
FIRST_SPECIAL, VOCABULARY = 24884, 25055


@dataclass(frozen=True, eq=False)
class Clip:
    """A sound at 16 kHz, and what SenseVoice writes for it with and without numbers and punctuation written out."""

    samples: Samples
    language: str
    emotion: str
    event: str
    text: str

    @property
    def plain(self) -> str:
        """The words as ``woitn`` writes them."""
        kept = "".join(c for c in self.text if c not in ".,!?。，！？")
        return kept.lower()

    @property
    def tagged(self) -> str:
        """The whole line, as funasr and its servers write it for ``use_itn=True``."""
        return f"<|{self.language}|><|{self.emotion}|><|{self.event}|><|withitn|>{self.text}"


@dataclass(frozen=True)
class TinySenseVoice:
    """``checkpoint``: a folder as of iic/SenseVoiceSmall. ``clips``: what it knows, as in ``UTTERANCES``."""

    checkpoint: Path
    clips: tuple[Clip, ...]


def tiny() -> TinySenseVoice:
    """The tiny checkpoint, made first if need be (half a minute); skips where its environment is missing."""
    import pytest  # only here: the torch environment has none

    if not ENVIRONMENT.exists():
        pytest.skip(MISSING)
    folder = ROOT / ".cache" / "tiny" / f"sensevoice-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "checkpoint" / "model.pt").exists():
            _write_clips(folder / "clips")
            subprocess.run([ENVIRONMENT, "-m", "tests.engines.tiny_sensevoice", folder], cwd=ROOT, check=True)
    return TinySenseVoice(folder / "checkpoint", _read_clips(folder / "clips"))


def exported(made: TinySenseVoice) -> Path:
    """The same as an int8 graph for sherpa-onnx: the folder that the program's own export writes from it."""
    folder = made.checkpoint.parent / "int8"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            clips = sorted((made.checkpoint.parent / "clips").glob("*.wav"))
            command = [str(ENVIRONMENT), "-m", "webui.engines.sensevoice_export"]
            command += map(str, (made.checkpoint, folder, *clips))
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


def alike(heard: str, said: str) -> bool:
    """Whether it is what was said, but for a slip: the tiny model knows its clips as they are, not as a pause cuts them."""
    return SequenceMatcher(None, heard, said).ratio() > 0.8


def placed(models: Path) -> ModelStore:
    """A store whose catalogue says of the folders in ``models`` that they are what they should be, whatever they are."""
    catalog = load_catalog()
    for folder in models.iterdir():
        files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        found = [WeightFile(name=path.name, size=path.stat().st_size, sha256=sha256(path)) for path in files]
        catalog[folder.name] = catalog[folder.name].model_copy(update={"files": tuple(found)})
    return ModelStore(models, catalog)


def _write_clips(folder: Path) -> None:
    import soundfile

    from tests.engines.spoken import EN, ZH

    assert (UTTERANCES[0][3], UTTERANCES[1][3]) == (EN, ZH)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(len(UTTERANCES)):
        # The two that are spoken lie here as they were once said: to so small a model, every last bit of them counts.
        spoken = Path(__file__).parent / "clips" / f"{('en', 'zh')[number]}.flac" if number < 2 else None
        samples = soundfile.read(spoken, dtype="float32")[0] if spoken else _sound(number)
        with wave.open(str(folder / f"{number:02}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(to_pcm16(samples).tobytes())


def _read_clips(folder: Path) -> tuple[Clip, ...]:
    clips = []
    for number, about in enumerate(UTTERANCES):
        with wave.open(str(folder / f"{number:02}.wav"), "rb") as file:
            clips.append(Clip(WireFormat("PCM_16", RATE).decode(file.readframes(file.getnframes())), *about))
    return tuple(clips)


def _sound(number: int) -> Samples:
    """A sound of 1.2 to 2 s unlike all others: a melody of seven harmonics over faint noise."""
    noise = np.random.default_rng(number)
    seconds = noise.uniform(1.2, 2.0)
    t = np.arange(round(seconds * RATE)) / RATE
    notes = noise.uniform(110, 600, 1 + int(seconds / 0.2))
    phase = 2 * np.pi * np.cumsum(notes[(t / 0.2).astype(int)]) / RATE
    tone = sum(noise.uniform(0.1, 1.0) * np.sin(k * phase) for k in range(1, 8))
    samples = 0.05 * tone * (0.6 + 0.4 * np.sin(2 * np.pi * 5 * t)) + 0.003 * noise.standard_normal(len(t))
    return samples.astype(np.float32)


# What follows runs in the torch environment.


def main(folder: Path) -> None:
    """Build the vocabulary, the configuration and the weights, and let them learn the clips."""
    out = folder / "checkpoint"
    out.mkdir(exist_ok=True)
    _write_vocabulary(out)
    configure(
        out,
        dict.fromkeys(("dropout_rate", "positional_dropout_rate", "attention_dropout_rate"), 0.0)
        | {"output_size": 64, "attention_heads": 2, "linear_units": 128, "num_blocks": 2, "tp_blocks": 1},
    )
    _learn(out, _read_clips(folder / "clips"))


CONFIG = """\
model: SenseVoiceSmall
model_conf: {length_normalized_loss: true, sos: 1, eos: 2, ignore_id: -1}
encoder: SenseVoiceEncoderSmall
encoder_conf:
  {input_layer: pe, pos_enc_class: SinusoidalPositionEncoder, normalize_before: true, kernel_size: 11, sanm_shfit: 0,
   selfattention_layer_type: sanm}
tokenizer: SentencepiecesTokenizer
tokenizer_conf: {bpemodel: null, unk_symbol: <unk>, split_with_space: true}
frontend: WavFrontend
frontend_conf:
  {fs: 16000, window: hamming, n_mels: 80, frame_length: 25, frame_shift: 10, lfr_m: 7, lfr_n: 6, cmvn_file: null}
"""


def configure(out: Path, encoder: Mapping[str, float]) -> None:
    """Write what lies beside a checkpoint's weights and vocabulary; ``encoder`` is its sizes and dropouts."""
    from omegaconf import OmegaConf

    config = OmegaConf.create(CONFIG)
    config.encoder_conf.update(encoder)
    OmegaConf.save(config, out / "config.yaml")
    shift, scale = " ".join(["-10.0"] * 560), " ".join(["0.2"] * 560)
    (out / "am.mvn").write_text(
        f"<Nnet>\n<Splice> 560 560\n[ 0 ]\n<AddShift> 560 560\n<LearnRateCoef> 0 [ {shift} ]\n"
        f"<Rescale> 560 560\n<LearnRateCoef> 0 [ {scale} ]\n</Nnet>\n"
    )
    parts = {"init_param": "model.pt", "config": "config.yaml", "tokenizer_conf": {"bpemodel": BPE}}
    parts["frontend_conf"] = {"cmvn_file": "am.mvn"}
    (out / "configuration.json").write_text(json.dumps({"model": {"type": "funasr"}, "file_path_metas": parts}))


def _write_vocabulary(out: Path) -> None:
    """The words of the utterances (long ones in two pieces), single characters, and the tags under their own numbers."""
    from sentencepiece import sentencepiece_model_pb2

    model: Any = sentencepiece_model_pb2.ModelProto()
    kind = sentencepiece_model_pb2.ModelProto.SentencePiece

    def add(piece: str, piece_type: int = kind.NORMAL, score: float = 0.0) -> None:
        model.pieces.add(piece=piece, score=score, type=piece_type)

    add("<unk>", kind.UNKNOWN)
    add("<s>", kind.CONTROL)
    add("</s>", kind.CONTROL)
    plain: dict[str, float] = {}
    for language, _, _, text in UTTERANCES:
        for word in text.split() if language == "en" else ():
            for form in (word.strip(".,!?"), word.strip(".,!?").lower()):
                half = len(form) // 2 if len(form) > 5 else len(form)
                plain |= dict.fromkeys([f"\u2581{form[:half]}", *([form[half:]] if form[half:] else [])], -5.0)
    common = "".join(text for *_, text in UTTERANCES).replace(" ", "")
    ranges = ((33, 127), (0x3000, 0x3100), (0x4E00, 0x9FA6), (0xAC00, 0xD7A4))
    for character in ["\u2581", *common, *(chr(c) for first, last in ranges for c in range(first, last))]:
        plain.setdefault(character, -10.0)
    for piece, score in list(plain.items())[: FIRST_SPECIAL - 3]:
        add(piece, score=score)
    for number in range(FIRST_SPECIAL, VOCABULARY):
        add(f"<|{SPECIAL.get(number, f'SPECIAL_{number}')}|>", kind.USER_DEFINED)
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    trainer.model_type, trainer.vocab_size = sentencepiece_model_pb2.TrainerSpec.UNIGRAM, VOCABULARY
    trainer.unk_id, trainer.bos_id, trainer.eos_id, trainer.pad_id = 0, 1, 2, -1
    normalizer.name, normalizer.add_dummy_prefix = "identity", False
    normalizer.remove_extra_whitespaces, normalizer.escape_whitespaces = False, True
    (out / BPE).write_bytes(model.SerializeToString())


def _learn(out: Path, clips: tuple[Clip, ...], steps: int = 200) -> None:
    """Train with the class's own encoder on a head of the few pieces that occur, then spread that head over all."""
    import funasr  # noqa: F401  (registers the classes)
    import sentencepiece
    import torch
    from funasr.register import tables
    from omegaconf import OmegaConf

    torch.manual_seed(0)
    torch.set_num_threads(1)
    config: Any = OmegaConf.to_container(OmegaConf.load(out / "config.yaml"))
    model = tables.model_classes["SenseVoiceSmall"](
        encoder=config["encoder"],
        encoder_conf=config["encoder_conf"],
        input_size=560,
        vocab_size=VOCABULARY,
        **config["model_conf"],
    )
    front_end = tables.frontend_classes["WavFrontend"](**config["frontend_conf"] | {"cmvn_file": str(out / "am.mvn")})
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(out / BPE))
    # The speech is long and comes cut wider or closer by whoever finds it; the rest is short and comes whole.
    batches = [_rows(front_end, pieces, clips[:2], takes=12), _rows(front_end, pieces, clips[2:], takes=2)]
    used = torch.unique(torch.cat([torch.tensor([0]), *(batch[2].flatten() for batch in batches)]))
    place = torch.zeros(VOCABULARY, dtype=torch.long).scatter(0, used, torch.arange(len(used)))
    head = torch.nn.Linear(config["encoder_conf"]["output_size"], len(used))
    learned = [*model.encoder.parameters(), *model.embed.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(learned)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=steps)
    model.train()
    for step in range(steps):
        rows = []
        for batch in batches:
            half = torch.randperm(len(batch[1]))[: len(batch[1]) // 2]
            speech, frames, text, length = (part[half] for part in batch)
            noisy = speech + 0.05 * torch.randn_like(speech)
            encoded, encoded_frames = model.encode(noisy, frames.clone(), text)
            scores, target = head(encoded), place[text]
            chances = scores.log_softmax(-1)
            tags = -chances[:, :4].gather(-1, target[:, :4, None]).sum((1, 2))
            words = torch.nn.functional.ctc_loss(
                chances[:, 4:].transpose(0, 1), target[:, 4:], encoded_frames - 4, length - 4, reduction="none"
            )
            rows.append(tags + words)
        losses = torch.cat(rows)
        loss = losses.mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 5.0)
        optimizer.step()
        schedule.step()
        if step % 40 == 0:
            print(f"step {step}: loss {loss.item():.3f}, of the worst {losses.max().item():.3f}", flush=True)
    print(f"learned in {steps} steps: loss of the worst {losses.max().item():.3f}")
    with torch.no_grad():
        model.ctc.ctc_lo.weight.zero_()
        model.ctc.ctc_lo.bias.fill_(-30.0)
        model.ctc.ctc_lo.weight[used], model.ctc.ctc_lo.bias[used] = head.weight, head.bias
    torch.save({"state_dict": model.state_dict()}, out / "model.pt")


def _rows(front_end: Any, pieces: Any, clips: tuple[Clip, ...], takes: int) -> tuple[Any, Any, Any, Any]:
    """Features, their frames, targets and their lengths: each clip ``takes`` times, each with and without itn."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    numbers = {name: number for number, name in SPECIAL.items()}
    chance = np.random.default_rng(0)
    features, targets = [], []
    for clip in clips:
        for take in range(takes):
            # The second time without its first 30 ms: from there sherpa-onnx takes its frames.
            before, after = chance.integers(0, 6400, 2) if take > 1 else (0, 0)
            padded = np.pad(clip.samples[480 if take == 1 else 0 :], (before, after))
            # A room is never quite silent, a synthesizer's pause is.
            noise = (0, 1e-4, 3e-4)[take % 3] * chance.standard_normal(len(padded))
            samples = (padded + noise).astype(np.float32)
            feature, _ = front_end(torch.from_numpy(samples)[None], torch.tensor([len(samples)]))
            for style, text in (("withitn", clip.text), ("woitn", clip.plain)):
                spaced = f" {text}" if clip.language == "en" else text
                tags = [numbers[name] for name in (clip.language, clip.emotion, clip.event, style)]
                features.append(feature[0])
                targets.append(torch.tensor(tags + (pieces.encode(spaced) if text else [])))
    lengths = [torch.tensor([len(row) for row in rows]) for rows in (features, targets)]
    return pad_sequence(features, batch_first=True), lengths[0], pad_sequence(targets, batch_first=True), lengths[1]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
