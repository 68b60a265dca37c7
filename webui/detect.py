"""``python -m webui.detect FILE...``: is the watermark of this program in a sound file?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from webui.audio.decode import decode
from webui.errors import AudioError
from webui.voices.watermark import RATE, detect

MAX_SECONDS = 3600.0
FOUND, NOT_FOUND, UNREADABLE = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Print a line for each file; 0 where all have the watermark, 1 where one has not, 2 where one cannot be read."""
    parser = argparse.ArgumentParser(
        prog="python -m webui.detect",
        description="Tell whether sound files have the watermark that this program puts into cloned voices.",
        epilog="Exit status: 0 if it is in every file, 1 if one is without, 2 if one cannot be read.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="WAV, MP3, FLAC, OGG, M4A, WebM …; at most an hour")
    return max(_look(path) for path in parser.parse_args(arguments).files)


def _look(path: str) -> int:
    try:
        detection = detect(decode(Path(path), RATE, MAX_SECONDS))
    except AudioError as error:
        print(f"{path}: {error.message}", file=sys.stderr)
        return UNREADABLE
    said = "watermark found" if detection.found else "no watermark"
    print(f"{path}: {said} (score {detection.score:.1f})")
    return FOUND if detection.found else NOT_FOUND


if __name__ == "__main__":
    sys.exit(main())
