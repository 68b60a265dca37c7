"""A CT-Punc that knows four sentences, in funasr's own layout: ``python -m tests.engines.tiny_punctuation FOLDER``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

SENTENCES = ("who is there?", "it is me, open the door.", "今天下雨吗？", "是的，带上伞。")
MARKS = ("<unk>", "_", "，", "。", "？", "、")
CONFIG = """\
model: CTTransformer
model_conf: {ignore_id: 0, embed_unit: 32, att_unit: 32, dropout_rate: 0.0, sentence_end_id: 3, punc_list: [%s]}
encoder: SANMEncoder
encoder_conf:
  {input_size: 32, output_size: 32, attention_heads: 2, linear_units: 64, num_blocks: 2, dropout_rate: 0.0,
   positional_dropout_rate: 0.0, attention_dropout_rate: 0.0, input_layer: pe,
   pos_enc_class: SinusoidalPositionEncoder, normalize_before: true, kernel_size: 11, sanm_shfit: 0,
   selfattention_layer_type: sanm, padding_idx: 0}
tokenizer: CharTokenizer
tokenizer_conf: {unk_symbol: <unk>}
"""


def marked() -> tuple[list[str], list[int]]:
    """The words of all sentences, Chinese ones by character, and which of ``MARKS`` follows each."""
    words: list[str] = []
    marks: list[int] = []
    for sentence in SENTENCES:
        spaced = sentence if sentence.isascii() else " ".join(sentence)
        for word in spaced.replace(",", " ，").replace("?", " ？").replace(".", " 。").split():
            if word in MARKS:
                marks[-1] = MARKS.index(word)
            else:
                words.append(word)
                marks.append(MARKS.index("_"))
    return words, marks


def main(folder: Path) -> None:
    """Write the weights, the vocabulary and the configuration; runs in the torch environment."""
    import funasr  # noqa: F401  (registers the classes)
    import torch
    from funasr.register import tables
    from omegaconf import OmegaConf

    words, marks = marked()
    tokens = ["<blank>", "<s>", "</s>", *dict.fromkeys(words), "<unk>"]
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(CONFIG % ", ".join(MARKS), "utf-8")
    (folder / "tokens.json").write_text(json.dumps(tokens))
    parts = {"init_param": "model.pt", "config": "config.yaml", "tokenizer_conf": {"token_list": "tokens.json"}}
    (folder / "configuration.json").write_text(json.dumps({"model": {"type": "funasr"}, "file_path_metas": parts}))
    config = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
    torch.manual_seed(0)
    model = tables.model_classes["CTTransformer"](
        encoder=config["encoder"],
        encoder_conf=config["encoder_conf"],
        vocab_size=len(tokens),
        **config["model_conf"],
    )
    text = torch.tensor([[tokens.index(word) for word in words]])
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(150):
        guessed, _ = model.punc_forward(text, torch.tensor([len(words)]))
        loss = torch.nn.functional.cross_entropy(guessed[0], torch.tensor(marks))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.save(model.state_dict(), folder / "model.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
