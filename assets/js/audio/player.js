import { RATE } from "./pcm.js";

const LEAD_S = 0.02; // time to the first sample, so that it is never late

let context = null;

/** The page's audio output. Call it first from a click or a key: browsers keep sound off until then. */
export function output() {
  context ??= new AudioContext({ latencyHint: "interactive" });
  if (context.state === "suspended") context.resume();
  return context;
}

/** Any sound file as mono float samples at 24 kHz; null where this browser cannot read it. */
export async function decodeFile(bytes) {
  try {
    const decoded = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(bytes);
    return decoded.getChannelData(0);
  } catch {
    return null; // the server reads more kinds than the browser does; then there is just nothing to play again
  }
}

/** Sound that is played while it arrives, without gaps. One plays at a time: starting a new one silences the old. */
export class Player {
  static current = null;
  static watchers = new Set();

  /** Calls back when something begins or ends to play. */
  static watch(callback) {
    Player.watchers.add(callback);
  }

  /** `from`: seconds into the sound where playing starts. `onTick(seconds)` each frame, `onEnd()` once. */
  constructor({ from = 0, onTick = () => {}, onEnd = () => {} } = {}) {
    Player.current?.stop();
    Player.current = this;
    this.from = from;
    this.onTick = onTick;
    this.onEnd = onEnd;
    this.pieces = [];
    this.length = 0; // seconds given so far
    this.free = 0; // context time at which the next piece may start
    this.complete = false;
    this.playing = true;
    this.tick = this.tick.bind(this);
    this.frame = requestAnimationFrame(this.tick);
    Player.watchers.forEach((callback) => callback());
  }

  /** Adds samples (float) of `rate` Hz after those before. */
  add(samples, rate = RATE) {
    const begins = this.length;
    this.length += samples.length / rate;
    if (!this.playing || !samples.length || this.length <= this.from) return;
    const audio = output();
    const buffer = audio.createBuffer(1, samples.length, rate);
    buffer.copyToChannel(samples, 0);
    const source = audio.createBufferSource();
    source.buffer = buffer;
    source.connect(audio.destination);
    const skip = Math.max(0, this.from - begins);
    const at = Math.max(audio.currentTime + LEAD_S, this.free);
    source.start(at, skip);
    this.free = at + buffer.duration - skip;
    this.pieces.push({ source, at, begins: begins + skip, lasts: buffer.duration - skip });
  }

  /** No more will come; `onEnd` follows when all is heard. */
  finish() {
    this.complete = true;
  }

  /** Seconds into the sound that are heard now. */
  get position() {
    const audio = output();
    const now = audio.currentTime - (audio.outputLatency || 0);
    let position = this.from;
    for (const { at, begins, lasts } of this.pieces) if (now >= at) position = begins + Math.min(now - at, lasts);
    return position;
  }

  /** Silence, at once. Returns the position where it stopped. */
  stop() {
    const position = this.position;
    if (!this.playing) return position;
    for (const { source } of this.pieces) {
      source.disconnect();
      source.stop();
    }
    this.end();
    return position;
  }

  tick() {
    const audio = output();
    this.onTick(this.position);
    if (this.complete && audio.currentTime - (audio.outputLatency || 0) >= this.free) this.end();
    else this.frame = requestAnimationFrame(this.tick);
  }

  end() {
    this.playing = false;
    cancelAnimationFrame(this.frame);
    if (Player.current === this) Player.current = null;
    this.onEnd();
    Player.watchers.forEach((callback) => callback());
  }
}
