// Plays samples in the order they come, in a context of their own rate. A short prebuffer evens out how they arrive; it
// falls silent within 5 ms of being told to, and keeps its place or forgets it.
const PREBUFFER = 0.04 * sampleRate;
const FADE = 0.005 * sampleRate;
const REPORT_FRAMES = 4; // of 128 samples: a report about every 20 ms

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.run = 0; // counts the flushes, so that a report can be told from one of what was flushed
    this.underruns = 0; // times the sound ran out before its end, since the last flush
    this.held = false;
    this.frames = 0;
    this.peak = 0;
    this.last = "";
    this.clear();
    this.port.onmessage = ({ data: [command, value] }) => this[command](value);
  }

  clear() {
    this.queue = [];
    this.at = 0; // in the first piece of the queue
    this.buffered = 0;
    this.played = 0;
    this.gain = 0;
    this.running = false;
    this.finished = false;
    this.leaving = false; // flushed, but still fading
  }

  // -- what it is told --

  add(samples) {
    if (this.leaving) this.clear();
    this.queue.push(samples);
    this.buffered += samples.length;
  }

  hold() { this.held = true; }

  resume() { this.held = false; }

  /** No more will come: what is shorter than the prebuffer is played too. */
  finish() { this.finished = true; }

  flush(run) {
    this.run = run;
    this.underruns = 0;
    const heard = this.running && this.gain > 0;
    if (!heard) this.clear();
    this.leaving = heard;
    this.held = false;
  }

  // -- the sound --

  process(_, [[channel]]) {
    if (!this.running && this.buffered && (this.finished || this.buffered >= PREBUFFER)) {
      this.running = true;
      if (this.played) this.underruns += 1;
    }
    for (let i = 0; i < channel.length; i += 1) {
      channel[i] = this.running ? this.next() : 0;
      this.peak = Math.max(this.peak, Math.abs(channel[i]));
    }
    this.frames += 1;
    if (this.frames % REPORT_FRAMES === 0) this.report();
    return true;
  }

  next() {
    this.gain = Math.max(0, Math.min(1, this.gain + (this.held || this.leaving ? -1 : 1) / FADE));
    if (this.leaving && (this.gain === 0 || !this.buffered)) this.clear();
    if (this.gain === 0) return 0;
    if (!this.buffered) {
      this.running = false;
      this.gain = 0;
      return 0;
    }
    const [piece] = this.queue;
    const value = piece[this.at] * this.gain;
    this.at += 1;
    this.played += 1;
    this.buffered -= 1;
    if (this.at === piece.length) {
      this.queue.shift();
      this.at = 0;
    }
    return value;
  }

  report() {
    const report = {
      run: this.run,
      played: this.leaving ? 0 : this.played,
      buffered: this.leaving ? 0 : this.buffered,
      level: this.peak,
      underruns: this.underruns,
      ended: this.finished && !this.buffered,
    };
    this.peak = 0;
    const text = JSON.stringify(report);
    if (text !== this.last) this.port.postMessage(report);
    this.last = text;
  }
}

registerProcessor("playback", Playback);
