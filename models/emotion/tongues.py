"""Calm read speech in eight languages and 54 voices, synthesised: what a voice says when nothing moves it.

The phoneme strings are ours; Kokoro-82M (Apache-2.0) speaks them. EmoDB is German only, and without these any
other language would sound stirred to the classifier.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from webui.engines.g2p import SYMBOL_IDS

Samples = npt.NDArray[np.float32]

# By the first letter of a Kokoro voice: American and British English, Spanish, French, Hindi, Italian, Japanese,
# Portuguese, Mandarin.
_ENGLISH = (
    "ðə wˈɛðəɹ ɪz kwˈIət tədˈA, ænd ðə stɹˈits ɑɹ ˈɛmpti.",
    "ʃi pˈʊt ðə bˈʊks bˈæk ɑn ðə tˈAbᵊl nˈɪɹ ðə wˈɪndO.",
)
PHONEMES = {
    "a": _ENGLISH,
    "b": _ENGLISH,
    "e": (
        "la ɣˈente pasˈea poɾ el pˈaɾke kwˈando aθe βwen tjˈempo.",
        "el tɾˈen sˈale a las nwˈeβe i ʎˈeɣa poɾ la tˈaɾðe.",
    ),
    "f": (
        "lə maʁʃˈe ɛt uvˈɛʁ tu le ʒˈuʁ, sof lə dimˈɑ̃ʃ.",
        "ɛl a pozˈe lə livʁ syʁ la tˈabl dəvˈɑ̃ la fənˈɛtʁ.",
    ),
    "h": (
        "vˈo ɾˈoz sˈʊbəh bˈaːzaːɾ ʤˈaːtaː hɛː ɔːɾ pʰˈəl lˈaːtaː hɛː.",
        "kˈɪtaːb mˈez pəɾ ɾˈəkʰiː hɛː.",
    ),
    "i": (
        "il trˈɛno pˈarte ˈalle nˈɔve e arrˈiva la sˈera.",
        "la ʤˈɛnte kammˈina nel pˈarko kwˈando fa bɛl tˈɛmpo.",
    ),
    "j": (
        "kʲoːwa tˈeŋki ɡa ˈiːnode, kˈoːeɴ made aɾɯkimasɯ.",
        "hˈoɴ wa mˈado no sˈoba no tsɯkɯe ni okimˈaɕita.",
    ),
    "p": (
        "u tɾˈẽj sˈaj as nˈɔvi i ʃˈeɡa a tˈaɾʤi.",
        "a ʒˈẽjti kamˈiɲa nu pˈaɾki kwˈɐ̃du fas bõ tˈẽpu.",
    ),
    "z": (
        "ʨin→tʰjɛn→ tʰjɛn→ʨʰi↘ hən↓ xau↓, wo↓mən tɕʰy↘ kʊŋ→jwan↗ san↘pu↘.",
        "tʰa→ pa↓ ʂu→ fang↘ tsai↘ ʈʂwo→tsɨ ʂaŋ↘ liau.",
    ),
}


def speak_all(models: Path) -> Iterator[tuple[str, Samples]]:
    """Each voice with each of its sentences: the language's letter and the speech at 16 kHz."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(
        models / "kokoro-82m" / "kokoro-v1.0.int8.onnx", options, providers=["CPUExecutionProvider"]
    )
    for file in sorted((models / "kokoro-voices").glob("*.bin")):
        styles = np.fromfile(file, dtype=np.float32).reshape(510, 1, 256)
        for phonemes in PHONEMES[file.stem[0]]:
            ids = [SYMBOL_IDS[symbol] for symbol in phonemes if symbol in SYMBOL_IDS]
            (wave,) = session.run(
                None,
                {
                    "tokens": np.array([[0, *ids, 0]], dtype=np.int64),
                    "style": styles[len(ids)],
                    "speed": np.ones(1, dtype=np.float32),
                },
            )
            yield file.stem[0], soxr.resample(wave.ravel(), 24_000, 16_000).astype(np.float32)
