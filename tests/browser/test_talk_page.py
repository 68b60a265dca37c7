"""What the Talk tab does, against a server that plays a script (the real engines have tests of their own)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import TOO_HIGH_HZ, VOICE_HZ
from tests.browser.scripted_server import RATE, Script, ScriptedServer
from tests.waiting import wait_until
from webui.conversation.prompts import PERSONAS
from webui.ui.labels import table, text
from webui.ui.page import TABS

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("script")]
Open = Callable[..., Page]


@pytest.fixture
def talk(open_page: Open, server: ScriptedServer) -> Callable[..., Page]:
    """Opens the page and waits until it has what it shows from the server."""

    def open_(query: str = "", **options: object) -> Page:
        page = open_page(server.url + query, **options)
        page.wait_for_selector(".fa-fields select", state="attached")
        return page

    return open_


def record(page: Page, seconds: float = 0.8) -> None:
    page.keyboard.press("Space")
    page.wait_for_selector('[data-state="recording"]')
    page.wait_for_timeout(seconds * 1000)
    page.keyboard.press("Space")


def wait_for(condition: Callable[[], bool], page: Page) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        page.wait_for_timeout(20)


def test_the_empty_page_says_what_to_do(talk: Open) -> None:
    page = talk()
    expect(page.locator(".fa-empty h2")).to_have_text(text("empty_title"))
    expect(page.locator(".fa-clip")).to_have_count(3)
    expect(page.locator(".fa-talk-button")).to_have_text(text("talk_hold"))
    assert page.title() == "FunAudio WebUI"
    assert "gradio" not in page.locator("body").inner_text().lower()
    assert page.locator("footer:visible").count() == 0


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [360, 768])
def test_nothing_is_wider_than_a_phone(talk: Open, width: int, lang: str) -> None:
    page = talk(f"?lang={lang}", viewport={"width": width, "height": 740})
    record(page)
    page.wait_for_selector(".fa-latency")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.querySelector('.fa-main').scrollWidth") <= width
    page.click(".fa-open-panel")
    expect(page.locator("#fa-voice")).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page.locator("#fa-voice")).not_to_be_in_viewport()


def test_a_spoken_turn_is_heard_and_answered(talk: Open, script: Script) -> None:
    page = talk()
    record(page)
    you, it = page.locator(".is-you"), page.locator(".is-it")
    expect(you.locator(".fa-text")).to_have_text("I failed my exam today. I studied for weeks.")
    expect(you.locator(".fa-emotion")).to_contain_text(text("emotion_SAD"))
    expect(you.locator(".fa-emotion")).to_have_attribute("title", text("confidence_of", percent=86))
    expect(you.locator(".fa-event")).to_have_text([text("event_Breath"), text("event_Cry")])
    expect(it.locator(".fa-said")).to_contain_text("I am sorry to hear that. One exam")
    expect(it.locator(".fa-word.is-now")).to_have_count(1)
    expect(it.locator(".fa-lat-legend")).to_contain_text("0.6 s")
    expect(page.locator('[data-state="idle"]')).to_be_visible(timeout=8000)
    expect(it.locator(".fa-word:not(.is-said)")).to_have_count(0)
    kinds = [kind for kind in script.kinds() if kind != "session.update"]
    assert kinds[0] == "input_audio_buffer.clear"
    assert kinds[-2:] == ["input_audio_buffer.commit", "response.create"]
    assert set(kinds[1:-2]) == {"input_audio_buffer.append"}


def test_the_microphone_arrives_at_24_khz_without_aliases(talk: Open, script: Script) -> None:
    page = talk()
    record(page, 1.2)
    page.wait_for_selector(".fa-latency")
    pcm = b"".join(base64.b64decode(m["audio"]) for m in script.received if m["type"].endswith("append"))
    samples = np.frombuffer(pcm, "<i2")[RATE // 4 :] / 32768
    assert 0.6 < len(samples) / RATE < 3
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    assert abs(hz[spectrum.argmax()] - VOICE_HZ) < 5
    alias = spectrum[np.abs(hz - (RATE - TOO_HIGH_HZ)) < 50].max()
    assert 20 * np.log10(alias / spectrum.max()) < -50


def test_stop_is_silent_at_once_and_late_sound_is_dropped(talk: Open, script: Script) -> None:
    script.pause_s = 0.6
    page = talk()
    record(page)
    page.wait_for_selector(".fa-word.is-said")
    page.keyboard.press("Escape")
    expect(page.locator('[data-state="idle"]')).to_be_visible()
    expect(page.locator(".is-it .fa-tag")).to_have_text(text("stopped"))
    said = page.locator(".fa-word.is-said").count()
    length = page.locator(".is-it header").inner_text()
    page.wait_for_timeout(900)
    assert page.locator(".fa-word.is-said").count() == said
    assert page.locator(".is-it header").inner_text() == length
    assert script.kinds()[-2:] == ["response.cancel", "conversation.item.truncate"]
    assert 0 < script.received[-1]["audio_end_ms"] <= script.chunk_s * 1000


def test_a_conversation_that_was_ended_for_silence_begins_anew_when_somebody_is_there(
    talk: Open, script: Script, server: ScriptedServer
) -> None:
    page = talk()
    record(page)
    expect(page.locator('[data-state="idle"]')).to_be_visible()
    server.drop(4408)
    expect(page.locator(".fa-dock .fa-note")).to_contain_text(text("rested"))
    page.wait_for_timeout(1000)
    assert not script.sockets
    page.keyboard.press("Tab")
    wait_until(lambda: bool(script.sockets))


@pytest.mark.parametrize("writing", [True, False], ids=["while it is being made", "while it is being played"])
def test_talking_over_the_answer_begins_a_new_turn(talk: Open, script: Script, writing: bool) -> None:
    script.pause_s = 30.0 if writing else 0.0
    page = talk()
    record(page)
    page.wait_for_selector(".fa-word.is-said")
    script.pause_s = 0.1
    record(page)
    expect(page.locator(".fa-turn")).to_have_count(2)
    expect(page.locator(".fa-turn").nth(1).locator(".fa-said")).to_contain_text("I am sorry")
    expect(page.locator(".fa-latency")).to_have_count(1 + 1)
    assert script.kinds().count("response.create") == 2


def test_hostile_text_stays_text(talk: Open, script: Script) -> None:
    hostile = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    script.reply, script.transcript = [hostile], hostile
    page = talk()
    page.keyboard.press("/")
    page.keyboard.type(hostile)
    page.keyboard.press("Enter")
    expect(page.locator(".fa-text")).to_have_text(hostile)
    expect(page.locator(".fa-said")).to_contain_text("<img src=x onerror=")
    page.keyboard.press("Escape")
    page.locator(".fa-type").blur()
    record(page)
    expect(page.locator(".fa-text").nth(1)).to_have_text(hostile)
    assert page.locator(".fa-turn img, .fa-turn script").count() == 0
    assert page.title() == "FunAudio WebUI"


@pytest.mark.parametrize(
    ("name", "kind", "data", "key", "values"),
    [
        ("big.wav", "audio/wav", b"x" * (2 * 1024 * 1024 + 1), "file_over", {"megabytes": 2}),
        ("empty.wav", "audio/wav", b"", "file_empty", {}),
        ("<b>letter</b>.pdf", "application/pdf", b"%PDF", "file_not_sound", {}),
    ],
)
def test_a_wrong_file_is_refused_before_it_is_sent(
    talk: Open, script: Script, name: str, kind: str, data: bytes, key: str, values: dict[str, int]
) -> None:
    page = talk()
    page.locator("input[type=file]").first.set_input_files({"name": name, "mimeType": kind, "buffer": data})
    expect(page.locator(".fa-dock .fa-note")).to_contain_text(text(key, name=name, **values))
    assert "funaudio.input_file" not in script.kinds()


def test_a_file_goes_in_pieces(talk: Open, script: Script) -> None:
    data = bytes(range(256)) * 4096
    page = talk()
    page.locator("input[type=file]").first.set_input_files({"name": "a.wav", "mimeType": "audio/wav", "buffer": data})
    page.wait_for_selector(".fa-latency")
    pieces = [message for message in script.received if message["type"] == "funaudio.input_file"]
    assert b"".join(base64.b64decode(piece["data"]) for piece in pieces) == data
    assert [piece["last"] for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert max(len(json.dumps(piece)) for piece in pieces) <= 512 * 1024 + 200


def test_a_clip_is_sent(talk: Open, script: Script) -> None:
    page = talk()
    page.click(".fa-clip >> nth=0")
    page.wait_for_selector(".fa-latency")
    assert "funaudio.input_file" in script.kinds()
    expect(page.locator(".fa-filename, .fa-emotion").first).to_be_visible()


def test_an_error_is_one_sentence_in_the_persons_language(talk: Open, script: Script) -> None:
    script.error = {"code": "mic_silent", "message": "never shown", "values": {}}
    page = talk("?lang=zh")
    record(page)
    expect(page.locator(".fa-turn .fa-note")).to_contain_text(text("mic_silent", "zh"))
    script.error = {"code": "unheard_of", "message": "A sentence from the server.", "values": {}}
    page.click(".fa-turn .fa-note button")
    expect(page.locator(".fa-turn .fa-note")).to_contain_text("A sentence from the server.")
    script.error = None
    page.click(".fa-turn .fa-note button")
    expect(page.locator(".fa-said")).to_contain_text("I am sorry")
    expect(page.locator(".fa-turn")).to_have_count(1)


def test_a_lost_connection_loses_no_recording(talk: Open, server: ScriptedServer, script: Script) -> None:
    page = talk()
    page.keyboard.press("Space")
    page.wait_for_selector('[data-state="recording"]')
    page.wait_for_timeout(500)
    server.drop()
    wait_for(lambda: len(script.sockets) == 1 and script.kinds().count("session.update") > 1, page)
    before = len(script.received)
    page.wait_for_timeout(500)
    page.keyboard.press("Space")
    expect(page.locator(".fa-said")).to_contain_text("I am sorry")
    sent = script.received[before:]
    whole = sent[[m["type"] for m in sent].index("input_audio_buffer.clear") :]
    pcm = b"".join(base64.b64decode(m["audio"]) for m in whole if m["type"].endswith("append"))
    assert len(pcm) / 2 / RATE > 0.9


def test_an_unanswered_turn_can_be_sent_again(talk: Open, server: ScriptedServer, script: Script) -> None:
    script.heard_s = 30
    page = talk()
    record(page)
    wait_for(lambda: "response.create" in script.kinds(), page)
    server.drop()
    script.heard_s = 0.1
    again = page.get_by_role("button", name=text("send_again"))
    again.click()
    expect(page.locator(".fa-said")).to_contain_text("I am sorry")
    expect(page.locator(".fa-turn")).to_have_count(1)


def test_another_language_keeps_the_conversation(talk: Open) -> None:
    page = talk()
    record(page)
    page.wait_for_selector(".fa-latency")
    page.click(".fa-tools button >> nth=0")
    expect(page.locator("[role=tab]")).to_have_text([text(f"tab_{tab}", "zh") for tab in TABS])
    expect(page.locator(".fa-emotion")).to_contain_text(text("emotion_SAD", "zh"))
    expect(page.locator(".fa-text")).to_have_text("I failed my exam today. I studied for weeks.")
    assert page.evaluate("document.documentElement.lang") == "zh"
    page.reload()
    expect(page.locator("[role=tab]").first).to_have_text(text("tab_talk", "zh"))
    expect(page.locator(".fa-area")).to_have_value(PERSONAS["friend"]["zh"])


def test_the_browsers_language_and_colours_are_followed(talk: Open) -> None:
    page = talk(locale="zh-CN", color_scheme="dark")
    expect(page.locator(".fa-empty h2")).to_have_text(text("empty_title", "zh"))
    expect(page.locator("[role=tab]").first).to_have_text(text("tab_talk", "zh"))
    expect(page.locator(".fa-area")).to_have_value(PERSONAS["friend"]["zh"])
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click(".fa-tools button >> nth=1")
    expect(page.locator("body")).not_to_have_css("background-color", dark)
    page.reload()
    page.wait_for_selector(".fa-tools button")
    expect(page.locator("body")).not_to_have_css("background-color", dark)


def test_choices_reach_the_server_and_are_remembered(talk: Open, script: Script) -> None:
    page = talk()
    page.select_option("#fa-voice", "zf_xiaobei")
    page.get_by_text(text("style_calm"), exact=True).click()
    page.select_option("#fa-reply", "zh")
    page.fill(".fa-area", "You are a pirate.")
    page.locator(".fa-area").blur()
    wait_for(lambda: "instructions" in script.received[-1].get("session", {}), page)
    session = script.received[-1]["session"]
    assert session["instructions"] == "You are a pirate."
    assert session["audio"]["output"] == {"voice": "zf_xiaobei", "speed": 1}
    assert session["audio"]["input"]["turn_detection"] is None
    assert session["funaudio"]["style"] == "calm"
    assert session["funaudio"]["reply_language"] == "zh"
    page.reload()
    expect(page.locator("#fa-voice")).to_have_value("zf_xiaobei")
    expect(page.locator(".fa-area")).to_have_value("You are a pirate.")


def test_a_voice_can_be_tried(talk: Open, script: Script) -> None:
    page = talk()
    page.get_by_role("button", name=text("voice_play")).click()
    expect(page.locator('[data-state="busy"]')).to_be_visible()
    expect(page.locator('[data-state="idle"]')).to_be_visible()
    assert script.received[-1] == {"type": "funaudio.preview", "voice": ""}


def test_a_blocked_microphone_is_explained(talk: Open) -> None:
    page = talk(permissions=[])
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError') } }"
    )
    page.click(".fa-talk-button")
    expect(page.locator(".fa-dock .fa-note")).to_contain_text(text("mic_denied"))
    expect(page.locator('[data-state="idle"]')).to_be_visible()


def test_a_model_on_its_way_is_told_of(talk: Open, script: Script) -> None:
    script.loading = True
    page = talk()
    expect(page.locator(".fa-status")).to_contain_text(text("fetching_model", name="Whisper base"))
    expect(page.locator(".fa-status [role=progressbar]")).to_have_attribute("aria-valuenow", "42")


def test_escape_throws_a_recording_away(talk: Open, script: Script) -> None:
    page = talk()
    page.keyboard.press("Space")
    page.wait_for_selector('[data-state="recording"]')
    page.keyboard.press("Escape")
    expect(page.locator('[data-state="idle"]')).to_be_visible()
    expect(page.locator(".fa-turn")).to_have_count(0)
    assert "response.create" not in script.kinds()


def test_holding_the_button_records_until_it_is_let_go(talk: Open, script: Script) -> None:
    page = talk()
    page.locator(".fa-talk-button").hover()
    page.mouse.down()
    page.wait_for_selector('[data-state="recording"]')
    page.wait_for_timeout(800)
    page.mouse.up()
    expect(page.locator(".fa-said")).to_contain_text("I am sorry")
    assert "response.create" in script.kinds()


def test_a_new_conversation_is_empty(talk: Open, script: Script) -> None:
    page = talk()
    record(page)
    page.wait_for_selector(".fa-latency")
    assert page.get_by_text(text("download_conversation")).evaluate("e => e.closest('a').href").endswith(".zip")
    page.get_by_text(text("new_conversation")).click()
    expect(page.locator(".fa-turn")).to_have_count(0)
    expect(page.locator(".fa-empty")).to_be_visible()
    assert script.kinds()[-1] == "funaudio.reset"


def test_both_languages_have_every_label() -> None:
    words = table()
    assert words["en"].keys() == words["zh"].keys()
    for key, sentence in words["en"].items():
        blanks = {part.split("}")[0] for part in sentence.split("{")[1:]}
        assert blanks == {part.split("}")[0] for part in words["zh"][key].split("{")[1:]}, key
