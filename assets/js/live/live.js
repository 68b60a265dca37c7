import { Player } from "../audio/player.js";
import { MicrophoneError, Recorder } from "../audio/recorder.js";
import { Stream } from "../audio/stream.js";
import { h, iconButton } from "../dom.js";
import { announceEngines, announceFetching } from "../engines.js";
import { lookup } from "../i18n.js";
import { icon } from "../icons.js";
import { pageData } from "../page.js";
import { Realtime } from "../realtime.js";
import { Choices } from "../talk/choices.js";
import { routeUrl } from "../urls.js";
import { Controls } from "./controls.js";
import { emptyState } from "./empty.js";
import { Orb } from "./orb.js";
import { Status } from "./status.js";
import { Transcript } from "./transcript.js";
import { Voice } from "./voice.js";

const TURN_DETECTION = { type: "semantic_vad", eagerness: "auto" };
const MIN_TURN_S = 0.4;
const BLOCK_S = 0.04;
const SILENCE = new Float32Array(24000 * 2); // two seconds, which end any turn
const PATIENCE_MS = 30000; // a lost conversation is kept so long
const ENDINGS = { 4403: "foreign_page", 4408: "live_time_up", 4409: "live_elsewhere", 4429: "live_full_up" };

class Live {
  constructor(place) {
    this.run = null; // {recorder, stream} of the conversation that goes on, empty while they are being opened
    this.client = null;
    this.over = false; // a conversation went on here, and has ended
    this.muted = this.push = false;
    this.talking = null; // seconds sent since the talk button went down
    this.answering = null; // id of the response that the server works on
    this.reset();

    this.voice = new Voice((exchange) => this.finished(exchange));
    this.orb = new Orb(() => (this.run ? this.end() : this.start()));
    this.status = new Status();
    this.transcript = new Transcript();
    this.choices = new Choices({ ids: "fa-live", onChange: () => this.client?.update(this.session()) });
    this.controls = new Controls({
      running: () => this.client !== null, mute: () => this.mute(), hold: () => this.pushToTalk(), stop: () => this.stop(),
      press: () => (this.talking === null ? this.press() : this.release()), release: () => this.release(),
    }, this.orb.button);
    this.spoken = h("div", { class: "fa-sr", "aria-live": "polite" });
    this.download = h("a", { class: "fa-btn is-quiet", tTitle: "download_conversation", download: "conversation.zip", hidden: true },
      icon("save", 18), h("span", { t: "download_conversation" }));
    const close = () => this.showPanel(false);
    const panel = h("aside", { class: "fa-panel", tLabel: "settings" },
      h("header", { class: "fa-panel-head" }, h("h2", { t: "settings" }), iconButton("close", "dismiss", close)), this.choices.element);
    this.place = h("div", { class: "fa-live" },
      h("main", { class: "fa-live-main", tLabel: "live_title" },
        h("div", { class: "fa-toolbar" }, this.download, iconButton("sliders", "settings", () => this.showPanel(true), { class: "fa-iconbtn fa-open-panel" })),
        h("div", { class: "fa-live-stage" }, this.orb.element, this.status.element, this.orb.meters),
        emptyState(), this.transcript.element, this.status.note, this.controls.element),
      h("div", { class: "fa-shade", onclick: close }), panel, this.spoken);
    this.place.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.place.classList.contains("is-panel-open")) return;
      event.stopPropagation();
      close();
    });
    place.append(this.place);
    this.controls.listen(this.place);
    new ResizeObserver(() => this.place.offsetParent || this.end()).observe(this.place); // another tab is shown
    addEventListener("pagehide", () => this.end());
    this.paint();
    this.loadPage();
  }

  async loadPage() {
    this.choices.fill(await pageData());
  }

  showPanel(open) {
    this.place.classList.toggle("is-panel-open", open);
    this.place.querySelector(open ? ".fa-panel-head button" : ".fa-open-panel").focus();
  }

  session() {
    const session = this.choices.session();
    session.audio.input.turn_detection = this.push ? null : TURN_DETECTION;
    return session;
  }

  // -- beginning and end --

  /** What the server does for us now, as far as it told. */
  reset() {
    this.hearing = false; // the person is speaking
    this.stage = null; // of the answer: "thinking", "speaking" or null
    this.position = null; // in the queue
    this.loading = null; // {sentence, share}
    this.lost = null; // {wait, had}
  }

  async start() {
    const run = {};
    this.run = run;
    Player.current?.stop();
    this.transcript.clear();
    this.status.say(null);
    this.paint();
    const [mic, sound] = await Promise.allSettled([
      Recorder.open((block) => this.hear(run, block), { live: true }), Stream.open(() => this.follow(run)),
    ]);
    const failed = mic.reason ?? sound.reason;
    if (this.run !== run || failed) {
      mic.value?.close();
      sound.value?.close();
      if (this.run === run) this.end([failed instanceof MicrophoneError ? failed.key : "error_unknown"]);
      return;
    }
    run.recorder = mic.value;
    run.recorder.stream.getTracks().forEach((track) => track.addEventListener("ended", () => this.run === run && this.end(["mic_missing"])));
    this.voice.stream = run.stream = sound.value;
    this.client = new Realtime({ resume: true });
    this.client.addEventListener("event", ({ detail }) => this.receive(detail));
    this.client.addEventListener("lost", ({ detail }) => this.away(detail));
    this.client.addEventListener("ended", ({ detail }) => this.end([ENDINGS[detail]]));
    this.client.update(this.session());
    this.wait();
    this.paint();
  }

  /** Gives microphone, loudspeaker and connection back; `sentence` says why, where the person did not ask for it. */
  end(sentence = null) {
    if (!this.run) return;
    const { recorder, stream } = this.run;
    this.interrupt();
    this.run = null;
    recorder?.close();
    stream?.close();
    this.client?.close();
    this.client = null;
    this.over = recorder !== undefined;
    this.muted = false;
    this.talking = null;
    clearTimeout(this.patience);
    this.reset();
    announceFetching(null);
    this.status.say(sentence);
    this.paint();
  }

  /** Gives up where the server does not come (back) in time. */
  wait() {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.end(["live_lost"]), PATIENCE_MS);
  }

  away(lost) {
    if (lost.had || this.position !== null) this.wait();
    const had = lost.had || this.lost?.had; // a conversation that was there, however often it is tried
    this.reset();
    this.lost = { ...lost, had };
    this.talking = null;
    this.paint();
  }

  connected(id) {
    clearTimeout(this.patience);
    if (this.answering) this.voice.breakOff(); // the rest of it will not come
    this.answering = null;
    this.voice.orphan();
    if (this.lost?.had && id !== this.id) this.status.say(["reconnected"]);
    this.id = id;
    this.reset();
    this.paint();
  }

  // -- what the person does --

  hear(run, block) {
    if (this.run !== run) return;
    const open = this.client?.ready && !this.muted && (!this.push || this.talking !== null);
    this.orb.input = open ? Math.sqrt(block.reduce((most, value) => Math.max(most, Math.abs(value)), 0)) : 0;
    if (!open) return;
    this.client.append(block);
    if (this.push) this.talking += BLOCK_S;
  }

  mute() {
    if (this.push) return;
    this.muted = !this.muted;
    if (this.muted && this.hearing) this.client.append(SILENCE); // or what was said would never come to its end
    this.paint();
  }

  pushToTalk() {
    this.push = !this.push;
    this.muted = false;
    this.talking = null;
    this.client.update(this.session());
    this.paint();
    if (this.push) this.controls.talk.focus();
  }

  press() {
    if (!this.client.ready) return;
    this.stop();
    this.status.say(null);
    this.client.send("input_audio_buffer.clear");
    this.talking = 0;
    this.paint();
  }

  release() {
    if (this.talking === null) return;
    const long = this.talking >= MIN_TURN_S;
    this.talking = null;
    if (long) {
      this.client.send("input_audio_buffer.commit");
      this.client.send("response.create");
      this.stage = "thinking";
    } else {
      this.client.send("input_audio_buffer.clear");
      this.status.say(["too_short"]);
    }
    this.paint();
  }

  /** Ends the speech, or throws away what is being said into the talk button. */
  stop() {
    if (this.talking !== null) this.client.send("input_audio_buffer.clear");
    this.talking = null;
    if (this.answering || this.voice.begun) this.client.send("response.cancel");
    this.answering = null;
    this.stage = null;
    this.interrupt();
    this.paint();
  }

  /** Silence at once; the server is told how far the reply was heard. */
  interrupt() {
    const heard = this.voice.breakOff();
    if (heard) this.client.truncate(heard.item, heard.seconds);
  }

  // -- what the server says --

  receive(event) {
    const { transcript } = this;
    switch (event.type) {
      case "session.created": this.connected(event.session.id); break;
      case "funaudio.queue":
        clearTimeout(this.patience);
        this.position = event.position;
        break;
      case "funaudio.status": announceEngines(event.engines); break;
      case "funaudio.engines":
        announceEngines(event.engines);
        this.loadPage(); // another synthesizer has other voices
        break;
      case "funaudio.stage": this.staged(event); break;
      case "input_audio_buffer.speech_started":
        this.interrupt();
        this.hearing = true;
        break;
      case "input_audio_buffer.speech_stopped":
      case "input_audio_buffer.committed":
        this.hearing = false;
        this.stage = "thinking";
        break;
      case "funaudio.partial": transcript.of(event.item_id).partial(event); break;
      case "conversation.item.input_audio_transcription.completed": {
        const exchange = transcript.of(event.item_id);
        exchange.heard(event.transcript, event.funaudio.segments);
        this.spoken.textContent = exchange.summary("you");
        break;
      }
      case "conversation.item.input_audio_transcription.failed": this.failed(event.error); break;
      case "conversation.item.deleted": transcript.forget(event.item_id); break; // it was not over: the rest follows
      case "funaudio.ignored":
        this.hearing = false;
        transcript.ignored(event.item_id, event.reason, event.transcript);
        break;
      case "funaudio.hold": this.voice.hold(event.response_id); break;
      case "funaudio.resume": this.voice.resume(event.response_id); break;
      case "response.created": this.begun(event.response.id); break;
      case "response.output_audio_transcript.delta":
        if (this.voice.reply?.id === event.response_id) this.voice.reply.exchange.write(event.delta);
        break;
      case "response.output_audio.delta": this.voice.add(event); break;
      case "response.done": this.done(event); break;
      case "error": this.failed(event.error); break;
      default: break; // the protocol has more events than this page needs
    }
    this.paint();
  }

  begun(id) {
    this.interrupt();
    this.answering = id;
    this.voice.begin(id, this.transcript.reply(id));
    this.status.say(null);
  }

  done({ response: { id, status }, funaudio }) {
    if (this.answering === id) {
      this.answering = null;
      this.stage = null;
    }
    if (status === "completed") this.voice.finish(id);
    else if (this.voice.reply?.id === id) this.interrupt();
    this.transcript.replies.get(id)?.measured(funaudio?.latency); // also of one that was talked over
  }

  staged({ stage, message_key: key, values, progress }) {
    this.loading = stage === "loading" ? { sentence: [lookup(key) ? key : "stage_loading", values], share: progress } : null;
    announceFetching(this.loading);
    if (stage === "loading") return;
    if (stage !== "hearing") this.stage = { understanding: "thinking", thinking: "thinking", speaking: "speaking" }[stage] ?? null;
  }

  failed({ code, message, values }) {
    this.status.say(lookup(code) ? [code, values] : message || ["error_unknown"]);
    if (!this.answering) this.stage = null;
  }

  finished(exchange) {
    this.spoken.textContent = exchange.summary("it");
    this.paint();
  }

  // -- what is shown --

  follow(run) {
    if (this.run !== run || !run.stream) return;
    this.orb.output = Math.sqrt(run.stream.level);
    const { playing } = this.voice;
    this.voice.follow();
    if (playing !== this.voice.playing) this.paint();
  }

  /** The one word for what goes on. */
  state() {
    if (!this.run) return this.over ? "ended" : "start";
    if (this.position !== null) return "full";
    if (!this.client?.ready) return this.lost?.had ? "reconnecting" : "connecting";
    if (this.loading) return "loading";
    if (this.talking !== null || this.hearing) return "hearing";
    if (this.voice.held) return "held";
    if (this.voice.playing || (this.voice.begun && this.stage === "speaking")) return "speaking";
    if (this.stage) return "thinking";
    if (this.muted) return "muted";
    return this.push ? "waiting" : "listening";
  }

  paint() {
    const state = this.state();
    this.place.dataset.state = state;
    this.place.dataset.exchanges = String(this.transcript.exchanges.length);
    this.orb.show(state, this.run !== null);
    this.status.show(state, this);
    this.controls.show({ running: this.client !== null, muted: this.muted, push: this.push, talking: this.talking !== null, speaking: this.voice.begun });
    this.download.hidden = !this.client?.ready;
    if (this.client?.ready) this.download.href = routeUrl(`v1/conversations/${this.client.session}.zip`);
  }
}

/** Fills the tab's place. */
export const mount = (place) => new Live(place);
