"""``python -m webui.models list|fetch|verify|remove|export``: the model store from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from webui.config import Settings
from webui.engines.store import ModelStore
from webui.engines.store import Progress as Report
from webui.errors import UserError

QUIET_STEP = 10
"""Per cent between two lines of progress where there is no terminal to draw on."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status (0 where all is well)."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    store = ModelStore(Settings().models_dir)
    try:
        names = [store.entry(name).id for name in options.names] or _usual(store, options)
        status: int = options.run(store, names, console)
    except UserError as error:
        console.print(f"[red]{error.message}[/]")
        return 1
    except KeyboardInterrupt:
        console.print("Stopped. What is here is kept: the same command goes on from there.")
        return 130
    return status


def list_models(store: ModelStore, names: list[str], console: Console) -> int:
    """Print what the catalogue has and what of it is here."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("model", "size", "licence", "here", "what it does"):
        table.add_column(column, justify="right" if column == "size" else "left", no_wrap=column != "what it does")
    for name in names:
        entry = store.entry(name)
        here = "[green]yes[/]" if store.present(name) else "no"
        table.add_row(
            name,
            _size(entry.size) if entry.size else "?",
            entry.licence,
            here,
            f"{entry.job} ({entry.version}; {entry.by})",
        )
    console.print(table)
    return 0


def fetch(store: ModelStore, names: list[str], console: Console) -> int:
    """Fetch what is not here yet, or what stands in for it."""
    missing = [name for name in names if not store.present(name)]
    if missing:
        console.print(
            f"Models to fetch: {_size(sum(store.entry(name).size for name in missing))} ({', '.join(missing)})"
        )
    with _watched(console) as report:
        found = [_fetch_one(store, name, report, console) for name in missing]
    if not all(found):
        return 1
    console.print("Every model that is needed is here.")
    return 0


def _fetch_one(store: ModelStore, name: str, report: Report, console: Console) -> bool:
    try:
        found = store.ensure_or_fallback(name, report, retry=True)
    except UserError as error:
        console.print(f"[red]{error.message}[/]")
        return False
    entry = store.entry(found.model_id)
    if found.note:
        console.print(f"[yellow]{found.note}[/]")
    console.print(f"[green]✓[/] {entry.title} ({entry.version}), {_size(entry.size)}, {entry.licence}")
    return True


def verify(store: ModelStore, names: list[str], console: Console) -> int:
    """Read every file that is here and compare it with the catalogue, or with what its hub stated as it came."""
    wrong = 0
    for name in names:
        if not (store.root / name).exists():
            console.print(f"{name}: not here")
        elif store.verify(name):
            console.print(f"{name}: [green]right[/]")
        else:
            wrong += 1
            console.print(f"{name}: [red]not as it should be[/]; `fetch {name}` brings it anew")
    return 1 if wrong else 0


def remove(store: ModelStore, names: list[str], console: Console) -> int:
    """Delete models, and what is left of fetching them."""
    for name in names:
        console.print(f"{name}: {_size(store.remove(name))} freed")
    return 0


def export(store: ModelStore, _: list[str], console: Console) -> int:
    """Make SenseVoice's int8 graph from its checkpoint, and compare the two."""
    from webui.engines.sensevoice_export import EXPORTED, export_from_store

    console.print("Exporting SenseVoice: some minutes, after fetching its checkpoint (0.9 GB) where that is not here")
    with _watched(console) as store.listener:
        different = export_from_store(store)
    console.print(f"[green]✓[/] {EXPORTED}: like its checkpoint in {1 - different:.1%} of the time")
    return 0


def _usual(store: ModelStore, options: argparse.Namespace) -> list[str]:
    """The models that a command without names is about."""
    if options.run is not fetch:
        return list(store.catalog)
    chosen = "small" if options.small or Settings().small else "default"
    return [name for name, entry in store.catalog.items() if chosen in entry.sets]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m webui.models",
        description="Look after the models that the program uses: where they come from, and whether they are right.",
    )
    commands = parser.add_subparsers(required=True, metavar="list|fetch|verify|remove|export")
    for name, run, about, names in (
        ("list", list_models, "what there is: size, licence, and whether it is here", "*"),
        ("fetch", fetch, "bring models; without names, all that the program needs", "*"),
        ("verify", verify, "read the models that are here and compare their sha256", "*"),
        ("remove", remove, "delete models", "+"),
    ):
        command = commands.add_parser(name, help=about, description=about.capitalize() + ".")
        command.add_argument("names", nargs=names, metavar="model", help="a name that `list` shows")
        command.set_defaults(run=run, small=False)
        if run is fetch:
            command.add_argument("--small", action="store_true", help="the smaller language model: 0.6 GB less")
    command = commands.add_parser(
        "export", help="make a smaller form of a model", description="Make a smaller form of a model."
    )
    command.add_argument(
        "what", choices=["sensevoice"], help="sensevoice: int8 ONNX for sherpa-onnx, from its checkpoint"
    )
    command.set_defaults(run=export, names=[], small=False)
    return parser


@contextmanager
def _watched(console: Console) -> Iterator[Report]:
    """Somewhere to report progress to: a bar on a terminal, a line now and then elsewhere."""
    if not console.is_terminal:
        said: dict[str, int] = {}

        def tell(what: str, done: int, total: int) -> None:
            percent = 100 * done // max(total, 1)
            if percent >= said.get(what, -QUIET_STEP) + QUIET_STEP:
                said[what] = percent
                console.print(f"  {what}: {_size(done)} of {_size(total)}")

        yield tell
        return
    columns = (BarColumn(20), DownloadColumn(), TimeRemainingColumn())
    with Progress(TextColumn("  {task.description}"), *columns, console=console, transient=True) as bars:
        tasks = {}

        def draw(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, visible=done < total)

        yield draw


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


if __name__ == "__main__":
    sys.exit(main())
