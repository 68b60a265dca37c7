#!/usr/bin/env bash
# Models into an image, while it is built: bash scripts/image_weights.sh default|small|none
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-default} in
    none) ;;
    small) .venv/bin/python -m webui.models fetch --small ;;
    default) .venv/bin/python -m webui.models fetch ;;
    *) echo "WEIGHTS must be default, small or none, not $1" >&2 && exit 1 ;;
esac
