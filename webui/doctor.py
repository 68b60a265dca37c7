"""``python -m webui.doctor``: what this machine has, which engines that gives, why, and what would be better."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from webui.config import Settings
from webui.engines.choosing import Choice, Sentence, choose, options
from webui.engines.probe import HUB_NAMES, Probe, look
from webui.engines.registry import available, check_names
from webui.engines.store import ModelStore
from webui.errors import UserError
from webui.ui.labels import table, text


def main(arguments: list[str] | None = None) -> int:
    """Look and tell; returns 0, or 1 where the settings name an engine that there is not."""
    parser = argparse.ArgumentParser(
        prog="python -m webui.doctor",
        description="Say what this machine has, which engines the program takes, why, and what would be better. "
        "Settings come from the environment (FUNAUDIO_*) and .env, as for the page.",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    given = parser.parse_args(arguments)
    settings = Settings()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    try:
        check_names(settings)
    except UserError as error:
        console.print(f"[red]{escape(error.message)}[/]")
        return 1
    store = ModelStore(settings.models_dir)
    probe = look(settings, store)
    choices = choose(settings, probe)
    if given.json:
        print(json.dumps(as_json(settings, probe, choices), ensure_ascii=False, indent=2))  # noqa: T201
    else:
        tell(settings, probe, choices, console)
    return 0


def tell(settings: Settings, probe: Probe, choices: tuple[Choice, ...], console: Console) -> None:
    """Print it for a person, in the language of the settings."""
    lang = settings.lang if settings.lang in table() else "en"
    console.print(_grid(text("doctor_found", lang), ((text(key, lang), value) for key, value in found(probe, lang))))
    chosen = Table(title=text("doctor_chosen", lang, profile=settings.profile), **_STYLE)
    for key in ("doctor_job", "engine_switch", "doctor_why"):
        chosen.add_column(text(key, lang), ratio=1 if key == "doctor_why" else None)
    for choice in choices:
        chosen.add_row(text(f"job_{choice.job}", lang), f"[bold]{_name(choice.name, lang)}[/]", _said(choice.why, lang))
        if choice.missing:
            chosen.add_row("", "", f"[dim]{_said(choice.missing, lang)}[/]")
    console.print()
    console.print(chosen)
    better = [choice for choice in choices if choice.better]
    console.print(f"\n[bold]{text('doctor_better' if better else 'doctor_nothing_better', lang)}[/]")
    for choice in better:
        console.print(f"  {text(f'job_{choice.job}', lang)}: {_said(choice.better, lang)}", soft_wrap=True)
    lacking = _grid(text("doctor_cannot", lang), _lacking(settings, probe, lang))
    if lacking.row_count:
        console.print()
        console.print(lacking)


def found(probe: Probe, lang: str) -> Iterator[tuple[str, str]]:
    """Label keys, and what was found under each."""
    nothing = text("doctor_none", lang)
    gpu = probe.gpu
    yield "doctor_gpu", f"{gpu.name}, {_gb(gpu.free)} / {_gb(gpu.total)}" if gpu else nothing
    yield "doctor_memory", _gb(probe.memory)
    yield "doctor_hub", HUB_NAMES.get(probe.hub, nothing)
    torch = {"torch (CUDA)" if probe.torch_cuda else "torch (CPU)"} if "torch" in probe.packages else set()
    yield "doctor_packages", ", ".join(sorted(probe.packages - {"torch"} | torch)) or nothing
    yield "doctor_environments", ", ".join(sorted(probe.environments)) or nothing
    yield "doctor_models", ", ".join(sorted(probe.models)) or nothing


def as_json(settings: Settings, probe: Probe, choices: tuple[Choice, ...]) -> dict[str, Any]:
    """The same for programs: the probe, and each choice with its sentences in English."""

    def plain(sentence: Sentence | None) -> dict[str, Any] | None:
        if sentence is None:
            return None
        return {"key": sentence.key, "text": text(sentence.key, **sentence.values), **sentence.values}

    sets = {name: sorted(getattr(probe, name)) for name in ("models", "packages", "environments")}
    return {
        "profile": settings.profile,
        "found": {**asdict(probe), **sets},
        "chosen": {
            choice.job: {
                "engine": choice.name,
                "model": choice.model,
                "why": plain(choice.why),
                "missing": plain(choice.missing),
                "better": plain(choice.better),
                "lacking": {
                    option.name: plain(option.lacks)
                    for option in options(choice.job, available()[choice.job], settings, probe)
                    if option.lacks
                },
            }
            for choice in choices
        },
    }


def _lacking(settings: Settings, probe: Probe, lang: str) -> Iterator[tuple[str, str]]:
    for job, names in available().items():
        for option in options(job, names, settings, probe):
            if option.lacks:
                yield f"{text(f'job_{job}', lang)} · {option.name}", _said(option.lacks, lang)


def _grid(title: str, rows: Iterator[tuple[str, str]]) -> Table:
    grid = Table(title=title, show_header=False, **_STYLE)
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    for name, value in rows:
        grid.add_row(name, escape(value))
    return grid


def _said(sentence: Sentence | None, lang: str) -> str:
    return escape(text(sentence.key, lang, **sentence.values)) if sentence else ""


def _name(engine: str, lang: str) -> str:
    key = f"engine_name_{engine}"
    return escape(text(key, lang) if key in table()["en"] else engine)


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"


_STYLE: dict[str, Any] = {
    "box": None,
    "pad_edge": False,
    "header_style": "bold",
    "title_justify": "left",
    "title_style": "bold",
    "expand": True,
    "padding": (0, 2, 0, 0),
}


if __name__ == "__main__":
    sys.exit(main())
