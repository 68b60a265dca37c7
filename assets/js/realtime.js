import { encodeBytes, encodePcm } from "./audio/pcm.js";
import { socketUrl } from "./urls.js";

const RETRY_S = [0.5, 1, 2, 4, 8];
const FINAL = new Set([4403, 4408, 4409, 4429]); // closed on purpose: foreign page, time is up, taken up elsewhere, full
const RESTING = 4408; // nothing was said for long: it begins anew when somebody touches the page
const FILE_PIECE = 384 * 1024; // bytes before base64, which adds a third: under 512 KB a message
const AUDIO_PIECE = 24000; // samples: one second a message when a whole recording is sent at once

/**
 * Our side of the Realtime protocol. It reconnects by itself; `session` changes with each connection. With `resume` it comes
 * back to the same conversation, and where the server ended that, "ended" (with the close code) follows and it stays closed.
 */
export class Realtime extends EventTarget {
  constructor({ resume = false } = {}) {
    super();
    this.resume = resume;
    this.session = null;
    this.before = null; // the session to come back to
    this.settings = {};
    this.attempt = 0;
    this.connect();
    this.online = () => this.hurry();
    addEventListener("online", this.online);
  }

  /** Whether messages go through now. */
  get ready() {
    return this.session !== null && this.socket.readyState === WebSocket.OPEN;
  }

  connect() {
    const back = this.before ? `?session=${encodeURIComponent(this.before)}` : "";
    this.socket = new WebSocket(socketUrl(`v1/realtime${back}`));
    this.socket.onmessage = ({ data }) => this.receive(JSON.parse(data));
    this.socket.onclose = ({ code }) => this.lost(code);
  }

  /** Ends it for good. */
  close() {
    this.session = null;
    clearTimeout(this.timer);
    removeEventListener("online", this.online);
    this.socket.onclose = this.socket.onmessage = null;
    this.socket.close(1000); // on purpose: the server need not keep the conversation
  }

  receive(event) {
    if (event.type === "session.created") {
      this.session = event.session.id;
      if (this.resume) this.before = this.session;
      this.attempt = 0;
      this.update(this.settings);
    }
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
  }

  lost(code) {
    const had = this.session !== null;
    this.session = null;
    if (this.resume && FINAL.has(code)) {
      this.close();
      this.dispatchEvent(new CustomEvent("ended", { detail: code }));
      return;
    }
    if (code === RESTING) {
      this.rest();
      return;
    }
    const wait = RETRY_S[Math.min(this.attempt, RETRY_S.length - 1)];
    this.attempt += 1;
    this.dispatchEvent(new CustomEvent("lost", { detail: { wait, had } }));
    this.timer = setTimeout(() => this.connect(), wait * 1000);
  }

  /** Waits for somebody to be there. */
  rest() {
    this.dispatchEvent(new CustomEvent("resting"));
    const wake = () => {
      for (const kind of ["pointerdown", "keydown"]) removeEventListener(kind, wake);
      this.hurry();
    };
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, wake);
  }

  hurry() {
    if (this.socket.readyState !== WebSocket.CLOSED) return;
    clearTimeout(this.timer);
    this.connect();
  }

  /** False where there is no connection: the caller keeps what it wanted to say. */
  send(type, fields = {}) {
    if (!this.ready) return false;
    this.socket.send(JSON.stringify({ type, ...fields }));
    return true;
  }

  /** The settings of the session; sent now, and again after each reconnection. */
  update(session) {
    this.settings = session;
    this.send("session.update", { session: { type: "realtime", ...session } });
  }

  append(samples) {
    return this.send("input_audio_buffer.append", { audio: encodePcm(samples) });
  }

  /** A whole recording, from the start. */
  recording(samples) {
    this.send("input_audio_buffer.clear");
    for (let i = 0; i < samples.length; i += AUDIO_PIECE) this.append(samples.subarray(i, i + AUDIO_PIECE));
    return this.send("input_audio_buffer.commit");
  }

  /** A sound file, in pieces. */
  file(name, bytes) {
    for (let i = 0; i < bytes.length; i += FILE_PIECE) {
      const last = i + FILE_PIECE >= bytes.length;
      if (!this.send("funaudio.input_file", { name, data: encodeBytes(bytes.subarray(i, i + FILE_PIECE)), last })) return false;
    }
    return true;
  }

  /** Typed words. */
  text(words) {
    const content = [{ type: "input_text", text: words }];
    return this.send("conversation.item.create", { item: { type: "message", role: "user", content } });
  }

  /** The reply `itemId` was heard for so many seconds, and no further. */
  truncate(itemId, seconds) {
    const heard = { item_id: itemId, content_index: 0, audio_end_ms: Math.round(seconds * 1000) };
    return this.send("conversation.item.truncate", heard);
  }
}
