"""What the probe reads out of nvidia-smi, of the hubs (on loopback), of folders; and that it never raises."""

from __future__ import annotations

import time

import pytest

from tests.loopback import catalog, entry, serving
from webui.config import Settings
from webui.engines import download, probe
from webui.engines.probe import Gpu, find_gpu, find_hub, look, models_here, read_gpus
from webui.engines.store import ModelStore

MIB = 1 << 20
# As nvidia-smi prints index, uuid, name, memory.free, memory.total with --format=csv,noheader,nounits.
TWO = """\
0, GPU-8f1a2b3c-0000-1111-2222-333344445555, NVIDIA A10, 22290, 23028
1, GPU-9e9e9e9e-0000-1111-2222-333344445555, NVIDIA GeForce RTX 4090, 1204, 24564
"""
SPLIT = "0, GPU-1111, NVIDIA A100-SXM4-80GB, [N/A], [N/A]\n"
FAILED = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n"
A10 = Gpu("NVIDIA A10", 22290 * MIB, 23028 * MIB)
RTX = Gpu("NVIDIA GeForce RTX 4090", 1204 * MIB, 24564 * MIB)


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    monkeypatch.setattr(download, "_probed", {})


@pytest.mark.parametrize(
    ("listed", "visible", "gpu"),
    [
        (TWO, None, A10),
        (TWO, "0", A10),
        (TWO, "1,0", RTX),
        (TWO, "GPU-9e9e", RTX),
        (TWO, "", None),
        (TWO, "-1", None),
        (TWO, "7", None),
        (SPLIT, None, None),
        (SPLIT + TWO, None, A10),
        (FAILED, None, None),
        ("", None, None),
    ],
)
def test_the_first_visible_gpu_is_read(listed, visible, gpu):
    assert read_gpus(listed, visible) == gpu


def test_nvidia_smi_is_run(tmp_path, monkeypatch):
    smi = tmp_path / "nvidia-smi"
    smi.write_text(f"#!/bin/sh\ncase \"$*\" in *memory.free*noheader,nounits*) printf '%s' '{TWO}';; esac\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert find_gpu() == A10
    smi.write_text("#!/bin/sh\nexit 9\n")
    assert find_gpu() is None


@pytest.mark.parametrize(("lang", "hub"), [("zh", "modelscope"), ("en", "huggingface")])
def test_the_hub_nearer_to_the_language_is_taken(monkeypatch, lang, hub):
    with serving({}) as one, serving({}) as other:
        monkeypatch.setenv("MODELSCOPE_DOMAIN", one.url)
        monkeypatch.setenv("HF_ENDPOINT", other.url)
        assert find_hub(lang) == hub


@pytest.mark.parametrize(("locale", "hub"), [("zh_CN.UTF-8", "modelscope"), ("de_DE.UTF-8", "huggingface")])
def test_the_machine_s_locale_counts_where_no_language_is_set(monkeypatch, locale, hub):
    monkeypatch.setenv("LC_ALL", locale)
    with serving({}) as one, serving({}) as other:
        monkeypatch.setenv("MODELSCOPE_DOMAIN", one.url)
        monkeypatch.setenv("HF_ENDPOINT", other.url)
        assert find_hub() == hub


def test_the_other_hub_is_taken_where_one_does_not_answer(monkeypatch):
    with serving({}) as server:
        monkeypatch.setenv("MODELSCOPE_DOMAIN", "http://127.0.0.1:1")
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        assert find_hub("zh") == "huggingface"


def test_hubs_that_are_silent_are_given_up_on_and_not_asked_again(monkeypatch):
    asked = []

    def silent(url: str, timeout: float) -> None:
        asked.append((url, timeout))
        time.sleep(60)

    monkeypatch.setattr(download.httpx, "head", silent)
    monkeypatch.setattr(probe, "HUB_TIMEOUT_S", 0.05)
    assert find_hub() == find_hub() == ""
    assert sorted(timeout for _, timeout in asked) == [0.05, 0.05]


def test_a_model_is_here_when_all_its_files_are(tmp_path):
    given = Settings(_env_file=None)
    store = ModelStore(tmp_path, catalog(entry({"a.bin": b"a", "b/c.json": b"{}"}, {"kind": "url", "url": "http://x"})))
    (tmp_path / "toy" / "b").mkdir(parents=True)
    (tmp_path / "toy" / "a.bin").write_bytes(b"whatever")
    assert models_here(given, store) == frozenset()
    (tmp_path / "toy" / "b" / "c.json").write_bytes(b"whatever")
    assert models_here(given, store) == {"toy"}
    (tmp_path / "made-here").mkdir()
    (tmp_path / ".fetch").mkdir()
    own = given.model_copy(update={"cosyvoice_model": str(tmp_path)})
    assert models_here(own, store) == {"toy", "made-here", str(tmp_path)}


def test_the_whole_look_without_a_hub(tmp_path, monkeypatch):
    monkeypatch.setenv("MODELSCOPE_DOMAIN", "http://127.0.0.1:1")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    seen = look(Settings(_env_file=None), ModelStore(tmp_path, {}))
    assert (seen.hub, seen.models) == ("", frozenset())
    assert seen.memory > 0


def test_no_hub_is_asked_where_none_is_wanted(tmp_path, monkeypatch):
    monkeypatch.setattr(probe, "find_hub", lambda _: pytest.fail("it was asked"))
    assert look(Settings(_env_file=None), ModelStore(tmp_path, {}), ask_hub=False).hub == ""


@pytest.mark.parametrize(
    ("said", "cuda"), [("cuda: Optional[str] = '12.8'", True), ("cuda: Optional[str] = None", False)]
)
def test_torch_says_what_it_is_built_for_without_being_imported(tmp_path, monkeypatch, said, cuda):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise SystemExit('imported')")
    (tmp_path / "torch" / "version.py").write_text(f"__version__ = '2.13.0'\n{said}\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert probe._torch_is_for_cuda() is cuda
