"""The table in ``docs/models.md`` says of every model what the catalogue says."""

from __future__ import annotations

import re

import pytest

from webui.config import ROOT
from webui.engines.catalog import ModelEntry, load_catalog
from webui.engines.presets import torch_bytes

HIDDEN = {"resemblyzer", "kokoro-voices-small"}  # for tests; where another cannot be had
NAMES = {
    "modelscope": "ModelScope",
    "huggingface": "Hugging Face",
    "url": "official release",
    "pip": "pip",
    "npm": "npm",
}
UNITS = {"GB": 1e9, "MB": 1e6}

SHOWN = [entry for entry in load_catalog().values() if entry.id not in HIDDEN]


def row(entry: ModelEntry) -> list[str]:
    """The cells of its row: name, size, memory, languages, licence, where it comes from."""
    lines = (ROOT / "docs" / "models.md").read_text("utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.count("|") == 7]
    (found,) = [cells for cells in rows if f"`{entry.id}`" in cells[0]]
    return found


@pytest.mark.parametrize("entry", SHOWN, ids=lambda entry: entry.id)
def test_a_model_is_described_as_it_is(entry: ModelEntry) -> None:
    names, size, memory, _, licence, origin = row(entry)
    together = [load_catalog()[name] for name in re.findall(r"`(.+?)`", names)]
    number, unit = size.split()
    assert float(number) * UNITS[unit] == pytest.approx(sum(one.size for one in together), rel=0.06)
    assert licence == entry.licence
    assert all(NAMES[source.kind] in origin for one in together for source in one.sources)
    if needed := torch_bytes(entry.id):
        assert memory == f"GPU: {needed / 1e9:.0f} GB"
