"""What the tests of the Live tab share: what leaves the loudspeaker, and waiting. Its fixtures are in ``conftest``."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.live_server import LiveServer

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


def wait_for(condition: Callable[[], bool], page: Page) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        page.wait_for_timeout(20)


def shows(page: Page, state: str) -> None:
    expect(page.locator(".fa-live")).to_have_attribute("data-state", state)


def speaking(page: Page, peer: LiveServer, response: str = "r1", length: float = 4.0) -> None:
    """It answers, and three words of the answer were heard."""
    peer.begins(response)
    peer.says(response, REPLY, length)
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
