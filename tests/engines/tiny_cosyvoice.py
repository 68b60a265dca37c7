"""A tiny CosyVoice 2 with random weights, in the real layout: 64 MB that the real library loads and runs in seconds.

Run by the Python of CosyVoice's environment: ``python -m tests.engines.tiny_cosyvoice FOLDER``. It speaks noise.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

SEED = 11
STOP_BIAS = 3.4  # of the stop token: a sentence ends soon after its shortest length
CODES = 64  # of the 6561 speech tokens, those that the tokenizer hears
SPEAKER = "Anna"  # stored in the checkpoint

LLM = """
llm: !new:cosyvoice.llm.llm.Qwen2LM
    llm_input_size: 64
    llm_output_size: 64
    speech_token_size: 6561
    length_normalized_loss: True
    lsm_weight: 0
    mix_ratio: [5, 15]
    llm: !new:cosyvoice.llm.llm.Qwen2Encoder
        pretrain_path: !ref <qwen_pretrain_path>
    sampling: !name:cosyvoice.utils.common.ras_sampling {top_p: 0.8, top_k: 25, win_size: 10, tau_r: 0.1}
"""
FLOW = """
flow: !new:cosyvoice.flow.flow.CausalMaskedDiffWithXvec
    input_size: 512
    output_size: 80
    spk_embed_dim: 192
    output_type: mel
    vocab_size: 6561
    input_frame_rate: 25
    only_mask_loss: True
    token_mel_ratio: 2
    pre_lookahead_len: 3
    encoder: !new:cosyvoice.transformer.upsample_encoder.UpsampleConformerEncoder
        output_size: 512
        attention_heads: 8
        linear_units: 64
        num_blocks: 1
        dropout_rate: 0.1
        positional_dropout_rate: 0.1
        attention_dropout_rate: 0.1
        normalize_before: True
        input_layer: linear
        pos_enc_layer_type: rel_pos_espnet
        selfattention_layer_type: rel_selfattn
        input_size: 512
        use_cnn_module: False
        macaron_style: False
        static_chunk_size: 25
    decoder: !new:cosyvoice.flow.flow_matching.CausalConditionalCFM
        in_channels: 240
        n_spks: 1
        spk_emb_dim: 80
        cfm_params: !new:omegaconf.DictConfig
            content: {sigma_min: 1e-06, solver: euler, t_scheduler: cosine, training_cfg_rate: 0.2,
                      inference_cfg_rate: 0.7, reg_loss_type: l1}
        estimator: !new:cosyvoice.flow.decoder.CausalConditionalDecoder
            in_channels: 320
            out_channels: 80
            channels: [64]
            dropout: 0.0
            attention_head_dim: 16
            n_blocks: 1
            num_mid_blocks: 1
            num_heads: 4
            act_fn: gelu
            static_chunk_size: 50
            num_decoding_left_chunks: -1
"""
VOCODER = """
hift: !new:cosyvoice.hifigan.generator.HiFTGenerator
    in_channels: 80
    base_channels: 64
    nb_harmonics: 8
    sampling_rate: !ref <sample_rate>
    nsf_alpha: 0.1
    nsf_sigma: 0.003
    nsf_voiced_threshold: 10
    upsample_rates: [8, 5, 3]
    upsample_kernel_sizes: [16, 11, 7]
    istft_params: {n_fft: 16, hop_len: 4}
    resblock_kernel_sizes: [3, 7, 11]
    resblock_dilation_sizes: [[1, 3, 5], [1, 3, 5], [1, 3, 5]]
    source_resblock_kernel_sizes: [7, 7, 11]
    source_resblock_dilation_sizes: [[1, 3, 5], [1, 3, 5], [1, 3, 5]]
    lrelu_slope: 0.1
    audio_limit: 0.99
    f0_predictor: !new:cosyvoice.hifigan.f0_predictor.ConvRNNF0Predictor
        num_class: 1
        in_channels: 80
        cond_channels: 64
"""
PLAN = f"""
__set_seed: !apply:torch.manual_seed [1986]
sample_rate: 24000
qwen_pretrain_path: ''
{LLM}{FLOW}{VOCODER}
get_tokenizer: !name:cosyvoice.tokenizer.tokenizer.get_qwen_tokenizer
    token_path: !ref <qwen_pretrain_path>
    skip_special_tokens: True
allowed_special: all
feat_extractor: !name:matcha.utils.audio.mel_spectrogram
    n_fft: 1920
    num_mels: 80
    sampling_rate: !ref <sample_rate>
    hop_size: 480
    win_size: 1920
    fmin: 0
    fmax: 8000
    center: False
"""


def tiny_cosyvoice(python: Path, cache: Path) -> Path:
    """The folder, made by ``python`` where it is not in ``cache`` yet."""
    stamp = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    folder = cache / f"cosyvoice2-{stamp}"
    if not folder.exists():
        made = cache / f".making-{os.getpid()}"
        made.mkdir(parents=True)
        subprocess.run([python, "-m", "tests.engines.tiny_cosyvoice", made], check=True)
        for old in cache.glob("cosyvoice2-*"):
            shutil.rmtree(old)
        made.rename(folder)
    return folder


def _tokenizer(folder: Path) -> None:
    """Bytes as tokens, in the files that a Qwen2 tokenizer reads."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {sign: i for i, sign in enumerate(alphabet)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    marks = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    tokenizer.add_special_tokens([AddedToken(mark, special=True) for mark in marks])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "model_max_length": 32768}))


def _language_model(folder: Path) -> None:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=512,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=256,
        eos_token_id=256,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)


def _graphs(folder: Path) -> None:
    """The speaker encoder (mean over time, one matrix) and the speech tokenizer (one convolution, the loudest wins)."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, save

    noise = np.random.default_rng(SEED)

    def tensor(name: str, kind: int, *shape: object) -> Any:
        return helper.make_tensor_value_info(name, kind, list(shape))

    def write(name: str, nodes: list[Any], inputs: list[Any], outputs: list[Any], weights: Any) -> None:
        graph = helper.make_graph(nodes, "tiny", inputs, outputs, [numpy_helper.from_array(weights, "w")])
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(folder / name))

    make, real, whole = helper.make_node, TensorProto.FLOAT, TensorProto.INT32
    write(
        "campplus.onnx",
        [make("ReduceMean", ["input"], ["m"], axes=[1], keepdims=0), make("MatMul", ["m", "w"], ["output"])],
        [tensor("input", real, "B", "T", 80)],
        [tensor("output", real, "B", 192)],
        noise.normal(0, 0.1, (80, 192)).astype(np.float32),
    )
    write(
        "speech_tokenizer_v2.onnx",
        [
            make("Conv", ["feats", "w"], ["c"], kernel_shape=[4], strides=[4]),
            make("ArgMax", ["c"], ["a"], axis=1, keepdims=0),
            make("Cast", ["a"], ["codes"], to=whole),
            make("Sub", ["feats_length", "feats_length"], ["zero"]),  # the length is an input that nothing depends on
            make("Add", ["codes", "zero"], ["indices"]),
        ],
        [tensor("feats", real, 1, 128, "T"), tensor("feats_length", whole, 1)],
        [tensor("indices", whole, 1, "N")],
        noise.normal(0, 0.3, (CODES, 128, 4)).astype(np.float32),
    )


def _speaker(torch: Any) -> dict[str, Any]:
    """A stored zero-shot speaker: two seconds of a prompt and the words in it."""
    tokens = torch.arange(50, dtype=torch.int32)[None] % CODES
    length = torch.tensor([50], dtype=torch.int32)
    voice = torch.randn(1, 192)
    return {
        "prompt_text": torch.arange(40, 60, dtype=torch.int32)[None],
        "prompt_text_len": torch.tensor([20], dtype=torch.int32),
        "llm_prompt_speech_token": tokens,
        "llm_prompt_speech_token_len": length,
        "flow_prompt_speech_token": tokens,
        "flow_prompt_speech_token_len": length,
        "prompt_speech_feat": torch.randn(1, 100, 80),
        "prompt_speech_feat_len": 2 * length,
        "llm_embedding": voice,
        "flow_embedding": voice,
    }


def build(folder: Path) -> None:
    """Write all of it into ``folder``."""
    import torch
    from hyperpyyaml import load_hyperpyyaml

    blank = folder / "CosyVoice-BlankEN"
    blank.mkdir()
    torch.manual_seed(SEED)
    _tokenizer(blank)
    _language_model(blank)
    _graphs(folder)
    (folder / "cosyvoice2.yaml").write_text(PLAN)
    parts = load_hyperpyyaml(PLAN, overrides={"qwen_pretrain_path": str(blank)})
    with torch.no_grad():
        stop = parts["llm"].llm_decoder
        stop.weight[6561:] = 0
        stop.bias[6561:] = -20.0
        stop.bias[6561] = STOP_BIAS
        parts["hift"].conv_post.bias.fill_(1.5)  # random magnitudes would be far too loud
    torch.save({SPEAKER: _speaker(torch)}, folder / "spk2info.pt")
    torch.save(parts["llm"].state_dict(), folder / "llm.pt")
    torch.save(parts["flow"].state_dict(), folder / "flow.pt")
    torch.save({f"generator.{name}": value for name, value in parts["hift"].state_dict().items()}, folder / "hift.pt")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
