"""What is installed where: requirements, their lock, the extras and the images say the same."""

from __future__ import annotations

import re
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from webui.config import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def lines(name: str) -> list[str]:
    """The requirements of a file and of those it includes, without remarks."""
    found = []
    for line in (ROOT / name).read_text("utf-8").splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if included := re.fullmatch(r"-r (\S+)", line):
            found += lines(included[1])
        elif line:
            found.append(line)
    return found


def extras() -> dict[str, list[str]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.13"])
def test_the_lock_meets_the_requirements(python: str) -> None:
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    locked = {}
    for requirement in map(Requirement, lines("requirements.lock")):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            assert canonicalize_name(requirement.name) not in locked, "two versions of one package"
            (pin,) = requirement.specifier
            assert pin.operator == "=="
            locked[canonicalize_name(requirement.name)] = pin.version
    for requirement in map(Requirement, lines("requirements.txt")):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), requirement


def test_the_lock_says_how_it_is_made_and_names_no_host() -> None:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    assert "uv pip compile --universal --python-version 3.10 requirements.txt -o requirements.lock" in text
    assert "://" not in text


def test_nothing_that_needs_torch_is_in_the_default_install() -> None:
    names = {canonicalize_name(Requirement(line).name) for line in lines("requirements.lock")}
    assert not names & {"torch", "torchaudio", "funasr", "transformers", "lightning"}


@pytest.mark.parametrize(("extra", "file"), [("gpu", "requirements-gpu.txt"), ("ja", "requirements-ja.txt")])
def test_the_extras_are_what_the_files_say(extra: str, file: str) -> None:
    beyond = [line for line in lines(file) if line not in lines("requirements.txt")]
    assert sorted(extras()[extra]) == sorted(beyond)


def test_the_images_copy_what_there_is() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert re.findall(r"^FROM \S+ AS (\w+)$", text, re.MULTILINE) == ["base", "gpu", "cosyvoice", "cpu"]
    for sources in re.findall(r"^COPY --chown=app (.+) \S+$", text, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source
    for script in re.findall(r"bash (scripts/\S+)", text):
        assert (ROOT / script).exists(), script
    assert text.count("USER app") == 1
    assert "USER root" not in text
