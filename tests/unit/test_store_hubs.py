"""Models of which the catalogue names the files and a hub states sizes and checksums; the hubs are on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import shutil

import pytest

from tests.loopback import FileServer, catalog, entry, serving
from webui.engines import download
from webui.engines.catalog import ModelEntry
from webui.engines.store import ModelStore
from webui.errors import ModelError

FILES = {"weights.bin": os.urandom(300_000), "sub/config.json": b"{}"}
MODELSCOPE = {"kind": "modelscope", "repo": "a/b", "revision": "master"}
HUGGINGFACE = {"kind": "huggingface", "repo": "a/b", "revision": "main", "folder": "onnx"}
MODELSCOPE_LIST = "/api/v1/models/a/b/repo/files?Revision=master&Recursive=True"
HUGGINGFACE_LIST = "/api/models/a/b/tree/main?recursive=true"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def modelscope_list(**sha256_of: str) -> bytes:
    rows = [{"Path": "sub", "Name": "sub", "Type": "tree", "Size": 0, "Sha256": ""}]
    for name, content in FILES.items():
        digest = sha256_of.get(name.partition(".")[0], sha256(content))
        rows.append({"Path": name, "Type": "blob", "Size": len(content), "Sha256": digest})
    return json.dumps({"Code": 200, "Success": True, "Data": {"Files": rows}}).encode()


def huggingface_list(**changes: object) -> bytes:
    """As that hub states them: the large file in LFS, the small one in Git."""
    weights, config = FILES.values()
    lfs = {"oid": sha256(weights), "size": len(weights), "pointerSize": 130}
    large = {"type": "file", "path": "onnx/weights.bin", "size": len(weights), "oid": "0" * 40, "lfs": lfs}
    small = {"type": "file", "path": "onnx/sub/config.json", "size": len(config), "oid": blob(config), **changes}
    return json.dumps([{"type": "directory", "path": "onnx", "oid": "1" * 40, "size": 0}, large, small]).encode()


@pytest.fixture
def server(monkeypatch):
    with serving({}) as server:
        for name, content in FILES.items():
            server.files[f"/models/a/b/resolve/master/{name}"] = content
            server.files[f"/a/b/resolve/main/onnx/{name}"] = content
        server.files[MODELSCOPE_LIST], server.files[HUGGINGFACE_LIST] = modelscope_list(), huggingface_list()
        monkeypatch.setenv("MODELSCOPE_DOMAIN", server.url)
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server
    download._probed.clear()


def open_entry(*sources: dict[str, object], **more: object) -> ModelEntry:
    """An entry that names its files and nothing else of them."""
    return entry(FILES, *sources, pinned=False, **more)


def store_of(root, *sources: dict[str, object]) -> ModelStore:
    return ModelStore(root, catalog(open_entry(*sources)))


@pytest.mark.parametrize("hub", [MODELSCOPE, HUGGINGFACE], ids=lambda hub: hub["kind"])
def test_what_the_hub_states_is_verified_and_recorded(tmp_path, server: FileServer, hub):
    store = store_of(tmp_path, hub)
    seen: list[tuple[str, int, int]] = []
    folder = store.ensure("toy", lambda *report: seen.append(report))
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert seen[-1] == ("Toy", 300_002, 300_002)
    record = json.loads((folder / ".verified.json").read_text())
    assert {name: row[0] for name, row in record.items()} == {name: sha256(content) for name, content in FILES.items()}
    asked = len(server.asked)
    assert store.present("toy") and store.verify("toy") and store.ensure("toy") == folder
    assert len(server.asked) == asked
    changed = bytearray(FILES["weights.bin"])
    changed[7] ^= 1
    (folder / "weights.bin").write_bytes(changed)
    assert not store.present("toy")
    assert not store.verify("toy")


def test_a_file_that_is_not_what_the_hub_states_is_refused(tmp_path, server):
    server.files[MODELSCOPE_LIST] = modelscope_list(weights=sha256(b"other"))
    with pytest.raises(ModelError, match=r"ModelScope: weights\.bin is not the file it should be"):
        store_of(tmp_path, MODELSCOPE).ensure("toy")
    assert not (tmp_path / "toy").exists()


def test_a_small_file_that_is_not_what_git_names_is_refused(tmp_path, server):
    server.files[HUGGINGFACE_LIST] = huggingface_list(oid=blob(b"[]"))
    with pytest.raises(ModelError, match=r"Hugging Face: sub/config\.json is not the file it should be"):
        store_of(tmp_path, HUGGINGFACE).ensure("toy")


@pytest.mark.parametrize(
    ("listing", "complaint"),
    [
        (modelscope_list(weights=""), r"it states no checksum of weights\.bin"),
        (b'{"Data": {"Files": []}}', r"it does not have weights\.bin"),
        (b"<html>", "its list of files cannot be read"),
        (b'{"Code": 404, "Data": null}', "its list of files cannot be read"),
        (None, "it answered 404"),
    ],
)
def test_nothing_is_fetched_of_which_no_checksum_is_known(tmp_path, server, listing, complaint):
    del server.files[MODELSCOPE_LIST]
    if listing is not None:
        server.files[MODELSCOPE_LIST] = listing
    with pytest.raises(ModelError, match=f"ModelScope: {complaint}"):
        store_of(tmp_path, MODELSCOPE).ensure("toy")
    assert [path for path, _ in server.asked] == [MODELSCOPE_LIST]


def test_the_catalogue_goes_before_the_hub(tmp_path, server):
    toy = open_entry(MODELSCOPE)
    pinned = toy.files[0].model_copy(update={"sha256": sha256(b"what the catalogue wants")})
    store = ModelStore(tmp_path, catalog(toy.model_copy(update={"files": (pinned, toy.files[1])})))
    with pytest.raises(ModelError, match=r"weights\.bin is not the file it should be"):
        store.ensure("toy")


def test_a_hub_that_cannot_be_reached_is_passed_over(tmp_path, server, monkeypatch):
    monkeypatch.setenv("MODELSCOPE_DOMAIN", "http://127.0.0.1:1")
    assert (store_of(tmp_path, MODELSCOPE, HUGGINGFACE).ensure("toy") / "weights.bin").exists()


def test_the_hub_that_was_found_is_tried_first(tmp_path, server):
    store = store_of(tmp_path, MODELSCOPE, HUGGINGFACE)
    store.hub = "huggingface"
    store.ensure("toy")
    assert server.asked[0][0] == HUGGINGFACE_LIST


def test_a_copied_folder_brings_its_record(tmp_path, server):
    store_of(tmp_path / "one", MODELSCOPE).ensure("toy")
    shutil.copytree(tmp_path / "one" / "toy", tmp_path / "two" / "toy", copy_function=shutil.copy)  # other times
    asked = len(server.asked)
    there = store_of(tmp_path / "two", MODELSCOPE)
    there.ensure("toy")
    assert there.present("toy")
    assert len(server.asked) == asked
    (tmp_path / "two" / "toy" / "weights.bin").write_bytes(b"damaged in copying")
    assert not there.verify("toy")


def test_files_laid_there_by_hand_are_taken_and_recorded(tmp_path, server):
    (tmp_path / "toy" / "sub").mkdir(parents=True)
    store = store_of(tmp_path, MODELSCOPE)
    (tmp_path / "toy" / "weights.bin").write_bytes(b"a checkpoint of one's own")
    assert not store.verify("toy")  # one is missing
    (tmp_path / "toy" / "sub" / "config.json").write_bytes(b"{}")
    store.ensure("toy")
    assert store.present("toy")
    assert server.asked == []


def test_only_a_hub_may_leave_something_out():
    with pytest.raises(ValueError, match="only a hub can state"):
        open_entry({"kind": "url", "url": "http://127.0.0.1:1"})


def test_its_size_is_told_roughly_until_the_hub_has_stated_it():
    assert open_entry(MODELSCOPE).size == 0
    assert open_entry(MODELSCOPE, about=300_000).size == 300_000
