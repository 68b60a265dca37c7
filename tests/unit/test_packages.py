"""Data out of archives: zips, tarballs, archives in archives, and hostile ones."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from webui.engines.catalog import Member
from webui.engines.download import SourceError
from webui.engines.packages import append_members


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as box:
        for name, content in members.items():
            box.writestr(name, content)
    return out.getvalue()


def take(archive: Path, folder: Path, *paths: str, skip: int = 0, limit: int = 1000) -> bytes:
    """The members at ``paths``, joined."""
    members = [Member(file="out", path=path, skip=skip) for path in paths]
    folder.mkdir(exist_ok=True)
    ends = append_members(archive, members, folder, {"out": 0}, {"out": limit})
    content = (folder / "out").read_bytes()
    assert ends == {"out": len(content)}
    return content


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "a.whl"
    path.write_bytes(zipped({"one": b"abc", "two": b"def", "in.zip": zipped({"deep/x": b"HEADxyz"})}))
    return path


def test_members_are_joined_in_order(archive, tmp_path):
    assert take(archive, tmp_path / "out", "two", "one") == b"defabc"


def test_an_archive_inside_an_archive(archive, tmp_path):
    assert take(archive, tmp_path / "out", "in.zip!deep/x", skip=4) == b"xyz"


def test_what_an_interrupted_call_wrote_is_written_over(archive, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "out").write_bytes(b"half of something longer")
    assert take(archive, tmp_path / "out", "one") == b"abc"


def test_a_gzipped_tarball_and_its_links(tmp_path):
    path = tmp_path / "a.tgz"
    with tarfile.open(path, "w:gz") as box:
        info = tarfile.TarInfo("package/data.bin")
        info.size = 3
        box.addfile(info, io.BytesIO(b"abc"))
        link = tarfile.TarInfo("package/link.bin")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        box.addfile(link)
    assert take(path, tmp_path / "out", "package/data.bin") == b"abc"
    with pytest.raises(SourceError, match="does not hold"):
        take(path, tmp_path / "out", "package/link.bin")


def test_a_bomb_stops_at_the_size_of_the_catalogue(tmp_path):
    path = tmp_path / "bomb.whl"
    path.write_bytes(zipped({"bomb": bytes(50_000_000)}))
    with pytest.raises(SourceError, match="more than it should"):
        take(path, tmp_path / "out", "bomb", limit=1000)
    assert (tmp_path / "out" / "out").stat().st_size <= 1000


def test_names_that_climb_out_write_nothing_outside(tmp_path):
    path = tmp_path / "slip.whl"
    path.write_bytes(zipped({"../../evil": b"evil", "/tmp/evil2": b"evil", "good": b"good"}))
    inner = tmp_path / "a" / "b" / "c"
    inner.mkdir(parents=True)
    assert take(path, inner, "good", "../../evil") == b"goodevil"
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["slip.whl", "out"]


@pytest.mark.parametrize("content", [b"", b"not an archive at all", b"\x1f\x8bbroken", b"PK\x03\x04broken"])
def test_a_broken_archive_is_refused(tmp_path, content):
    path = tmp_path / "broken.whl"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="does not hold"):
        take(path, tmp_path / "out", "one")
