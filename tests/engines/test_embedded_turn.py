"""The whole turn on the real embedded engines, without a browser: a synthesised question is heard and answered."""

from __future__ import annotations

import re
import time
from collections.abc import Generator
from contextlib import closing

import numpy as np
import pytest

from tests.api.live_client import RATE, quiet, talking
from tests.engines.spoken import a_voice
from tests.reading import says
from webui.audio.convert import resample
from webui.config import ROOT, Settings
from webui.conversation.session import Conversation
from webui.engines.protocols import RecognitionRequest, SpeechRequest
from webui.engines.registry import Engines
from webui.engines.store import ModelStore
from webui.features.chat import Finished, Heard, Spoke, Turn, TurnSettings
from webui.text.script import language_of
from webui.types import Audio

pytestmark = pytest.mark.engine

QUESTIONS = {"en": "What is the capital of France?", "zh": "请问法国的首都是哪里？"}
ANSWERS = {"en": "paris", "zh": "巴黎"}


@pytest.fixture(scope="module")
def engines() -> Generator[Engines, None, None]:
    built = Engines(Settings(small=True), ModelStore(ROOT / "models"))
    yield built
    built.close()


def speak(engines: Engines, text: str, voice: str) -> Audio:
    chunks = list(engines.synthesizer.synthesize(SpeechRequest(text, a_voice(engines.synthesizer, voice))))
    return Audio(np.concatenate([c.audio.samples for c in chunks]), chunks[0].audio.rate)


@pytest.mark.parametrize(("language", "voice"), [("en", "af_heart"), ("zh", "zf_xiaobei")])
def test_a_question_is_understood_and_answered_aloud(engines: Engines, language: str, voice: str) -> None:
    question = speak(engines, QUESTIONS[language], voice)
    with closing(Conversation()) as conversation:
        events = list(
            Turn(engines, conversation, TurnSettings(voice=a_voice(engines.synthesizer, voice).id)).run(question)
        )
    heard = next(e for e in events if isinstance(e, Heard)).utterance.transcript
    assert heard.language == language
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert ANSWERS[language] in finished.reply.lower()
    assert language_of(finished.reply) == language
    sound = [e.chunk.audio for e in events if isinstance(e, Spoke)]
    reply = Audio(np.concatenate([a.samples for a in sound]), sound[0].rate)
    again = "".join(s.text for s in engines.recognizer.transcribe(RecognitionRequest(reply, language=language)))
    assert says(again, finished.reply)


def test_an_open_microphone_hears_a_question_and_is_talked_over(engines: Engines) -> None:
    """On the real engines: the question is answered, and a second one over the answer is answered in its place."""
    questions = [
        resample(speak(engines, text, "af_heart"), RATE) for text in (QUESTIONS["en"], "Wait! What is two plus two?")
    ]
    with talking(engines) as person:
        person.say(quiet(0.3), questions[0].samples, quiet(0.2))
        person.until("funaudio.partial")
        person.say(quiet(1.0))
        first = person.until("response.output_audio.delta")
        time.sleep(0.6)  # some of it is heard
        person.say(questions[1].samples, quiet(0.2))
        person.until("input_audio_buffer.speech_started")
        person.say(quiet(2.0))
        heard = person.until("conversation.item.input_audio_transcription.completed")
        assert says(heard["transcript"], "Wait! What is two plus two?") or "2" in heard["transcript"]
        answer = person.until("response.output_audio_transcript.done")
        while answer["response_id"] == first["response_id"]:
            answer = person.until("response.output_audio_transcript.done")
        assert re.search(r"\b(4|four)\b", answer["transcript"].lower())
        assert (
            person.of("conversation.item.input_audio_transcription.completed")[0]["transcript"].lower().count("france")
        )
