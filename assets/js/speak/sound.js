import { peaksOf } from "../audio/pcm.js";
import { Player } from "../audio/player.js";

const PEAKS_PER_S = 40;
const AHEAD_S = 20; // of sound that is given to the player, so that an hour of it is not held twice
const FEED_MS = 500; // by a timer: a page in the background draws no frames, but plays on

/** The sound of a take while it grows: its pieces in order, its waveform, and playing it from anywhere. */
export class Sound {
  /** `onTick(seconds)` while it plays, `onChange()` when it begins or ends to. */
  constructor({ onTick, onChange }) {
    Object.assign(this, { onTick, onChange });
    this.pieces = []; // {part, begins, rate, samples}
    this.peaks = [];
    this.duration = 0; // seconds that are there
    this.growing = true;
    this.at = 0; // where playing stopped last
    this.player = null;
  }

  /** The samples (float) of a part's next stretch. */
  add(part, rate, samples) {
    this.pieces.push({ part, begins: this.duration, rate, samples });
    this.duration += samples.length / rate;
    this.peaks.push(...peaksOf(samples, Math.round(this.duration * PEAKS_PER_S) - this.peaks.length));
    this.feed();
  }

  /** Forgets what is there from a part on: it will come again. */
  dropFrom(part) {
    const first = this.pieces.findIndex((piece) => piece.part >= part);
    if (first < 0) return;
    this.pause();
    this.duration = this.pieces[first].begins;
    this.pieces.length = first;
    this.peaks.length = Math.round(this.duration * PEAKS_PER_S);
    this.at = Math.min(this.at, this.duration);
  }

  /** Whether more comes. */
  grows(growing) {
    this.growing = growing;
    this.feed();
  }

  get playing() {
    return Boolean(this.player?.playing);
  }

  /** Seconds into it: where it plays, or where it stopped. */
  get position() {
    return this.playing ? Math.max(0, this.player.position) : this.at;
  }

  play(from = this.at) {
    const begin = !this.growing && from >= this.duration - 0.05 ? 0 : from;
    this.fed = 0;
    this.player = new Player({ from: begin, onTick: (seconds) => this.onTick(seconds), onEnd: () => this.ended() });
    this.timer = setInterval(() => this.feed(), FEED_MS);
    this.feed();
    this.onChange();
  }

  feed() {
    const { player } = this;
    if (!player?.playing) return;
    while (this.fed < this.pieces.length && player.length - player.position < AHEAD_S) {
      const { samples, rate } = this.pieces[this.fed];
      player.add(samples, rate);
      this.fed += 1;
    }
    if (this.fed === this.pieces.length && !this.growing) player.finish();
  }

  /** Silence; the place is kept. */
  pause() {
    if (!this.playing) return;
    const { position } = this;
    this.player.stop();
    this.at = position;
    this.onTick(position);
  }

  /** Goes to a place; what plays goes on from there. */
  seek(seconds) {
    const { playing } = this;
    this.at = seconds;
    if (playing) this.play(seconds);
    else this.onTick(seconds);
  }

  ended() {
    clearInterval(this.timer);
    this.at = Math.min(this.player.position, this.duration);
    this.onChange();
  }

  /** A place in it as part and share of that part, so that the same place can be found in another take of the text. */
  placeOf(seconds) {
    const at = this.pieces.findLast(({ begins }) => begins <= seconds);
    if (!at) return [0, 0];
    const [start, end] = this.spanOf(at.part);
    return [at.part, end > start ? (seconds - start) / (end - start) : 0];
  }

  /** The seconds of such a place. */
  secondsOf([part, share]) {
    const [start, end] = this.spanOf(part);
    return start + share * (end - start);
  }

  spanOf(part) {
    const first = this.pieces.find((piece) => piece.part >= part);
    const next = this.pieces.find((piece) => piece.part > part);
    return [first?.begins ?? this.duration, next?.begins ?? this.duration];
  }
}
