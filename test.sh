#!/usr/bin/env bash
# Brings what the tests need (a .venv, the packages, Chromium, the small models), then runs all of them.
# Arguments go to pytest: bash test.sh tests/unit -k store
set -euo pipefail
cd "$(dirname "$0")"
. scripts/setup.sh
. scripts/chromium.sh

say "[1/5] Python environment (.venv)"
make_venv
say "[2/5] Python packages: about 0.4 GB to fetch, a minute or two; nothing if they are here"
install_requirements run requirements.txt
install_requirements test requirements.txt requirements-dev.txt
bring_library libgomp.so.1 libgomp1     # the language model's threads
bring_library libatomic.so.1 libatomic1 # Playwright's driver
say "[3/5] Chromium: about 0.3 GB to fetch where there is none"
find_chromium
say "[4/5] Models for the tests: 0.8 GB; nothing if they are here"
.venv/bin/python -m webui.models fetch --small
say "[5/5] Lint, types, tests"
.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
exec .venv/bin/python -m pytest "$@"
