"""How a live conversation begins, is lost, is taken up again and ends."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.live_page import Open, shows, speaking, wait_for
from tests.browser.live_server import LiveServer
from webui.ui.labels import text

pytestmark = pytest.mark.browser


def test_nothing_is_asked_for_before_the_button_is_pressed(live: Open, peer: LiveServer) -> None:
    page = live()
    expect(page.locator(".fa-live-word")).to_have_text(text("live_start"))
    expect(page.locator(".fa-try h3")).to_have_text([text(f"live_try_{name}") for name in ("ask", "interrupt", "nod")])
    expect(page.get_by_role("button", name=text("live_start"))).to_be_visible()
    assert len(peer.wires) == 1  # Talk's
    assert page.evaluate("tracks.length") == 0


def test_the_button_gives_everything_back(talking: Open, peer: LiveServer) -> None:
    page = talking()
    speaking(page, peer)
    page.get_by_role("button", name=text("live_end")).click()
    shows(page, "ended")
    assert page.evaluate("tracks.map((track) => track.readyState)") == ["ended"]
    wait_for(lambda: peer.wire.closed == 1000, page)
    assert page.evaluate("speaker.state") == "closed"
    page.get_by_role("button", name=text("live_start")).click()
    shows(page, "listening")
    assert "session" not in peer.wire.asked
    expect(page.locator(".fa-exchange")).to_have_count(0)


def test_another_tab_ends_the_conversation(talking: Open, peer: LiveServer) -> None:
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
def test_a_microphone_that_cannot_be_had_is_explained(live: Open, peer: LiveServer, fault: str, key: str) -> None:
    page = live()
    page.evaluate(
        f"() => {{ navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{fault}') }} }}"
    )
    page.click(".fa-orb")
    expect(page.locator(".fa-live .fa-note")).to_contain_text(text(key))
    shows(page, "start")
    assert len(peer.wires) == 1  # Talk's


def test_a_full_server_tells_the_place_in_the_queue(live: Open, peer: LiveServer) -> None:
    page = live()
    peer.queued = True
    page.click(".fa-orb")
    wait_for(lambda: len(peer.wires) == 2, page)
    for position in (2, 1):
        peer.emit("funaudio.queue", position=position)
        expect(page.locator(".fa-live-word")).to_have_text(text("live_full", n=position))
        expect(page.locator(".fa-live-status [role=status]")).to_have_text(text("live_full", n=position))
    assert not peer.wire.received
    peer.welcome()
    shows(page, "listening")


def test_a_lost_connection_is_taken_up_again(talking: Open, peer: LiveServer) -> None:
    page = talking()
    peer.hears("i1", "I failed my exam today.")
    first = peer.wire
    expect(page.locator(".fa-exchange")).to_have_count(1)
    peer.hang_up(1012)
    shows(page, "reconnecting")
    expect(page.locator(".fa-live-hint")).to_have_text(text("live_hint_reconnecting"))
    shows(page, "listening")
    assert peer.wire.asked == {"session": first.session}
    expect(page.locator(".fa-exchange")).to_have_count(1)
    expect(page.locator(".fa-live .fa-note")).to_be_hidden()
    wait_for(lambda: "input_audio_buffer.append" in peer.wire.kinds(), page)
    assert peer.wire.kinds()[0] == "session.update"


def test_a_reply_that_the_connection_broke_off_is_struck(talking: Open, peer: LiveServer) -> None:
    page = talking()
    speaking(page, peer)
    peer.hang_up(1012)
    expect(page.locator("s.fa-cut")).not_to_be_empty()
    shows(page, "listening")
    peer.emit("input_audio_buffer.speech_started", item_id="i2", audio_start_ms=9000)
    shows(page, "hearing")
    assert "conversation.item.truncate" not in peer.wire.kinds()  # the server does not know it any more


def test_an_answer_that_had_come_is_heard_to_its_end_without_a_connection(talking: Open, peer: LiveServer) -> None:
    page = talking()
    speaking(page, peer, length=3.0)
    peer.done("r1")
    peer.hang_up(1012)
    shows(page, "reconnecting")
    expect(page.locator(".fa-word:not(.is-said)")).to_have_count(0)
    expect(page.locator("s.fa-cut")).to_have_count(0)


def test_a_conversation_that_was_not_kept_is_said_to_begin_anew(talking: Open, peer: LiveServer) -> None:
    page = talking()
    peer.keeps = False
    peer.hang_up(1012)
    expect(page.locator(".fa-live .fa-note")).to_contain_text(text("reconnected"))
    shows(page, "listening")


@pytest.mark.parametrize(("code", "key"), [(4408, "live_time_up"), (4409, "live_elsewhere"), (4429, "live_full_up")])
def test_an_end_by_the_server_is_one_sentence(talking: Open, peer: LiveServer, code: int, key: str) -> None:
    page = talking()
    connections = len(peer.wires)
    peer.hang_up(code)
    expect(page.locator(".fa-live .fa-note")).to_contain_text(text(key))
    shows(page, "ended")
    assert page.evaluate("tracks[0].readyState") == "ended"
    page.wait_for_timeout(800)
    assert len(peer.wires) == connections


def test_an_error_is_one_sentence(talking: Open, peer: LiveServer) -> None:
    page = talking("?lang=zh")
    peer.emit("error", error={"code": "no_reply", "message": "never shown", "values": {}})
    expect(page.locator(".fa-live .fa-note")).to_contain_text(text("no_reply", "zh"))
    peer.emit("error", error={"code": "unheard_of", "message": "A sentence from the peer.", "values": {}})
    expect(page.locator(".fa-live .fa-note")).to_contain_text("A sentence from the peer.")


def test_models_on_their_way_are_told_of(talking: Open, peer: LiveServer) -> None:
    page = talking()
    loading = {"stage": "loading", "message_key": "fetching_model", "values": {"name": "Whisper base"}}
    peer.emit("funaudio.stage", **loading, progress=0.42)
    shows(page, "loading")
    expect(page.locator(".fa-live .fa-status")).to_contain_text(text("fetching_model", name="Whisper base"))
    expect(page.locator(".fa-live [role=progressbar]")).to_have_attribute("aria-valuenow", "42")
    peer.emit("funaudio.stage", stage="idle")
    shows(page, "listening")
