"""What the Live tab does with what is said, against a server that says what a test tells it to."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.live_page import REPLY, Open, level, loudest_after, shows, speaking, wait_for
from tests.browser.live_server import LiveServer, loudness, seconds
from webui.ui.labels import text

pytestmark = pytest.mark.browser


def test_it_listens_as_soon_as_it_is_started(talking: Open, peer: LiveServer) -> None:
    page = talking()
    audio = page.evaluate("wish.audio")
    assert (audio["echoCancellation"], audio["noiseSuppression"], audio["autoGainControl"]) == (True, True, False)
    session = peer.wire.of("session.update")[0]["session"]
    assert session["audio"]["input"] == {
        "format": {"type": "audio/pcm", "rate": 24000},
        "turn_detection": {"type": "semantic_vad", "eagerness": "auto"},
    }
    wait_for(lambda: len(peer.wire.of("input_audio_buffer.append")) > 20, page)
    pieces = [message["audio"] for message in peer.wire.of("input_audio_buffer.append")]
    assert {seconds([piece]) for piece in pieces} == {0.04}
    assert loudness(pieces) > 0.01  # a steady tone is a noise, and suppressed
    assert level(page, "you") > 0.05


def test_a_turn_is_heard_and_answered(talking: Open, peer: LiveServer) -> None:
    page = talking()
    peer.emit("input_audio_buffer.speech_started", item_id="i1", audio_start_ms=100)
    shows(page, "hearing")
    partial = {"transcript": "I failed my", "language": "en", "emotion": "SAD", "events": ["Breath"]}
    peer.emit("funaudio.partial", item_id="i1", **partial)
    you, it = page.locator(".fa-line.is-you"), page.locator(".fa-line.is-it")
    expect(you.locator(".fa-text")).to_have_text("I failed my")
    expect(you.locator(".fa-event")).to_have_text(text("event_Breath"))
    events = [{"event": "Cry", "start": 1.0, "end": 1.5, "confidence": 0.6}]
    peer.hears("i1", "I failed my exam today.", emotion="SAD", sure=0.86, events=events)
    shows(page, "thinking")
    expect(you.locator(".fa-text")).to_have_text("I failed my exam today.")
    expect(you.locator(".fa-tag")).to_have_text(text("language_en"))
    expect(you.locator(".fa-emotion")).to_have_attribute("title", text("confidence_of", percent=86))
    expect(you.locator(".fa-event")).to_have_text(text("event_Cry"))
    peer.begins("r1")
    peer.says("r1", "One exam does not undo weeks of work.", 2.0)
    shows(page, "speaking")
    expect(it.locator(".fa-said")).to_have_text("One exam does not undo weeks of work.")
    expect(it.locator(".fa-word.is-now")).to_have_count(1)
    assert it.locator(".fa-word.is-said").count() < 8
    page.wait_for_function(
        "getComputedStyle(document.querySelector('.fa-meter.is-it')).getPropertyValue('--level') > 0.1"
    )
    peer.done("r1")
    expect(page.locator(".fa-exchange .fa-lat-legend")).to_contain_text(text("latency_total", n="0.9"))
    shows(page, "listening")
    expect(it.locator(".fa-word:not(.is-said)")).to_have_count(0)
    expect(page.locator(".fa-exchange")).to_have_count(1)
    expect(page.locator(".fa-live > [aria-live]")).to_have_text(f"{text('it')}: One exam does not undo weeks of work.")
    assert not peer.wire.of("conversation.item.truncate")


def test_words_that_were_not_all_make_room_for_the_whole(talking: Open, peer: LiveServer) -> None:
    page = talking()
    peer.hears("i1", "I would like to fly.")
    peer.begins("r1")
    peer.done("r1", "cancelled")
    peer.emit("conversation.item.deleted", item_id="i1")
    peer.hears("i2", "I would like to fly to Rome.")
    expect(page.locator(".fa-line.is-you .fa-text")).to_have_text(["I would like to fly to Rome."])
    expect(page.locator(".fa-exchange")).to_have_count(1)


def test_held_it_is_silent_at_once_and_goes_on_where_it_was(talking: Open, peer: LiveServer) -> None:
    page = talking()
    speaking(page, peer)
    peer.emit("funaudio.hold", response_id="r1")
    shows(page, "held")
    assert loudest_after(page, "funaudio.hold", 100, 500) == 0
    said = page.locator(".fa-word.is-said").count()
    page.wait_for_timeout(400)
    assert page.locator(".fa-word.is-said").count() == said < len(REPLY.split())
    assert level(page, "it") == 0
    peer.emit("funaudio.ignored", item_id="i9", reason="backchannel", transcript="uh-huh", events=[])
    peer.emit("funaudio.resume", response_id="r1")
    shows(page, "speaking")
    assert loudest_after(page, "funaudio.resume", 0, 200) > 0.05
    expect(page.locator(".fa-ignored")).to_have_text("uh-huh" + text("live_ignored_backchannel"))
    expect(page.locator(".fa-exchange")).to_have_count(1)
    assert page.locator(".fa-word.is-said").count() >= said
    expect(page.locator(".fa-word:not(.is-said)")).to_have_count(0)
    took = page.evaluate("performance.now() - came['funaudio.resume']") / 1000
    left = len(REPLY.split()) - 1 - said  # words until the last one begins; the sentence takes four seconds
    assert took > left * 4.0 / len(REPLY.split()) - 0.4


@pytest.mark.parametrize("told_by", ["input_audio_buffer.speech_started", "response.done"])
def test_an_interruption_silences_it_and_tells_how_far_it_was_heard(
    talking: Open, peer: LiveServer, told_by: str
) -> None:
    page = talking()
    peer.hears("i1", "I failed my exam today.")
    speaking(page, peer)
    if told_by == "response.done":
        peer.done("r1", "cancelled")
    else:
        peer.emit(told_by, item_id="i2", audio_start_ms=5000)
        shows(page, "hearing")
    assert loudest_after(page, told_by, 100, 300) == 0
    wait_for(lambda: bool(peer.wire.of("conversation.item.truncate")), page)
    heard = page.locator(".fa-word.is-said").count()
    [truncate] = peer.wire.of("conversation.item.truncate")
    step = 4000 / len(REPLY.split())
    assert (truncate["item_id"], truncate["content_index"]) == ("item-r1", 0)
    assert (heard - 1) * step - 60 <= truncate["audio_end_ms"] <= heard * step + 60
    expect(page.locator(".fa-line.is-it .fa-tag")).to_have_text(text("live_interrupted"))
    expect(page.locator("s.fa-cut")).to_have_text(" ".join(REPLY.split()[heard:]))
    peer.says("r1", "This comes too late to be heard.", 2.0)
    page.wait_for_timeout(400)
    assert page.evaluate("Math.max(...loud.slice(-30).map(([, level]) => level))") == 0
    assert level(page, "it") == 0
    assert page.locator(".fa-word.is-said").count() == heard
    expect(page.locator(".fa-said")).not_to_contain_text("too late")
    peer.hears("i2", "Wait, why?")
    speaking(page, peer, "r2")
    expect(page.locator(".fa-exchange")).to_have_count(2)
    assert len(peer.wire.of("conversation.item.truncate")) == 1


def test_speech_while_nothing_plays_breaks_nothing_off(talking: Open, peer: LiveServer) -> None:
    page = talking()
    peer.hears("i1", "I failed my exam today.")
    peer.begins("r1")
    peer.emit("input_audio_buffer.speech_started", item_id="i2", audio_start_ms=2000)
    shows(page, "hearing")
    peer.done("r1", "cancelled")
    peer.emit("funaudio.ignored", item_id="i2", reason="noise", transcript="", events=[])
    expect(page.locator(".fa-ignored")).to_have_text(text("live_ignored_noise"))
    assert not peer.wire.of("conversation.item.truncate")


def test_a_sound_that_comes_too_late_is_counted(talking: Open, peer: LiveServer) -> None:
    page = talking()
    peer.begins("r1")
    peer.says("r1", "One exam", 0.4)
    page.wait_for_timeout(800)
    peer.says("r1", "does not undo weeks.", 0.4)
    peer.done("r1")
    expect(page.locator(".fa-line.is-it header")).to_contain_text(text("live_gaps", n=1))


def test_muted_nothing_is_sent(talking: Open, peer: LiveServer) -> None:
    page = talking()
    page.keyboard.press("m")
    shows(page, "muted")
    page.wait_for_timeout(200)
    sent = len(peer.wire.received)
    page.wait_for_timeout(500)
    assert len(peer.wire.received) == sent
    assert level(page, "you") == 0
    page.get_by_role("button", name=text("live_mute")).click()
    shows(page, "listening")
    wait_for(lambda: len(peer.wire.received) > sent + 5, page)


def test_muting_in_the_middle_of_a_sentence_ends_it_with_silence(talking: Open, peer: LiveServer) -> None:
    page = talking()
    peer.emit("input_audio_buffer.speech_started", item_id="i1", audio_start_ms=100)
    shows(page, "hearing")
    page.keyboard.press("m")
    wait_for(lambda: seconds([peer.wire.received[-1].get("audio", "")]) == 2.0, page)
    assert loudness([peer.wire.received[-1]["audio"]]) == 0


def test_push_to_talk_sends_what_is_said_while_the_key_is_down(talking: Open, peer: LiveServer) -> None:
    page = talking()
    page.get_by_role("button", name=text("live_push")).click()
    shows(page, "waiting")
    wait_for(lambda: len(peer.wire.of("session.update")) == 2, page)
    assert peer.wire.of("session.update")[1]["session"]["audio"]["input"]["turn_detection"] is None
    speaking(page, peer)
    before = len(peer.wire.received)
    page.keyboard.down(" ")
    shows(page, "hearing")
    page.wait_for_timeout(800)
    page.keyboard.up(" ")
    wait_for(lambda: "response.create" in peer.wire.kinds(), page)
    kinds = peer.wire.kinds()[before:]
    first = ["response.cancel", "conversation.item.truncate", "input_audio_buffer.clear", "input_audio_buffer.append"]
    assert kinds[:4] == first
    assert kinds[-2:] == ["input_audio_buffer.commit", "response.create"]
    assert set(kinds[4:-2]) == {"input_audio_buffer.append"}
    shows(page, "thinking")
    page.wait_for_timeout(200)
    assert peer.wire.kinds()[before:] == kinds


def test_escape_ends_the_speech_and_not_the_conversation(talking: Open, peer: LiveServer) -> None:
    page = talking()
    speaking(page, peer)
    page.keyboard.press("Escape")
    shows(page, "listening")
    wait_for(lambda: "conversation.item.truncate" in peer.wire.kinds(), page)
    assert "response.cancel" in peer.wire.kinds()
    expect(page.locator("s.fa-cut")).not_to_be_empty()


def test_both_tabs_show_the_same_choices(talking: Open, peer: LiveServer) -> None:
    page = talking()
    page.select_option("#fa-live-voice", "zf_xiaobei")
    wait_for(lambda: len(peer.wire.of("session.update")) == 2, page)
    session = peer.wire.of("session.update")[1]["session"]
    assert session["audio"]["output"]["voice"] == "zf_xiaobei"
    assert session["audio"]["input"]["turn_detection"]["type"] == "semantic_vad"
    page.locator('[role=tab][data-tab-id="talk"]').click()
    expect(page.locator("#fa-voice")).to_have_value("zf_xiaobei")
    page.get_by_text(text("style_calm"), exact=True).locator("visible=true").click()
    page.locator('[role=tab][data-tab-id="live"]').click()
    expect(page.locator('.fa-live input[value="calm"]')).to_be_checked()
    expect(page.locator('.fa-talk input[value="calm"]')).to_be_checked()


def test_hostile_text_stays_text(talking: Open, peer: LiveServer) -> None:
    hostile = "<img src=x onerror=\"document.title='taken'\">"
    page = talking()
    peer.hears("i1", hostile)
    peer.begins("r1")
    peer.says("r1", hostile, 1.0)
    peer.emit("funaudio.ignored", item_id="i2", reason="backchannel", transcript=hostile, events=[])
    expect(page.locator(".fa-ignored q")).to_have_text(hostile)
    expect(page.locator(".fa-text")).to_have_text(hostile)
    assert page.locator(".fa-exchange img").count() == 0
    assert page.title() == "FunAudio WebUI"


def test_the_page_speaks_chinese(talking: Open, peer: LiveServer) -> None:
    page = talking("?lang=zh")
    expect(page.locator('[role=tab][data-tab-id="live"]')).to_have_text(text("tab_live", "zh"))
    expect(page.locator(".fa-live-word")).to_have_text(text("live_listening", "zh"))
    expect(page.locator(".fa-try p").first).to_have_text(text("live_say_ask", "zh"))
    expect(page.get_by_role("button", name=text("live_end", "zh"))).to_be_visible()
    assert peer.wire.of("session.update")[0]["session"]["funaudio"]["lang"] == "zh"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_wider_than_a_phone(talking: Open, peer: LiveServer, lang: str) -> None:
    page = talking(f"?lang={lang}", viewport={"width": 360, "height": 640})
    expect(page.get_by_role("button", name=text("live_mute", lang))).to_be_in_viewport(ratio=0.99)
    peer.hears("i1", "I failed my exam today.", emotion="SAD")
    speaking(page, peer)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.querySelector('.fa-live-main').scrollWidth") <= 360
    expect(page.locator(".fa-orb")).to_be_in_viewport(ratio=0.99)
    expect(page.get_by_role("button", name=text("talk_stop", lang))).to_be_in_viewport(ratio=0.99)


def test_where_motion_is_unwelcome_the_rings_stay_where_they_are(talking: Open, peer: LiveServer) -> None:
    page = talking(reduced_motion="reduce")
    speaking(page, peer)
    assert level(page, "it") > 0
    reach = """() => {
      const canvas = document.querySelector('.fa-orb-box canvas');
      const row = canvas.getContext('2d').getImageData(0, canvas.height / 2, canvas.width, 1).data;
      return [...Array(canvas.width).keys()].findIndex((x) => row[x * 4 + 3] > 8) / canvas.width;
    }"""
    assert min(page.evaluate(reach) for _ in range(20)) > 0.15
