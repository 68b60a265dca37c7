"""Settings: flags over environment (``FUNAUDIO_*``) over ``.env``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Talk to a page: it hears you, thinks, and answers aloud."""

    model_config = SettingsConfigDict(
        env_prefix="FUNAUDIO_",
        env_file=".env",
        extra="ignore",
        cli_prog_name="python webui.py",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
    )

    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 lets other machines in")
    port: int = Field(7860, ge=1, le=65535, description="port to listen on")
    profile: Literal["auto", "embedded", "cpu", "gpu", "remote"] = Field(
        "auto", description="which engines to use; auto picks what this machine can run and says why"
    )
    recognizer: str = Field("", description="engine that hears, in place of the profile's")
    chat: str = Field("", description="engine that thinks, in place of the profile's")
    synthesizer: str = Field("", description="engine that speaks, in place of the profile's")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where torch engines run")
    recognizer_url: str = Field("", description="address of a server that hears")
    recognizer_key: SecretStr = Field(
        SecretStr(""), description="key of the server that hears; safer in the environment"
    )
    chat_url: str = Field("", description="address of a server that thinks (OpenAI's protocol, up to and with /v1)")
    chat_model: str = Field("", description="which language model: of that server, or a name of the catalogue")
    chat_key: SecretStr = Field(SecretStr(""), description="key of the server that thinks; safer in the environment")
    synthesizer_url: str = Field("", description="address of a server that speaks")
    synthesizer_model: str = Field("", description="the model to ask the server that speaks for")
    synthesizer_key: SecretStr = Field(
        SecretStr(""), description="key of the server that speaks; safer in the environment"
    )
    cosyvoice_model: str = Field("", description="which CosyVoice: a name of the catalogue, or a model's folder")
    cosyvoice_python: Path | None = Field(None, description="Python of the environment that CosyVoice runs in")
    cosyvoice_code: Path | None = Field(None, description="copy of CosyVoice's official repository: 3 needs it")
    cosyvoice_fp16: bool = Field(False, description="CosyVoice in half precision (GPU)")
    cosyvoice_trt: bool = Field(False, description="CosyVoice with TensorRT (GPU)")
    cosyvoice_vllm: bool = Field(False, description="CosyVoice with vLLM (GPU)")
    lang: Literal["auto", "en", "zh"] = Field("auto", description="language of the page; auto asks the browser")
    sessions: int = Field(32, ge=1, le=1000, description="conversations at once; who comes then waits in a queue")
    preload: bool = Field(False, description="load every model before the page opens, not at first use")
    switching: bool = Field(
        False, description="let whoever opens the page switch engines; without it, only a page on this machine's own"
    )
    share: bool = Field(False, description="open a public link through Gradio's relay for 72 hours")
    models_dir: Path = Field(ROOT / "models", description="where fetched weights are kept")
    voices_dir: Path = Field(ROOT / "voices", description="where saved voices are kept")
    consent: bool = Field(True, description="have who is cloned read a sentence aloud first")
    threads: int = Field(min(4, os.cpu_count() or 1), ge=1, le=64, description="CPU threads for each model")
    small: bool = Field(False, description="use the smaller language model (0.5B instead of 1.5B): 0.6 GB less")
