#!/usr/bin/env bash
# Environments of their own for the engines that need torch: bash scripts/engine_envs.sh funasr|cosyvoice
# Each lies in .cache/env-NAME, is made from requirements-NAME.txt, and is only made anew when that changes.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

usage="usage: bash scripts/engine_envs.sh funasr|cosyvoice"

# make_env NAME: an empty environment, where there is none that works; sets ENV to its folder.
make_env() {
    ENV=.cache/env-$1
    "$ENV/bin/python" -m pip --version >/dev/null 2>&1 && return
    make_venv
    rm -rf "$ENV"
    .venv/bin/python -m venv "$ENV" >/dev/null 2>&1 || {
        .venv/bin/python -m venv --without-pip "$ENV"
        .venv/bin/python -m pip --python "$ENV/bin/python" install -q pip
    }
}

# fresh FILE...: whether the environment was made from just these files, by the function that asks; stamped FILE... notes it.
fresh() { [ "$(cat "$ENV/.made-from" 2>/dev/null)" = "$(stamp "${FUNCNAME[1]}" "$@")" ]; }
stamped() { stamp "${FUNCNAME[1]}" "$@" >"$ENV/.made-from"; }
stamp() {
    local how=$1
    shift
    { "$ENV/bin/python" --version && declare -f "$how" && cat "$@"; } | sha256sum
}

# env_pip ARGUMENT...: pip install into the environment, telling only of what is large.
env_pip() {
    "$ENV/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off "$@" |
        sed -un 's/^ *Downloading \([^ ]*\) \(([0-9.]* [MG]B)\)$/      \1 \2/p; s/^Installing collected packages.*/      unpacking …/p' >&2 ||
        fail "The packages could not be installed (the lines above say why): check the network connection, then run this again."
}

make_funasr() {
    local files=(requirements-funasr.txt requirements.txt)
    say "[funasr] torch, funasr and the program itself: 3 GB on disk, some minutes; nothing if they are here"
    make_env funasr
    fresh "${files[@]}" && return
    env_pip -r requirements-funasr.txt
    env_pip --no-deps funasr-onnx==0.4.3 # its own pins hold numpy below 2, which it runs on
    stamped "${files[@]}"
}

make_cosyvoice() {
    local files=(requirements-cosyvoice.txt)
    say "[cosyvoice] torch and CosyVoice: 3 GB on disk, some minutes; nothing if they are here"
    make_env cosyvoice
    fresh "${files[@]}" && return
    env_pip -r requirements-cosyvoice.txt
    # their own pins ask for older packages than those they run with, and for a second torch
    env_pip --no-deps torchaudio==2.11.0 openai-whisper==20250625 cosyvoice2-eu==0.2.8
    rm -f "$ENV"/lib/python*/site-packages/torchaudio/lib/*.so # built for another torch; what is used of it is Python
    stamped "${files[@]}"
}

case ${1:-} in
    funasr) make_funasr ;;
    cosyvoice) make_cosyvoice ;;
    *) fail "$usage" ;;
esac
