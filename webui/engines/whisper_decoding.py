"""One stretch of speech through Whisper: encoded once, then asked for its language, its words and their times."""

from __future__ import annotations

import logging
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from webui.errors import ModelError
from webui.types import Samples, Word

log = logging.getLogger(__name__)

RATE = 16_000
HOP = 320  # samples of one encoder frame: 20 ms
FULL_WINDOW = 30.0  # seconds that Whisper was trained on
SHORTEST_WINDOW = 8.0
BEAM = 5
# Whisper's own scaling is not blind to very quiet speech, and the emotion weights were trained at this peak.
LEVEL, FAINTEST = 0.5, 1e-3

# Decoding is tried again, in the full window, when it looks like one of Whisper's known failures.
WORST_LOG_PROBABILITY = -0.6
MOST_REPETITIVE = 2.4  # bytes of text over bytes of the same text compressed
_END, _SURE = 3.0, 0.8  # seconds at either end that are asked for their language, and how sure both must be
_REPEATED = re.compile(r"^\W*(\w.{2,}?)(?:\W*\1)+\W*$", re.DOTALL)


@dataclass(frozen=True, eq=False)
class Encoded:
    """Speech after the encoder. ``states`` is CTranslate2's handle on it, for a window of ``window`` seconds."""

    samples: Samples
    window: float
    states: Any

    @property
    def seconds(self) -> float:
        """Length of the speech itself, without what the window was filled up with."""
        return len(self.samples) / RATE

    def features(self) -> npt.NDArray[np.float32]:
        """Encoder output (frames of 20 ms, width of the model: 512 for base) of the speech itself."""
        states = self.states
        if states.device == "cuda":
            import ctranslate2

            states = states.to_device(ctranslate2.Device.cpu)
        whole: npt.NDArray[np.float32] = np.asarray(states, dtype=np.float32)[0]
        return whole[: math.ceil(len(self.samples) / HOP)]


@dataclass(frozen=True)
class Decoded:
    """Words as Whisper wrote them, its tokens, their mean log probability, and its chance that nobody spoke."""

    text: str
    tokens: tuple[int, ...]
    log_probability: float
    no_speech: float

    @property
    def confidence(self) -> float:
        """0 to 1."""
        return math.exp(min(0.0, self.log_probability))

    @property
    def suspicious(self) -> bool:
        """Whether it looks like a loop, or like a guess."""
        return self.log_probability < WORST_LOG_PROBABILITY or is_loop(self.text)


def is_loop(text: str) -> bool:
    """Whether ``text`` is one phrase over and over, or repeats itself more than language does."""
    data = text.encode()
    return bool(_REPEATED.match(text)) or len(data) / len(zlib.compress(data)) > MOST_REPETITIVE


def window_for(seconds: float) -> float:
    """How much time, in seconds, the encoder of Whisper base is shown for speech of this length.

    Whisper fills every recording up to 30 s and spends most of its time on that silence. Less will do: at 8 s the
    encoder took an eighth of the time over 29 short clips, with the same word errors in English (3.4 %) and 7.3 %
    against 5.7 % of characters in Chinese; on seven recorded Chinese and mixed clips it was 31 errors against 33.
    With hardly any silence it says short sentences twice.
    """
    return min(FULL_WINDOW, max(SHORTEST_WINDOW, seconds + 2.0))


class Whisper:
    """The model in memory. Safe to share between threads: each call waits for its turn inside CTranslate2.

    ``device`` is ``auto``, ``cpu`` or ``cuda``. With ``short_windows``, measured with base, the encoder is shown
    ``window_for`` and not always 30 s. Raises ``ModelError`` where it cannot be loaded.
    """

    def __init__(self, folder: Path, threads: int, device: str = "cpu", short_windows: bool = True) -> None:
        import ctranslate2

        self.device = _device(device, ctranslate2.get_cuda_device_count())
        self._short_windows = short_windows
        try:
            self._model = self._load(folder, threads)
        except ModelError:
            if device != "auto" or self.device == "cpu":
                raise
            log.warning("Whisper runs on the CPU: the GPU is there, but it could not be loaded onto it")
            self.device = "cpu"
            self._model = self._load(folder, threads)
        self._tokenizers: dict[str, Any] = {}

    def _load(self, folder: Path, threads: int) -> Any:
        from faster_whisper import WhisperModel

        kind = "float16" if self.device == "cuda" else "int8"
        try:
            model = WhisperModel(
                str(folder), device=self.device, compute_type=kind, cpu_threads=threads, local_files_only=True
            )
            if self.device == "cuda":  # the GPU's libraries are looked for at the first step of work
                model.encode(model.feature_extractor(np.zeros(RATE, np.float32)))
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelError(
                "model_broken", "The speech recognition model cannot be loaded: fetch it again."
            ) from error
        return model

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of every language it can be told to expect."""
        return tuple(self._model.supported_languages)

    def encode(self, samples: Samples, window: float | None = None) -> Encoded:
        """Encode 16 kHz speech of at most 30 s, in the shortest window that serves it or in the one given."""
        if window is None:
            window = window_for(len(samples) / RATE) if self._short_windows else FULL_WINDOW
        filled = np.zeros(round(window * 50) * HOP, np.float32)
        filled[: len(samples)] = samples[: len(filled)]
        filled *= LEVEL / max(float(np.abs(filled).max(initial=0.0)), FAINTEST)
        return Encoded(samples, window, self._model.encode(self._model.feature_extractor(filled, padding=0)))

    def detect(
        self, encoded: Encoded, among: Sequence[str], start: float = 0.0, end: float | None = None
    ) -> dict[str, float]:
        """Probability of each language of ``among`` between two seconds of the speech; they add up to 1."""
        states = encoded.states
        if start or end is not None:
            states = _storage(encoded.features()[None, round(start * 50) : None if end is None else round(end * 50)])
        chances = {token[2:-2]: p for token, p in self._model.model.detect_language(states)[0]}
        total = sum(chances.get(code, 0.0) for code in among) or 1.0
        return {code: chances.get(code, 0.0) / total for code in among}

    def language_change(self, encoded: Encoded, among: Sequence[str]) -> float | None:
        """The second at which the speaker goes over to another language; None where it is one language throughout.

        The two ends are asked first, in windows of 3 s: only where they disagree, and both surely, is the middle looked
        at. The change is cut where the sound is quietest around the most likely moment.
        """
        seconds = encoded.seconds
        if seconds < 2 * _END:
            return None
        ends = (self.detect(encoded, among, 0, _END), self.detect(encoded, among, seconds - _END, seconds))
        before, after = (max(p, key=lambda code: p[code]) for p in ends)
        if before == after or ends[0][before] < _SURE or ends[1][after] < _SURE:
            return None
        centres = np.arange(1.0, seconds - 0.99, 0.5)
        looks = [self.detect(encoded, (before, after), c - 1.0, min(seconds, c + 1.0)) for c in centres]
        lead = np.cumsum([math.log((p[before] + 1e-3) / (p[after] + 1e-3)) for p in looks])
        likely = float(centres[int(np.argmax(lead))]) + 0.25
        if not _END / 2 <= likely <= seconds - _END / 2:
            return None
        return _quietest(encoded.samples, likely - 0.6, likely + 0.6)

    def decode(self, encoded: Encoded, language: str) -> tuple[Decoded, Encoded]:
        """The words, and the encoding they were read from: another one than given where that had to be widened."""
        best = self._generate(encoded, language)
        if not best.suspicious:
            return best, encoded
        if encoded.window < FULL_WINDOW:
            encoded = self.encode(encoded.samples, FULL_WINDOW)
            best = self._generate(encoded, language)
        if is_loop(best.text) and len(best.tokens) > 12:
            best = self._generate(encoded, language, no_repeat_ngram_size=3)
        return best, encoded

    def _generate(self, encoded: Encoded, language: str, **options: Any) -> Decoded:
        from faster_whisper.transcribe import get_suppressed_tokens

        tokenizer = self._tokenizer(language)
        # Nobody says more than a dozen tokens a second: a loop ends there and not at 224 tokens.
        longest = min(224, 16 + round(12 * encoded.seconds))
        result = self._model.model.generate(
            encoded.states,
            [[*tokenizer.sot_sequence, tokenizer.no_timestamps]],
            beam_size=BEAM,
            max_length=longest + 4,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
            **options,
        )[0]
        tokens = tuple(t for t in result.sequences_ids[0] if t < tokenizer.eot)
        log_probability = result.scores[0] * len(tokens) / (len(tokens) + 1)
        return Decoded(tokenizer.decode(list(tokens)).strip(), tokens, log_probability, result.no_speech_prob)

    def align(self, encoded: Encoded, decoded: Decoded, language: str) -> tuple[Word, ...]:
        """Time and confidence of each word, in seconds from the beginning of the speech, in order."""
        from faster_whisper.transcribe import merge_punctuations

        frames = min(round(encoded.window * 100), math.ceil(encoded.seconds * 100) // 2 * 2 + 2)
        found = self._model.find_alignment(self._tokenizer(language), [list(decoded.tokens)], encoded.states, frames)[0]
        merge_punctuations(found, "\"'“¿([{-《「『", "\"'.。,，!！?？:：”)]}、》」』")
        words: list[Word] = []
        at = 0.0
        for part in found:
            text = part["word"].strip()
            if text:
                start = min(max(at, float(part["start"])), encoded.seconds)
                at = min(max(start, float(part["end"])), encoded.seconds)
                words.append(Word(text, start, at, float(part["probability"])))
        return tuple(words)

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        if language not in self._tokenizers:
            self._tokenizers[language] = Tokenizer(self._model.hf_tokenizer, True, "transcribe", language)
        return self._tokenizers[language]


def _device(wanted: str, gpus: int) -> str:
    """Where the model runs. Raises ``ModelError`` where a GPU is wanted and none is there."""
    if wanted == "cuda" and not gpus:
        raise ModelError("no_cuda", "No NVIDIA GPU can be used here; set --device to auto or cpu.")
    return "cuda" if gpus and wanted != "cpu" else "cpu"


def _storage(states: npt.NDArray[np.float32]) -> Any:
    import ctranslate2

    return ctranslate2.StorageView.from_array(np.ascontiguousarray(states))


def _quietest(samples: Samples, start: float, end: float) -> float:
    """The second between two others around which 0.1 s of sound has the least energy."""
    part = samples[round(start * RATE) : round(end * RATE)].astype(np.float64) ** 2
    energy = np.convolve(part, np.ones(RATE // 10), mode="valid")
    return start + 0.05 + int(np.argmin(energy)) / RATE


def weigh(chances: Mapping[str, float], history: Mapping[str, float]) -> dict[str, float]:
    """Language chances of one stretch, given the seconds already spoken in each language before it.

    A sure detection wins over any history; an unsure one (a short "mhm") goes with the rest of the recording.
    """
    total = sum(history.values())
    if not total:
        return dict(chances)
    weighed = {code: p * (0.05 + history.get(code, 0.0) / total) for code, p in chances.items()}
    scale = sum(weighed.values()) or 1.0
    return {code: p / scale for code, p in weighed.items()}
