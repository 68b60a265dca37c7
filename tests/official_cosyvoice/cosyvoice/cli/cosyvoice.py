"""Stands where CosyVoice's official repository stands: the same names and signatures, and a record of every call.

It speaks a tone for as many frames as the text has characters. What the models do is tested with the real library;
here is tested what they are asked, by generation.
"""

import json
import os
import threading
from pathlib import Path

import torch

from cosyvoice.cli.frontend import CosyVoiceFrontEnd

RATES = {"CosyVoice": 22050, "CosyVoice2": 24000, "CosyVoice3": 24000}


def record(what, **values):
    with Path(os.environ["COSYVOICE_CALLS"]).open("a") as file:
        file.write(json.dumps({"call": what, **values}, ensure_ascii=False) + "\n")


class Llm:
    def inference(self, count):
        yield from range(count)


class Model:
    def __init__(self):
        self.device = torch.device("cpu")
        self.llm = Llm()
        self.token_hop_len = 25
        self.tts_speech_token_dict, self.llm_end_dict, self.hift_cache_dict = {}, {}, {}

    def llm_job(self, text, prompt_text, llm_prompt_speech_token, llm_embedding, uuid):
        for token in self.llm.inference(text):
            self.tts_speech_token_dict[uuid].append(token)
        self.llm_end_dict[uuid] = True

    def token2wav(self, count):
        return 1.5 * torch.sin(torch.arange(480 * count) / 20)[None]

    def tts(self, count, stream):
        self.tts_speech_token_dict["id"], self.llm_end_dict["id"] = [], False
        thread = threading.Thread(target=self.llm_job, args=(count, None, None, None, "id"))
        thread.start()
        thread.join()
        record("tts", hop=self.token_hop_len)
        for part in (count // 2, count - count // 2) if stream else (count,):
            self.token_hop_len = 100
            yield {"tts_speech": self.token2wav(part)}


class CosyVoice:
    def __init__(self, model_dir, load_jit=False, load_trt=False, fp16=False, trt_concurrent=1):
        self._made(model_dir, load_jit=load_jit, load_trt=load_trt, fp16=fp16)

    def _made(self, model_dir, **switches):
        record(type(self).__name__, model_dir=model_dir, **switches)
        self.model_dir = model_dir
        self.sample_rate = RATES[type(self).__name__]
        self.frontend = CosyVoiceFrontEnd(f"{model_dir}/spk2info.pt", type(self).__name__)
        self.model = Model()

    def list_available_spks(self):
        return list(self.frontend.spk2info)

    def add_zero_shot_spk(self, prompt_text, prompt_wav, zero_shot_spk_id):
        assert zero_shot_spk_id != ""
        seconds = self.frontend.seconds(prompt_wav)
        record("add_zero_shot_spk", prompt_text=prompt_text, seconds=seconds)
        self.frontend.spk2info[zero_shot_spk_id] = {
            "prompt_text": prompt_text,
            "prompt_text_len": 1,
            "flow_embedding": 0,
        }
        return True

    def _said(self, what, tts_text, spk, stream, speed, text_frontend, **more):
        stored = self.frontend.spk2info[spk]
        record(what, text=tts_text, prompt=stored.get("prompt_text"), stream=stream, speed=speed, **more)
        assert text_frontend is False
        stored.pop("prompt_text", None)  # some editions take entries out of what they are given
        yield from self.model.tts(len(tts_text), stream)

    def inference_sft(self, tts_text, spk_id, stream=False, speed=1.0, text_frontend=True):
        yield from self._said("inference_sft", tts_text, spk_id, stream, speed, text_frontend)

    def inference_zero_shot(
        self, tts_text, prompt_text, prompt_wav, zero_shot_spk_id="", stream=False, speed=1.0, text_frontend=True
    ):
        yield from self._said("inference_zero_shot", tts_text, zero_shot_spk_id, stream, speed, text_frontend)

    def inference_cross_lingual(
        self, tts_text, prompt_wav, zero_shot_spk_id="", stream=False, speed=1.0, text_frontend=True
    ):
        yield from self._said("inference_cross_lingual", tts_text, zero_shot_spk_id, stream, speed, text_frontend)

    def inference_instruct(self, tts_text, spk_id, instruct_text, stream=False, speed=1.0, text_frontend=True):
        assert type(self) is CosyVoice
        yield from self._said(
            "inference_instruct", tts_text, spk_id, stream, speed, text_frontend, instruct=instruct_text
        )

    def inference_vc(self, source_wav, prompt_wav, stream=False, speed=1.0):
        seconds = self.frontend.seconds(source_wav)
        record("inference_vc", source=seconds, prompt=self.frontend.seconds(prompt_wav))
        yield from self.model.tts(round(seconds * 50), stream)


class CosyVoice2(CosyVoice):
    def __init__(self, model_dir, load_jit=False, load_trt=False, load_vllm=False, fp16=False, trt_concurrent=1):
        self._made(model_dir, load_jit=load_jit, load_trt=load_trt, load_vllm=load_vllm, fp16=fp16)

    def inference_instruct2(
        self, tts_text, instruct_text, prompt_wav, zero_shot_spk_id="", stream=False, speed=1.0, text_frontend=True
    ):
        yield from self._said(
            "inference_instruct2", tts_text, zero_shot_spk_id, stream, speed, text_frontend, instruct=instruct_text
        )


class CosyVoice3(CosyVoice2):
    def __init__(self, model_dir, load_trt=False, load_vllm=False, fp16=False, trt_concurrent=1):
        self._made(model_dir, load_trt=load_trt, load_vllm=load_vllm, fp16=fp16)
