"""``python -m bench.turn``: how soon a voice turn is answered, against the same engines run one after the other.

Both ways use the embedded engines, the same recorded questions and the same prompt, taking turns in one run. *Streamed*
is the program's own turn; its figure is the time from the end of the question to the first piece of sound. *Serial*
recognises, waits for the whole reply, waits for its whole sound, and only then could play it (as FunAudioLLM-APP
does). Medians over ``--runs`` rounds of every question. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx

from webui.audio.decode import decode
from webui.config import ROOT, Settings
from webui.conversation.memory import fitting
from webui.conversation.prompts import opening, user_message
from webui.conversation.reply import ReplyParser
from webui.conversation.session import Conversation
from webui.engines.protocols import ChatRequest, Message, RecognitionRequest, SpeechRequest, words
from webui.engines.registry import Engines
from webui.engines.store import ModelStore
from webui.features.chat import REPLY_TOKENS, TEMPERATURE, Turn, TurnSettings, pick_voice, warm
from webui.types import Audio, Style, Transcript

PAGE_PORT = 7869
PAGE_TIMEOUT_S = 120


def streamed(engines: Engines, question: Audio) -> dict[str, float]:
    """The program's own turn; its latency marks."""
    with closing(Conversation()) as conversation:
        *_, finished = Turn(engines, conversation, TurnSettings()).run(question)
        return finished.latency  # type: ignore[union-attr]


def serial(engines: Engines, question: Audio, temperature: float = TEMPERATURE) -> dict[str, float]:
    """Each engine waits for the one before it to be done. ``temperature`` is that of the reply's words, from 0."""
    marks = [time.monotonic()]

    def lap() -> float:
        marks.append(time.monotonic())
        return round(marks[-1] - marks[-2], 3)

    heard = Transcript(tuple(engines.recognizer.transcribe(RecognitionRequest(question))), question.duration)
    out = {"heard_s": lap()}
    user = user_message(heard.text, heard, heard.language, asked=False)
    chat = engines.chat
    prefix = opening(TurnSettings().persona, heard.language)
    prompt = fitting(prefix, (Message("user", user),), chat.context_tokens - REPLY_TOKENS, chat.count_tokens)
    parser = ReplyParser()
    reply = parser.feed("".join(words(chat.chat(ChatRequest(prompt, REPLY_TOKENS, temperature))))) + parser.flush()
    out["thought_s"] = lap()
    voice = pick_voice(engines.synthesizer, "", heard.language)
    list(engines.synthesizer.synthesize(SpeechRequest(reply, voice, Style(parser.style or "neutral"))))
    out["first_sound_s"] = lap()
    return {**out, "total_s": round(marks[-1] - marks[0], 3)}


def read_ahead(engines: Engines, language: str) -> None:
    """Have the model read what a turn in that language begins with."""
    with closing(Conversation()) as conversation:
        warm(engines, conversation, TurnSettings(), language)


def import_seconds() -> float:
    """``import webui`` in a fresh interpreter, its own start not counted."""
    code = "import time; t = time.perf_counter(); import webui; print(time.perf_counter() - t)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT).stdout)


def page_seconds() -> float:
    """From ``python webui.py`` to the first answer of its page."""
    started = time.monotonic()
    page = subprocess.Popen([sys.executable, "webui.py", "--port", str(PAGE_PORT)], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        while not _answers(f"http://127.0.0.1:{PAGE_PORT}/"):
            if page.poll() is not None or time.monotonic() - started > PAGE_TIMEOUT_S:
                raise SystemExit("the page did not open")
            time.sleep(0.05)
        return time.monotonic() - started
    finally:
        page.terminate()
        page.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False


def rounds(engines: Engines, questions: list[Audio], runs: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Both ways in turn, after one round of each that is not counted."""
    languages = [next(iter(engines.recognizer.transcribe(RecognitionRequest(q)))).language for q in questions]
    for i in range(runs + 1):
        for question, language in zip(questions, languages, strict=True):
            for name, way in (("streamed", streamed), ("serial", serial)):
                # as on the page; else the second way finds the first's prompt read
                read_ahead(engines, language)
                marks = way(engines, question)
                if i:
                    yield name, marks


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("questions", nargs="*", type=Path, help="recorded questions (default: our example clips)")
    parser.add_argument("--runs", type=int, default=3, help="rounds of every question (default 3)")
    args = parser.parse_args()
    import_s, page_up_s = import_seconds(), page_seconds()

    settings = Settings()
    engines = Engines(settings, ModelStore(settings.models_dir))
    engines.load()
    paths = args.questions or sorted((ROOT / "assets" / "clips").glob("*.wav"))
    taken: dict[str, list[dict[str, float]]] = {"streamed": [], "serial": []}
    for name, marks in rounds(engines, [decode(path) for path in paths], args.runs):
        taken[name].append(marks)
    columns = ("heard_s", "thought_s", "first_sound_s", "total_s")
    medians = {
        name: [statistics.median(marks[column] for marks in all_marks) for column in columns]
        for name, all_marks in taken.items()
    }
    print(f"{'':10}" + "".join(f"{column:>15}" for column in columns) + f"   ({len(taken['serial'])} turns each)")
    for name, values in medians.items():
        print(f"{name:10}" + "".join(f"{value:15.2f}" for value in values))
    first, slow = medians["streamed"][-1], medians["serial"][-1]
    result = {
        "first_audio_s": round(first, 3),
        "serial_first_audio_s": round(slow, 3),
        "ratio": round(first / slow, 3),
        "page_up_s": round(page_up_s, 2),
        "import_s": round(import_s, 3),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
