"""Which hosts are worth asking."""

from __future__ import annotations

import socket

import pytest

from tests.loopback import serving
from webui.engines import download
from webui.engines.download import SourceError, reachable


def test_a_host_that_answers_is_reachable():
    with serving({}) as server:
        assert reachable(f"{server.url}/any/file")


def test_a_host_that_never_answers_is_passed_over_and_not_asked_again(monkeypatch):
    monkeypatch.setattr(download, "PROBE_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/file"
        assert not reachable(url)
        mute.accept()[0].close()
        mute.settimeout(0.5)
        assert not reachable(url)
        with pytest.raises(TimeoutError):
            mute.accept()


def test_a_host_that_does_not_exist_is_not_reachable():
    assert not reachable("http://no-such-host.invalid/file")


def test_an_unwilling_server_is_given_up_on(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "ATTEMPTS", 2)
    with serving({}) as server:
        server.statuses = [500, 503]
        with pytest.raises(SourceError, match="it answered 503, 2 times"):
            download.download(f"{server.url}/file", tmp_path / "file", 10, lambda done: None)
