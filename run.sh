#!/usr/bin/env bash
# Sets up what is missing (a .venv, the packages, the models), then opens the page. Run it again at any time.
set -euo pipefail
cd "$(dirname "$0")"
. scripts/setup.sh

usage() {
    cat <<'TEXT'
usage: bash run.sh [options]

Talk to a page: it hears you, thinks, and answers aloud. The first run fetches
what it needs into this folder (about 0.3 GB of Python packages and 1.4 GB of
models); later runs start at once. Where a model hub can be reached, the page
then brings the larger models that fit this machine: 0.2 to 2.8 GB without a
GPU. --profile embedded brings none.

options, as for python webui.py (each also from the environment, or a file .env:
--chat-url is FUNAUDIO_CHAT_URL there):

the page
  --host HOST          address to listen on; 0.0.0.0 lets other machines in
  --port PORT          port to listen on (7860)
  --lang LANG          language of the page: auto, en, zh
  --sessions N         conversations at once (32); who comes then waits in a queue
  --share              open a public link for 72 hours
  --switching          let whoever opens the page switch engines, also from
                       other machines
  --voices-dir DIR     where saved voices are kept
  --no-consent         clone voices without first having who is cloned read a
                       sentence aloud

which engines, and where they run
  --profile PROFILE    auto, embedded, cpu, gpu, remote (auto: what this machine
                       can run; python -m webui.doctor says what, and why)
  --recognizer NAME    who hears: whisper (or whisper-small, -medium, -turbo,
                       -large-v3), sensevoice, sensevoice-whisper, funasr, remote
  --chat NAME          who thinks: llama, transformers, openai
  --synthesizer NAME   who speaks: kokoro, cosyvoice, remote
  --device DEVICE      where torch engines run: auto, cpu, cuda
  --small              use the smaller language model: 0.6 GB less to fetch
  --preload            load every model before the page opens
  --threads N          CPU threads for each model
  --models-dir DIR     where fetched weights are kept

CosyVoice
  --cosyvoice-model NAME   which one: a name that python -m webui.models lists, or
                           a model's folder
  --cosyvoice-python FILE  Python of its environment, where that is not the one
                           that scripts/engine_envs.sh makes
  --cosyvoice-code DIR     copy of its official repository (version 3 needs it)
  --cosyvoice-fp16         in half precision (GPU)
  --cosyvoice-trt          with TensorRT (GPU)
  --cosyvoice-vllm         with vLLM (GPU)

servers that do a job elsewhere
  --recognizer-url URL     a server that hears
  --recognizer-key KEY     its key; better from the environment
  --chat-url URL           a server that thinks (OpenAI's protocol, with /v1)
  --chat-model NAME        the model to ask for there; without a server, one that
                           python -m webui.models lists
  --chat-key KEY           its key; better from the environment
  --synthesizer-url URL    a server that speaks
  --synthesizer-model NAME the model to ask for there
  --synthesizer-key KEY    its key; better from the environment
TEXT
}

# Which models to fetch depends on two of the page's own options, which the model store reads from the environment.
previous=
for argument in "$@"; do
    case $argument in
        -h | --help) usage; exit ;;
        --small) export FUNAUDIO_SMALL=true ;;
        --models-dir=*) export FUNAUDIO_MODELS_DIR=${argument#*=} ;;
    esac
    if [ "$previous" = --models-dir ]; then export FUNAUDIO_MODELS_DIR=$argument; fi
    previous=$argument
done

say "[1/3] Python environment (.venv)"
make_venv
say "[2/3] Python packages: about 0.3 GB to fetch, 1.0 GB on disk, a minute or two; nothing if they are here"
install_requirements run requirements.txt
bring_library libgomp.so.1 libgomp1 # the language model's threads
say "[3/3] Models: 1.4 GB (0.8 GB with --small), some minutes; nothing if they are here"
.venv/bin/python -m webui.models fetch || fail "Not every model is here. Run this again: it goes on from where it stopped."
exec .venv/bin/python webui.py "$@"
