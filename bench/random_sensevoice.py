"""``python -m bench.random_sensevoice FOLDER``: a checkpoint of SenseVoice-Small's true size with random weights.

What a graph costs does not depend on its weights. To be run in the environment of ``scripts/engine_envs.sh funasr``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.engines.tiny_sensevoice import BPE, configure

VOCABULARY = 25_055
SIZES = {"output_size": 512, "attention_heads": 4, "linear_units": 2048, "num_blocks": 50, "tp_blocks": 20}


def main(folder: Path) -> None:
    """Write the checkpoint: the true architecture, a vocabulary of the true size, weights as they are born."""
    import funasr  # noqa: F401  (registers the classes)
    import torch
    from funasr.register import tables
    from omegaconf import OmegaConf

    folder.mkdir(parents=True, exist_ok=True)
    configure(folder, SIZES)
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
