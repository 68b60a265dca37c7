import { decodePcm } from "../audio/pcm.js";
import { decodeFile, Player } from "../audio/player.js";
import { MicrophoneError, Recorder } from "../audio/recorder.js";
import { h, iconButton } from "../dom.js";
import { announceEngines, announceFetching } from "../engines.js";
import { lookup } from "../i18n.js";
import { icon } from "../icons.js";
import { pageData } from "../page.js";
import { Realtime } from "../realtime.js";
import { routeUrl } from "../urls.js";
import { Dock } from "./dock.js";
import { emptyState } from "./empty.js";
import { Panel } from "./panel.js";
import { Turn } from "./turn.js";

const MIN_RECORDING_S = 0.4;
const SEND_BLOCKS = 3; // blocks of 40 ms a message
const NEAR_END = 160; // pixels from the end within which new content is scrolled to

class Talk {
  constructor(place) {
    this.turns = [];
    this.active = null; // the turn that is being answered
    this.asked = []; // turns whose response.created has not come yet, in order
    this.responses = new Map(); // response id -> turn
    this.recording = null;
    this.preview = null;
    this.count = 0;

    this.panel = new Panel({
      onChange: (session) => this.client?.update(session),
      onPreview: (voice) => this.previewVoice(voice),
      onClose: () => this.showPanel(false),
      onStandIn: (sentence) => this.dock.say(sentence),
    });
    this.dock = new Dock({
      begin: () => this.begin(), finish: () => this.finish(), cancel: () => this.cancel(), stop: () => this.stop(),
      text: (text) => this.add({ text }), file: (file) => this.takeFile(file),
    });
    this.empty = emptyState((name, bytes) => this.takeBytes(name, bytes), () => this.dock.say(["clip_failed"]));
    this.list = h("div", { class: "fa-list" });
    this.live = h("div", { class: "fa-sr", "aria-live": "polite" });
    this.fresh = h("button", { type: "button", class: "fa-btn is-quiet", tTitle: "new_conversation", onclick: () => this.reset() },
      icon("fresh", 18), h("span", { t: "new_conversation" }));
    this.download = h("a", { class: "fa-btn is-quiet", tTitle: "download_conversation", download: "conversation.zip" },
      icon("save", 18), h("span", { t: "download_conversation" }));
    this.tools = h("div", { class: "fa-toolbar" }, h("span", { class: "fa-toolbar-turns" }, this.fresh, this.download),
      iconButton("sliders", "settings", () => this.showPanel(true), { class: "fa-iconbtn fa-open-panel" }));
    this.scroller = h("div", { class: "fa-scroll" }, this.empty.element, this.list);
    this.shade = h("div", { class: "fa-shade", onclick: () => this.showPanel(false) });
    this.place = h("div", { class: "fa-talk", "data-turns": "0" },
      h("main", { class: "fa-main", tLabel: "talk_title" }, this.tools, this.scroller, this.dock.element), this.shade, this.panel.element, this.live);
    place.append(this.place);
    this.place.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.place.classList.contains("is-panel-open")) return;
      event.stopPropagation();
      this.showPanel(false);
    });
    this.dock.listen(this.place);
    Player.watch(() => this.paint());

    this.client = new Realtime();
    this.client.addEventListener("event", ({ detail }) => this.receive(detail));
    this.client.addEventListener("lost", ({ detail }) => this.lost(detail));
    this.client.addEventListener("resting", () => this.rested());
    this.client.update(this.panel.session());
    this.loadPage();
  }

  async loadPage() {
    const page = await pageData();
    this.dock.limits = page.limits;
    this.panel.fill(page);
    this.client.update(this.panel.session());
    this.empty.setClips(page.clips ?? []);
  }

  showPanel(open) {
    this.place.classList.toggle("is-panel-open", open);
    this.place.querySelector(open ? ".fa-panel-head button" : ".fa-open-panel").focus();
  }

  // -- what the person does --

  async begin() {
    this.stop();
    this.dock.say(null);
    this.dock.show("opening");
    const recording = { session: this.client.session, waiting: [], whole: true };
    this.recording = recording;
    try {
      recording.recorder = await Recorder.open((block) => this.hear(recording, block));
    } catch (error) {
      if (!(error instanceof MicrophoneError)) throw error;
      if (this.recording === recording) this.recording = null;
      this.paint();
      this.dock.say([error.key]);
      return;
    }
    if (this.recording !== recording) {
      recording.recorder.close(); // thrown away while the microphone was still being opened
      return;
    }
    this.client.send("input_audio_buffer.clear");
    this.dock.show("recording");
  }

  hear(recording, block) {
    if (this.recording !== recording || !recording.recorder) return;
    recording.waiting.push(...block);
    if (recording.waiting.length >= block.length * SEND_BLOCKS) this.flush(recording);
    const level = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    this.dock.heard(Math.sqrt(level), recording.recorder.seconds);
    if (recording.recorder.seconds >= this.dock.limits.max_turn_seconds) {
      this.finish();
      this.dock.say(["recording_limit", { minutes: Math.round(this.dock.limits.max_turn_seconds / 60) }]);
    }
  }

  flush(recording) {
    const samples = Float32Array.from(recording.waiting);
    recording.waiting = [];
    // What cannot be sent now is sent whole at the end: nothing recorded is lost.
    recording.whole &&= recording.session === this.client.session && this.client.append(samples);
  }

  finish() {
    const { recording } = this;
    if (!recording?.recorder) return;
    this.recording = null;
    const seconds = recording.recorder.seconds;
    const samples = recording.recorder.close();
    this.flush(recording);
    this.paint();
    if (seconds < MIN_RECORDING_S) this.dock.say(["too_short"]);
    else if (samples.every((value) => value === 0)) this.dock.say(["mic_silent"]);
    else {
      this.add({ samples }, recording.whole && recording.session === this.client.session);
      return;
    }
    this.client.send("input_audio_buffer.clear");
  }

  cancel() {
    this.recording?.recorder?.close();
    this.recording = null;
    this.client.send("input_audio_buffer.clear");
    this.paint();
  }

  stop() {
    this.preview = null;
    const speaking = this.turns.find((turn) => turn.speaking); // not one that is played again
    const heard = Player.current?.stop();
    if (this.active) {
      this.client.send("response.cancel");
      this.active.stop();
      this.active = null;
    }
    if (speaking) this.client.truncate(speaking.item, heard); // the conversation keeps what was heard
    this.paint();
  }

  async takeFile(file) {
    this.takeBytes(file.name, new Uint8Array(await file.arrayBuffer()));
  }

  async takeBytes(name, bytes) {
    this.add({ name, bytes, samples: await decodeFile(bytes.buffer.slice(0)) });
  }

  reset() {
    this.stop();
    this.client.send("funaudio.reset");
    this.turns.forEach((turn) => turn.close());
    this.turns = [];
    this.dock.say(null);
    this.paint();
  }

  previewVoice(voice) {
    if (!this.client.send("funaudio.preview", { voice })) return;
    Player.current?.stop();
    this.preview = new Player();
  }

  // -- turns --

  /** A new turn; `streamed` says that the server has the recording already. */
  add(said, streamed = false) {
    this.stop();
    this.dock.say(null);
    this.count += 1;
    const turn = new Turn(this.count, said);
    this.turns.push(turn);
    this.list.append(turn.element);
    this.ask(turn, streamed);
    this.scroller.scrollTo({ top: this.scroller.scrollHeight });
  }

  ask(turn, streamed) {
    this.active = turn;
    turn.stage(turn.said.text ? "thinking" : "hearing");
    const { text, name, bytes, samples } = turn.said;
    let sent;
    if (text) sent = this.client.text(text);
    else if (bytes) sent = this.client.file(name, bytes);
    else if (streamed) sent = this.client.send("input_audio_buffer.commit");
    else sent = this.client.recording(samples);
    if (sent) {
      this.asked.push(turn);
      this.client.send("response.create");
    } else {
      turn.stage(null);
      turn.note(["reconnecting"]);
    }
    this.paint();
  }

  /** The same words or sound again, in a fresh card. */
  again(turn) {
    turn.close();
    this.turns = this.turns.filter((other) => other !== turn);
    this.add(turn.said);
  }

  paint() {
    const speaking = Player.current !== null;
    if (!this.recording) this.dock.show(this.active || speaking ? "busy" : "idle");
    this.place.dataset.turns = String(this.turns.length);
    this.empty.element.hidden = this.turns.length > 0;
    if (this.client?.session) this.download.href = routeUrl(`v1/conversations/${this.client.session}.zip`);
  }

  follow() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    if (scrollHeight - scrollTop - clientHeight < NEAR_END) this.scroller.scrollTop = scrollHeight;
  }

  // -- what the server says --

  receive(event) {
    const turn = this.responses.get(event.response_id ?? event.response?.id);
    const wanted = turn && turn === this.active;
    switch (event.type) {
      case "session.created": this.connected(); break;
      case "funaudio.status": announceEngines(event.engines); break;
      case "funaudio.engines":
        announceEngines(event.engines);
        this.loadPage(); // another synthesizer has other voices
        break;
      case "funaudio.stage": this.stage(event); break;
      case "response.created": this.responses.set(event.response.id, this.asked.shift()); break;
      case "conversation.item.input_audio_transcription.completed":
        if (!this.active) break;
        this.active.heard(event.transcript, event.funaudio);
        this.live.textContent = this.active.spokenSummary("you");
        break;
      case "response.output_audio_transcript.delta": if (wanted) turn.write(event.delta); break;
      case "response.output_item.added": if (wanted) turn.item = event.item.id; break;
      case "response.output_audio.delta":
        if (event.response_id === "preview") this.preview?.add(decodePcm(event.delta));
        else if (wanted) turn.speak(event.delta, event.funaudio ?? {});
        break;
      case "response.output_audio.done": if (event.response_id === "preview") this.preview?.finish(); break;
      case "response.done":
        if (wanted) this.answered(turn, event.response.status);
        turn?.measured(event.funaudio?.latency); // also of one that was talked over
        break;
      case "error": this.failed(event.error); break;
      default: break; // the protocol has more events than this page needs
    }
    this.follow();
  }

  answered(turn, status) {
    this.active = null;
    turn.done(status);
    this.live.textContent = turn.spokenSummary("it");
    this.paint();
  }

  stage({ stage, message_key: key, values, progress }) {
    if (stage === "loading") {
      const sentence = [lookup(key) ? key : "stage_loading", values];
      this.dock.progress(sentence, progress);
      announceFetching(progress === undefined ? null : { sentence, share: progress });
      return;
    }
    this.dock.progress(null);
    announceFetching(null);
    if (stage !== "idle") this.active?.stage(stage);
  }

  failed({ code, message, values }) {
    const sentence = lookup(code) ? [code, values] : message || ["error_unknown"];
    const turn = this.active;
    if (!turn) {
      if (this.turns.at(-1)?.state !== "failed") this.dock.say(sentence);
      return;
    }
    turn.note(sentence, { key: "send_again", run: () => this.again(turn) });
    if (this.asked.includes(turn)) { // refused before an answer was begun: no response.done will come
      this.asked = this.asked.filter((other) => other !== turn);
      this.active = null;
      turn.done("failed");
      this.paint();
    }
  }

  connected() {
    this.asked = [];
    this.responses.clear();
    this.turns.forEach((turn) => { turn.item = null; }); // the server has forgotten them
    this.dock.progress(null);
    const turn = this.active;
    if (turn) turn.note(["unsent"], { key: "send_again", run: () => this.again(turn) });
    if (this.away && this.turns.length) this.dock.say(["reconnected"]);
    this.away = false;
    this.paint();
  }

  rested() {
    this.active?.stage(null);
    this.away = true;
    if (this.turns.length) this.dock.say(["rested"]);
    this.paint();
  }

  lost({ wait, had }) {
    this.away ||= had;
    if (had) this.active?.stage(null);
    this.dock.progress(had || wait < 1 ? [this.away ? "reconnecting" : "connecting"] : ["reconnect_wait", { n: wait }]);
    this.paint();
  }
}

/** Fills the tab's place. */
export const mount = (place) => new Talk(place);
