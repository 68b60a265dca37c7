"""``python -m webui.models`` and the options of ``run.sh``."""

from __future__ import annotations

import io
import re
import subprocess

import pytest
from rich.console import Console

from tests.loopback import catalog, entry, serving
from webui.config import ROOT, Settings
from webui.engines.store import ModelStore
from webui.models import fetch, list_models, main, remove, verify

FILES = {"weights.bin": b"abc" * 1000}


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=200)


def said(console: Console) -> str:
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_fetch_list_verify_remove(tmp_path, console):
    with serving({"/weights.bin": FILES["weights.bin"]}) as server:
        store = ModelStore(tmp_path, catalog(entry(FILES, {"kind": "url", "url": server.url})))
        assert fetch(store, ["toy"], console) == 0
    assert "Toy: 0 MB of 0 MB" in said(console)
    assert "Every model that is needed is here." in said(console)
    assert list_models(store, ["toy"], console) == 0
    assert "CC0-1.0  yes" in said(console)
    assert verify(store, ["toy"], console) == 0
    (tmp_path / "toy" / "weights.bin").write_bytes(b"x")
    assert verify(store, ["toy"], console) == 1
    assert "not as it should be" in said(console)
    assert remove(store, ["toy"], console) == 0
    assert verify(store, ["toy"], console) == 0
    assert "toy: not here" in said(console)


def test_a_failed_fetch_says_so_and_goes_on_with_the_next(tmp_path, console):
    with serving({"/weights.bin": FILES["weights.bin"]}) as server:
        bad = entry(FILES, {"kind": "url", "url": f"{server.url}/none"}, model_id="bad")
        good = entry(FILES, {"kind": "url", "url": server.url}, model_id="good")
        assert fetch(ModelStore(tmp_path, catalog(bad, good)), ["bad", "good"], console) == 1
    assert "Bad could not be fetched (the official release: it answered 404)" in said(console)
    assert "✓ Good" in said(console)


def test_fetch_tells_of_what_stands_in(tmp_path, console):
    with serving({"/weights.bin": FILES["weights.bin"]}) as server:
        big = entry(FILES, {"kind": "url", "url": f"{server.url}/none"}, model_id="big", fallback="small")
        small = entry(FILES, {"kind": "url", "url": server.url}, model_id="small")
        assert fetch(ModelStore(tmp_path, catalog(big, small)), ["big"], console) == 0
    assert "Small stands in for Big" in said(console)


def test_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FUNAUDIO_MODELS_DIR", str(tmp_path))
    assert main(["list"]) == 0
    assert "whisper-base" in capsys.readouterr().out
    assert main(["fetch", "nix"]) == 1
    assert "There is no model named nix" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["remove"])


def test_run_sh_helps_before_anything_is_fetched(tmp_path):
    help_text = subprocess.run(
        ["bash", ROOT / "run.sh", "--help"], capture_output=True, text=True, check=True, cwd=tmp_path
    ).stdout
    told = set(re.findall(r"^  --([a-z0-9-]+)", help_text, re.MULTILINE))
    fields = Settings.model_fields.items()
    assert told == {("no-" if field.default is True else "") + name.replace("_", "-") for name, field in fields}
