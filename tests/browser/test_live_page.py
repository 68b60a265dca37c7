"""What the Live tab does, against a server that says what a test tells it to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.live_server import LiveServer, loudness, seconds
from webui.ui.labels import text

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

# What leaves the loudspeaker, every 10 ms, with the moments at which the server's events came in; and the microphones.
WATCH = """
() => {
  window.loud = [];
  window.came = {};
  window.tracks = [];
  const { connect } = AudioNode.prototype;
  AudioNode.prototype.connect = function (to, ...more) {
    if (to instanceof AudioDestinationNode) {
      const tap = new AnalyserNode(this.context, { fftSize: 256 });
      const samples = new Float32Array(256);
      connect.call(this, tap);
      window.speaker = this.context;
      setInterval(() => {
        tap.getFloatTimeDomainData(samples);
        window.loud.push([performance.now(), Math.max(...samples.map(Math.abs))]);
      }, 10);
    }
    return connect.call(this, to, ...more);
  };
  window.WebSocket = class extends WebSocket {
    constructor(...address) {
      super(...address);
      this.addEventListener("message", ({ data }) => { window.came[JSON.parse(data).type] = performance.now(); });
    }
  };
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const stream = await ask(wish);
    window.wish = wish;
    window.tracks.push(...stream.getTracks());
    return stream;
  };
}
"""
REPLY = "One exam does not undo weeks of work and you can take it again in the spring"


@pytest.fixture(scope="module")
def running() -> Iterator[LiveServer]:
    server = LiveServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(running: LiveServer) -> LiveServer:
    running.forget()
    return running


@pytest.fixture
def live(open_page: Open, server: LiveServer) -> Open:
    """Opens the Live tab. The Talk tab has a connection of its own before."""

    def open_(query: str = "", **options: Any) -> Page:
        page = open_page(server.url + query, **options)
        page.wait_for_selector(".fa-talk .fa-fields select", state="attached")
        page.locator('[role=tab][data-tab-id="live"]').click()
        page.wait_for_selector(".fa-live .fa-fields select", state="attached")
        page.evaluate(WATCH)
        return page

    return open_


@pytest.fixture
def talking(live: Open, server: LiveServer) -> Open:
    """Opens the Live tab and starts a conversation."""

    def open_(query: str = "", **options: Any) -> Page:
        page = live(query, **options)
        page.click(".fa-orb")
        shows(page, "listening")
        wait_for(lambda: "session.update" in server.wire.kinds(), page)
        return page

    return open_


def wait_for(condition: Callable[[], bool], page: Page) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        page.wait_for_timeout(20)


def shows(page: Page, state: str) -> None:
    expect(page.locator(".fa-live")).to_have_attribute("data-state", state)


def speaking(page: Page, server: LiveServer, response: str = "r1", length: float = 4.0) -> None:
    """It answers, and three words of the answer were heard."""
    server.begins(response)
    server.says(response, REPLY, length)
    expect(page.locator(".fa-exchange:last-child .fa-word.is-said")).not_to_have_count(0)
    page.wait_for_function("document.querySelectorAll('.fa-exchange:last-child .fa-word.is-said').length >= 3")


def level(page: Page, who: str) -> float:
    return float(
        page.evaluate(f"getComputedStyle(document.querySelector('.fa-meter.is-{who}')).getPropertyValue('--level')")
    )


def loudest_after(page: Page, event: str, begin_ms: int, end_ms: int) -> float:
    """The loudest that left the loudspeaker in that time after the event came in."""
    page.wait_for_function(f"performance.now() > came['{event}'] + {end_ms}")
    return float(
        page.evaluate(
            """([event, begin, end]) => Math.max(...loud
              .filter(([at]) => at - came[event] >= begin && at - came[event] <= end).map(([, level]) => level))""",
            [event, begin_ms, end_ms],
        )
    )


def test_nothing_is_asked_for_before_the_button_is_pressed(live: Open, server: LiveServer) -> None:
    page = live()
    expect(page.locator(".fa-live-word")).to_have_text(text("live_start"))
    expect(page.locator(".fa-try h3")).to_have_text([text(f"live_try_{name}") for name in ("ask", "interrupt", "nod")])
    expect(page.get_by_role("button", name=text("live_start"))).to_be_visible()
    assert len(server.wires) == 1  # Talk's
    assert page.evaluate("tracks.length") == 0


def test_it_listens_as_soon_as_it_is_started(talking: Open, server: LiveServer) -> None:
    page = talking()
    audio = page.evaluate("wish.audio")
    assert (audio["echoCancellation"], audio["noiseSuppression"], audio["autoGainControl"]) == (True, True, False)
    session = server.wire.of("session.update")[0]["session"]
    assert session["audio"]["input"] == {
        "format": {"type": "audio/pcm", "rate": 24000},
        "turn_detection": {"type": "semantic_vad", "eagerness": "auto"},
    }
    wait_for(lambda: len(server.wire.of("input_audio_buffer.append")) > 20, page)
    pieces = [message["audio"] for message in server.wire.of("input_audio_buffer.append")]
    assert {seconds([piece]) for piece in pieces} == {0.04}
    assert loudness(pieces) > 0.01  # a steady tone is a noise, and suppressed
    assert level(page, "you") > 0.05


def test_a_turn_is_heard_and_answered(talking: Open, server: LiveServer) -> None:
    page = talking()
    server.emit("input_audio_buffer.speech_started", item_id="i1", audio_start_ms=100)
    shows(page, "hearing")
    partial = {"transcript": "I failed my", "language": "en", "emotion": "SAD", "events": ["Breath"]}
    server.emit("funaudio.partial", item_id="i1", **partial)
    you, it = page.locator(".fa-line.is-you"), page.locator(".fa-line.is-it")
    expect(you.locator(".fa-text")).to_have_text("I failed my")
    expect(you.locator(".fa-event")).to_have_text(text("event_Breath"))
    events = [{"event": "Cry", "start": 1.0, "end": 1.5, "confidence": 0.6}]
    server.hears("i1", "I failed my exam today.", emotion="SAD", sure=0.86, events=events)
    shows(page, "thinking")
    expect(you.locator(".fa-text")).to_have_text("I failed my exam today.")
    expect(you.locator(".fa-tag")).to_have_text(text("language_en"))
    expect(you.locator(".fa-emotion")).to_have_attribute("title", text("confidence_of", percent=86))
    expect(you.locator(".fa-event")).to_have_text(text("event_Cry"))
    server.begins("r1")
    server.says("r1", "One exam does not undo weeks of work.", 2.0)
    shows(page, "speaking")
    expect(it.locator(".fa-said")).to_have_text("One exam does not undo weeks of work.")
    expect(it.locator(".fa-word.is-now")).to_have_count(1)
    assert it.locator(".fa-word.is-said").count() < 8
    page.wait_for_function(
        "getComputedStyle(document.querySelector('.fa-meter.is-it')).getPropertyValue('--level') > 0.1"
    )
    server.done("r1")
    expect(page.locator(".fa-exchange .fa-lat-legend")).to_contain_text(text("latency_total", n="0.9"))
    shows(page, "listening")
    expect(it.locator(".fa-word:not(.is-said)")).to_have_count(0)
    expect(page.locator(".fa-exchange")).to_have_count(1)
    expect(page.locator(".fa-live > [aria-live]")).to_have_text(f"{text('it')}: One exam does not undo weeks of work.")
    assert not server.wire.of("conversation.item.truncate")


def test_held_it_is_silent_at_once_and_goes_on_where_it_was(talking: Open, server: LiveServer) -> None:
    page = talking()
    speaking(page, server)
    server.emit("funaudio.hold", response_id="r1")
    shows(page, "held")
    assert loudest_after(page, "funaudio.hold", 100, 500) == 0
    said = page.locator(".fa-word.is-said").count()
    page.wait_for_timeout(400)
    assert page.locator(".fa-word.is-said").count() == said < len(REPLY.split())
    assert level(page, "it") == 0
    server.emit("funaudio.ignored", item_id="i9", reason="backchannel", transcript="uh-huh", events=[])
    server.emit("funaudio.resume", response_id="r1")
    shows(page, "speaking")
    assert loudest_after(page, "funaudio.resume", 0, 200) > 0.05
    expect(page.locator(".fa-ignored")).to_have_text("uh-huh" + text("live_ignored_backchannel"))
    expect(page.locator(".fa-exchange")).to_have_count(1)
    at = page.evaluate("came['funaudio.resume']")
    expect(page.locator(".fa-word:not(.is-said)")).to_have_count(0)
    left = 4.0 * (1 - said / len(REPLY.split()))
    assert (page.evaluate("performance.now()") - at) / 1000 == pytest.approx(left - 4.0 / len(REPLY.split()), abs=0.6)


@pytest.mark.parametrize("told_by", ["input_audio_buffer.speech_started", "response.done"])
def test_an_interruption_silences_it_and_tells_how_far_it_was_heard(
    talking: Open, server: LiveServer, told_by: str
) -> None:
    page = talking()
    server.hears("i1", "I failed my exam today.")
    speaking(page, server)
    if told_by == "response.done":
        server.done("r1", "cancelled")
    else:
        server.emit(told_by, item_id="i2", audio_start_ms=5000)
        shows(page, "hearing")
    assert loudest_after(page, told_by, 100, 300) == 0
    wait_for(lambda: bool(server.wire.of("conversation.item.truncate")), page)
    heard = page.locator(".fa-word.is-said").count()
    [truncate] = server.wire.of("conversation.item.truncate")
    step = 4000 / len(REPLY.split())
    assert (truncate["item_id"], truncate["content_index"]) == ("item-r1", 0)
    assert (heard - 1) * step - 60 <= truncate["audio_end_ms"] <= heard * step + 60
    expect(page.locator(".fa-line.is-it .fa-tag")).to_have_text(text("live_interrupted"))
    expect(page.locator("s.fa-cut")).to_have_text(" ".join(REPLY.split()[heard:]))
    server.says("r1", "This comes too late to be heard.", 2.0)
    page.wait_for_timeout(400)
    assert page.evaluate("Math.max(...loud.slice(-30).map(([, level]) => level))") == 0
    assert level(page, "it") == 0
    assert page.locator(".fa-word.is-said").count() == heard
    expect(page.locator(".fa-said")).not_to_contain_text("too late")
    server.hears("i2", "Wait, why?")
    speaking(page, server, "r2")
    expect(page.locator(".fa-exchange")).to_have_count(2)
    assert len(server.wire.of("conversation.item.truncate")) == 1


def test_speech_while_nothing_plays_breaks_nothing_off(talking: Open, server: LiveServer) -> None:
    page = talking()
    server.hears("i1", "I failed my exam today.")
    server.begins("r1")
    server.emit("input_audio_buffer.speech_started", item_id="i2", audio_start_ms=2000)
    shows(page, "hearing")
    server.done("r1", "cancelled")
    server.emit("funaudio.ignored", item_id="i2", reason="noise", transcript="", events=[])
    expect(page.locator(".fa-ignored")).to_have_text(text("live_ignored_noise"))
    assert not server.wire.of("conversation.item.truncate")


def test_a_sound_that_comes_too_late_is_counted(talking: Open, server: LiveServer) -> None:
    page = talking()
    server.begins("r1")
    server.says("r1", "One exam", 0.4)
    page.wait_for_timeout(800)
    server.says("r1", "does not undo weeks.", 0.4)
    server.done("r1")
    expect(page.locator(".fa-line.is-it header")).to_contain_text(text("live_gaps", n=1))


def test_muted_nothing_is_sent(talking: Open, server: LiveServer) -> None:
    page = talking()
    page.keyboard.press("m")
    shows(page, "muted")
    page.wait_for_timeout(200)
    sent = len(server.wire.received)
    page.wait_for_timeout(500)
    assert len(server.wire.received) == sent
    assert level(page, "you") == 0
    page.get_by_role("button", name=text("live_mute")).click()
    shows(page, "listening")
    wait_for(lambda: len(server.wire.received) > sent + 5, page)


def test_muting_in_the_middle_of_a_sentence_ends_it_with_silence(talking: Open, server: LiveServer) -> None:
    page = talking()
    server.emit("input_audio_buffer.speech_started", item_id="i1", audio_start_ms=100)
    shows(page, "hearing")
    page.keyboard.press("m")
    wait_for(lambda: seconds([server.wire.received[-1].get("audio", "")]) == 2.0, page)
    assert loudness([server.wire.received[-1]["audio"]]) == 0


def test_push_to_talk_sends_what_is_said_while_the_key_is_down(talking: Open, server: LiveServer) -> None:
    page = talking()
    page.get_by_role("button", name=text("live_push")).click()
    shows(page, "waiting")
    wait_for(lambda: len(server.wire.of("session.update")) == 2, page)
    assert server.wire.of("session.update")[1]["session"]["audio"]["input"]["turn_detection"] is None
    speaking(page, server)
    before = len(server.wire.received)
    page.keyboard.down(" ")
    shows(page, "hearing")
    page.wait_for_timeout(800)
    page.keyboard.up(" ")
    wait_for(lambda: "response.create" in server.wire.kinds(), page)
    kinds = server.wire.kinds()[before:]
    first = ["response.cancel", "conversation.item.truncate", "input_audio_buffer.clear", "input_audio_buffer.append"]
    assert kinds[:4] == first
    assert kinds[-2:] == ["input_audio_buffer.commit", "response.create"]
    assert set(kinds[4:-2]) == {"input_audio_buffer.append"}
    shows(page, "thinking")
    page.wait_for_timeout(200)
    assert server.wire.kinds()[before:] == kinds


def test_escape_ends_the_speech_and_not_the_conversation(talking: Open, server: LiveServer) -> None:
    page = talking()
    speaking(page, server)
    page.keyboard.press("Escape")
    shows(page, "listening")
    wait_for(lambda: "conversation.item.truncate" in server.wire.kinds(), page)
    assert "response.cancel" in server.wire.kinds()
    expect(page.locator("s.fa-cut")).not_to_be_empty()


def test_the_button_gives_everything_back(talking: Open, server: LiveServer) -> None:
    page = talking()
    speaking(page, server)
    page.get_by_role("button", name=text("live_end")).click()
    shows(page, "ended")
    assert page.evaluate("tracks.map((track) => track.readyState)") == ["ended"]
    wait_for(lambda: server.wire.closed == 1000, page)
    assert page.evaluate("speaker.state") == "closed"
    page.get_by_role("button", name=text("live_start")).click()
    shows(page, "listening")
    assert "session" not in server.wire.asked
    expect(page.locator(".fa-exchange")).to_have_count(0)


def test_another_tab_ends_the_conversation(talking: Open, server: LiveServer) -> None:
    page = talking()
    page.locator('[role=tab][data-tab-id="talk"]').click()
    page.wait_for_function("tracks[0].readyState === 'ended'")
    page.keyboard.press("m")
    page.locator('[role=tab][data-tab-id="live"]').click()
    shows(page, "ended")


@pytest.mark.parametrize(
    ("fault", "key"),
    [("NotAllowedError", "mic_denied"), ("NotFoundError", "mic_missing"), ("NotReadableError", "mic_busy")],
)
def test_a_microphone_that_cannot_be_had_is_explained(live: Open, server: LiveServer, fault: str, key: str) -> None:
    page = live()
    page.evaluate(
        f"() => {{ navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{fault}') }} }}"
    )
    page.click(".fa-orb")
    expect(page.locator(".fa-live .fa-note")).to_contain_text(text(key))
    shows(page, "start")
    assert len(server.wires) == 1  # Talk's


def test_a_full_server_tells_the_place_in_the_queue(live: Open, server: LiveServer) -> None:
    page = live()
    server.queued = True
    page.click(".fa-orb")
    wait_for(lambda: len(server.wires) == 2, page)
    for position in (2, 1):
        server.emit("funaudio.queue", position=position)
        expect(page.locator(".fa-live-word")).to_have_text(text("live_full", n=position))
        expect(page.locator(".fa-live-status [role=status]")).to_have_text(text("live_full", n=position))
    assert not server.wire.received
    server.welcome()
    shows(page, "listening")


def test_a_lost_connection_is_taken_up_again(talking: Open, server: LiveServer) -> None:
    page = talking()
    server.hears("i1", "I failed my exam today.")
    first = server.wire
    expect(page.locator(".fa-exchange")).to_have_count(1)
    server.hang_up(1012)
    shows(page, "reconnecting")
    expect(page.locator(".fa-live-hint")).to_have_text(text("live_hint_reconnecting"))
    shows(page, "listening")
    assert server.wire.asked == {"session": first.session}
    expect(page.locator(".fa-exchange")).to_have_count(1)
    expect(page.locator(".fa-live .fa-note")).to_be_hidden()
    wait_for(lambda: "input_audio_buffer.append" in server.wire.kinds(), page)
    assert server.wire.kinds()[0] == "session.update"


def test_a_reply_that_the_connection_broke_off_is_struck(talking: Open, server: LiveServer) -> None:
    page = talking()
    speaking(page, server)
    server.hang_up(1012)
    expect(page.locator("s.fa-cut")).not_to_be_empty()
    shows(page, "listening")
    server.emit("input_audio_buffer.speech_started", item_id="i2", audio_start_ms=9000)
    shows(page, "hearing")
    assert "conversation.item.truncate" not in server.wire.kinds()  # the server does not know it any more


def test_an_answer_that_had_come_is_heard_to_its_end_without_a_connection(talking: Open, server: LiveServer) -> None:
    page = talking()
    speaking(page, server, length=3.0)
    server.done("r1")
    server.hang_up(1012)
    shows(page, "reconnecting")
    expect(page.locator(".fa-word:not(.is-said)")).to_have_count(0)
    expect(page.locator("s.fa-cut")).to_have_count(0)


def test_a_conversation_that_was_not_kept_is_said_to_begin_anew(talking: Open, server: LiveServer) -> None:
    page = talking()
    server.keeps = False
    server.hang_up(1012)
    expect(page.locator(".fa-live .fa-note")).to_contain_text(text("reconnected"))
    shows(page, "listening")


@pytest.mark.parametrize(("code", "key"), [(4408, "live_time_up"), (4409, "live_elsewhere"), (4429, "live_full_up")])
def test_an_end_by_the_server_is_one_sentence(talking: Open, server: LiveServer, code: int, key: str) -> None:
    page = talking()
    connections = len(server.wires)
    server.hang_up(code)
    expect(page.locator(".fa-live .fa-note")).to_contain_text(text(key))
    shows(page, "ended")
    assert page.evaluate("tracks[0].readyState") == "ended"
    page.wait_for_timeout(800)
    assert len(server.wires) == connections


def test_an_error_is_one_sentence(talking: Open, server: LiveServer) -> None:
    page = talking("?lang=zh")
    server.emit("error", error={"code": "no_reply", "message": "never shown", "values": {}})
    expect(page.locator(".fa-live .fa-note")).to_contain_text(text("no_reply", "zh"))
    server.emit("error", error={"code": "unheard_of", "message": "A sentence from the server.", "values": {}})
    expect(page.locator(".fa-live .fa-note")).to_contain_text("A sentence from the server.")


def test_models_on_their_way_are_told_of(talking: Open, server: LiveServer) -> None:
    page = talking()
    loading = {"stage": "loading", "message_key": "fetching_model", "values": {"name": "Whisper base"}}
    server.emit("funaudio.stage", **loading, progress=0.42)
    shows(page, "loading")
    expect(page.locator(".fa-live .fa-status")).to_contain_text(text("fetching_model", name="Whisper base"))
    expect(page.locator(".fa-live [role=progressbar]")).to_have_attribute("aria-valuenow", "42")
    server.emit("funaudio.stage", stage="idle")
    shows(page, "listening")


def test_both_tabs_show_the_same_choices(talking: Open, server: LiveServer) -> None:
    page = talking()
    page.select_option("#fa-live-voice", "zf_xiaobei")
    wait_for(lambda: len(server.wire.of("session.update")) == 2, page)
    session = server.wire.of("session.update")[1]["session"]
    assert session["audio"]["output"]["voice"] == "zf_xiaobei"
    assert session["audio"]["input"]["turn_detection"]["type"] == "semantic_vad"
    page.locator('[role=tab][data-tab-id="talk"]').click()
    expect(page.locator("#fa-voice")).to_have_value("zf_xiaobei")
    page.get_by_text(text("style_calm"), exact=True).locator("visible=true").click()
    page.locator('[role=tab][data-tab-id="live"]').click()
    expect(page.locator('.fa-live input[value="calm"]')).to_be_checked()
    expect(page.locator('.fa-talk input[value="calm"]')).to_be_checked()


def test_hostile_text_stays_text(talking: Open, server: LiveServer) -> None:
    hostile = "<img src=x onerror=\"document.title='taken'\">"
    page = talking()
    server.hears("i1", hostile)
    server.begins("r1")
    server.says("r1", hostile, 1.0)
    server.emit("funaudio.ignored", item_id="i2", reason="backchannel", transcript=hostile, events=[])
    expect(page.locator(".fa-ignored q")).to_have_text(hostile)
    expect(page.locator(".fa-text")).to_have_text(hostile)
    assert page.locator(".fa-exchange img").count() == 0
    assert page.title() == "FunAudio WebUI"


def test_the_page_speaks_chinese(talking: Open, server: LiveServer) -> None:
    page = talking("?lang=zh")
    expect(page.locator('[role=tab][data-tab-id="live"]')).to_have_text(text("tab_live", "zh"))
    expect(page.locator(".fa-live-word")).to_have_text(text("live_listening", "zh"))
    expect(page.locator(".fa-try p").first).to_have_text(text("live_say_ask", "zh"))
    expect(page.get_by_role("button", name=text("live_end", "zh"))).to_be_visible()
    assert server.wire.of("session.update")[0]["session"]["funaudio"]["lang"] == "zh"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_wider_than_a_phone(talking: Open, server: LiveServer, lang: str) -> None:
    page = talking(f"?lang={lang}", viewport={"width": 360, "height": 640})
    expect(page.get_by_role("button", name=text("live_mute", lang))).to_be_in_viewport(ratio=0.99)
    server.hears("i1", "I failed my exam today.", emotion="SAD")
    speaking(page, server)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.querySelector('.fa-live-main').scrollWidth") <= 360
    expect(page.locator(".fa-orb")).to_be_in_viewport(ratio=0.99)
    expect(page.get_by_role("button", name=text("talk_stop", lang))).to_be_in_viewport(ratio=0.99)


def test_where_motion_is_unwelcome_the_rings_stay_where_they_are(talking: Open, server: LiveServer) -> None:
    page = talking(reduced_motion="reduce")
    speaking(page, server)
    assert level(page, "it") > 0
    reach = """() => {
      const canvas = document.querySelector('.fa-orb-box canvas');
      const row = canvas.getContext('2d').getImageData(0, canvas.height / 2, canvas.width, 1).data;
      return [...Array(canvas.width).keys()].findIndex((x) => row[x * 4 + 3] > 8) / canvas.width;
    }"""
    assert min(page.evaluate(reach) for _ in range(20)) > 0.15
