import { decodePcm, RATE } from "../audio/pcm.js";

/**
 * Which reply is heard, and how far. Only the latest reply is played: what still arrives of one that was broken off, or of
 * an older one, is dropped.
 */
export class Voice {
  /** `onEnd(exchange)` follows where a reply was heard to its end. */
  constructor(onEnd) {
    this.onEnd = onEnd;
    this.stream = null;
    this.reply = null; // {id, exchange, item, length in seconds}
    this.held = false;
  }

  /** Whether sound is on its way to the loudspeaker. */
  get playing() {
    return this.reply !== null && this.stream.waiting;
  }

  /** Whether the reply has begun to be spoken. */
  get begun() {
    return Boolean(this.reply?.length);
  }

  /** A reply begins; it is shown in `exchange`. */
  begin(id, exchange) {
    this.stream.flush();
    this.held = false;
    this.reply = { id, exchange, item: null, length: 0 };
  }

  /** A piece of speech, as `response.output_audio.delta` brings it. */
  add({ response_id: id, item_id: item, delta, funaudio: { words = [] } = {} }) {
    if (this.reply?.id !== id) return;
    const samples = decodePcm(delta);
    this.reply.exchange.speak(words, this.reply.length);
    this.reply.item = item;
    this.reply.length += samples.length / RATE;
    this.stream.add(samples);
  }

  hold(id) {
    if (this.reply?.id !== id) return;
    this.held = true;
    this.stream.hold();
  }

  resume(id) {
    if (this.reply?.id !== id) return;
    this.held = false;
    this.stream.resume();
  }

  /** All of the reply has come. */
  finish(id) {
    if (this.reply?.id !== id) return;
    if (this.begun) this.stream.finish();
    else this.reply = null; // it had no sound
  }

  /** The connection was lost: nothing more of the reply will come, and the server does not know it any more. */
  orphan() {
    if (this.reply) this.reply.item = null;
    this.finish(this.reply?.id);
  }

  /** What the stream reported is shown. */
  follow() {
    if (!this.reply) return;
    const { exchange } = this.reply;
    exchange.light(this.stream.position);
    if (!this.stream.ended) return;
    this.reply = null;
    this.held = false;
    exchange.finish(this.stream.underruns);
    this.onEnd(exchange);
  }

  /** Silence. What was not heard is struck from the text. Returns {item, seconds} of a reply that had begun, or null. */
  breakOff() {
    const { reply } = this;
    if (!reply) return null;
    const seconds = this.stream.flush();
    this.reply = null;
    this.held = false;
    reply.exchange.cut(seconds);
    return reply.item ? { item: reply.item, seconds } : null;
  }
}
