"""A CAM++ of random weights in funasr's own layout: ``python -m tests.engines.tiny_campplus FOLDER WAV …``.

Voice prints of random weights are all alike but for little; its last layer, a normalisation, is set to the sounds given,
so that what little is left tells two very different voices apart.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

WEIGHTS = "campplus_cn_common.bin"


def main(folder: Path, sounds: list[str]) -> None:
    """Write the weights and the configuration; runs in the torch environment."""
    import soundfile
    import torch
    from funasr.models.campplus.model import CAMPPlus
    from funasr.models.campplus.utils import extract_feature, sv_chunk

    torch.manual_seed(0)
    model = CAMPPlus().eval()
    chunks = []
    for path in sounds:
        samples, rate = soundfile.read(path, dtype="float32")
        chunks += [torch.from_numpy(chunk) for _, _, chunk in sv_chunk([[0.0, len(samples) / rate, samples]])]
    with torch.no_grad():
        last = model.xvector.dense.nonlinear.train()
        for layer in last.modules():
            layer.momentum = 1.0
        model(extract_feature(chunks)[0])
    folder.mkdir(parents=True)
    torch.save(model.state_dict(), folder / WEIGHTS)
    (folder / "config.yaml").write_text("model: CAMPPlus\nmodel_conf: {feat_dim: 80, embedding_size: 192}\n")
    about = {"model": {"type": "funasr"}, "file_path_metas": {"init_param": WEIGHTS, "config": "config.yaml"}}
    (folder / "configuration.json").write_text(json.dumps(about))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
