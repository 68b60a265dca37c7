"""``python -m bench.random_sensevoice FOLDER``: a checkpoint of SenseVoice-Small's true size with random weights.

What a graph costs does not depend on its weights. To be run in the environment of ``scripts/engine_envs.sh funasr``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

VOCABULARY = 25_055
BPE = "chn_jpn_yue_eng_ko_spectok.bpe.model"
CONFIG = """\
model: SenseVoiceSmall
model_conf: {length_normalized_loss: true, sos: 1, eos: 2, ignore_id: -1}
encoder: SenseVoiceEncoderSmall
encoder_conf:
  {output_size: 512, attention_heads: 4, linear_units: 2048, num_blocks: 50, tp_blocks: 20, dropout_rate: 0.1,
   positional_dropout_rate: 0.1, attention_dropout_rate: 0.1, input_layer: pe,
   pos_enc_class: SinusoidalPositionEncoder, normalize_before: true, kernel_size: 11, sanm_shfit: 0,
   selfattention_layer_type: sanm}
tokenizer: SentencepiecesTokenizer
tokenizer_conf: {bpemodel: null, unk_symbol: <unk>, split_with_space: true}
frontend: WavFrontend
frontend_conf:
  {fs: 16000, window: hamming, n_mels: 80, frame_length: 25, frame_shift: 10, lfr_m: 7, lfr_n: 6, cmvn_file: null}
"""


def main(folder: Path) -> None:
    """Write the checkpoint: the true architecture, a vocabulary of the true size, weights as they are born."""
    import funasr  # noqa: F401  (registers the classes)
    import torch
    from funasr.register import tables
    from omegaconf import OmegaConf

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(CONFIG)
    parts = {"init_param": "model.pt", "config": "config.yaml", "tokenizer_conf": {"bpemodel": BPE}}
    parts["frontend_conf"] = {"cmvn_file": "am.mvn"}
    (folder / "configuration.json").write_text(json.dumps({"model": {"type": "funasr"}, "file_path_metas": parts}))
    shift, scale = " ".join(["-10.0"] * 560), " ".join(["0.2"] * 560)
    (folder / "am.mvn").write_text(
        f"<Nnet>\n<Splice> 560 560\n[ 0 ]\n<AddShift> 560 560\n<LearnRateCoef> 0 [ {shift} ]\n"
        f"<Rescale> 560 560\n<LearnRateCoef> 0 [ {scale} ]\n</Nnet>\n"
    )
    _write_vocabulary(folder / BPE)
    torch.manual_seed(0)
    config: Any = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
    model = tables.model_classes["SenseVoiceSmall"](
        encoder=config["encoder"],
        encoder_conf=config["encoder_conf"],
        input_size=560,
        vocab_size=VOCABULARY,
        **config["model_conf"],
    )
    torch.save({"state_dict": model.state_dict()}, folder / "model.pt")
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.0f} million weights")


def _write_vocabulary(path: Path) -> None:
    from sentencepiece import sentencepiece_model_pb2

    model: Any = sentencepiece_model_pb2.ModelProto()
    kind = sentencepiece_model_pb2.ModelProto.SentencePiece
    for piece, of in (("<unk>", kind.UNKNOWN), ("<s>", kind.CONTROL), ("</s>", kind.CONTROL)):
        model.pieces.add(piece=piece, score=0.0, type=of)
    for number in range(3, VOCABULARY):
        model.pieces.add(piece=f"\u2581w{number}", score=-10.0, type=kind.NORMAL)
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    trainer.model_type, trainer.vocab_size = sentencepiece_model_pb2.TrainerSpec.UNIGRAM, VOCABULARY
    trainer.unk_id, trainer.bos_id, trainer.eos_id, trainer.pad_id = 0, 1, 2, -1
    normalizer.name, normalizer.add_dummy_prefix = "identity", False
    path.write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
