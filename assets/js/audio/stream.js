import { staticUrl } from "../urls.js";
import { RATE } from "./pcm.js";

/** Speech that arrives in pieces and can fall silent at once: it is held at its place, or thrown away. */
export class Stream {
  /** Call it from a click or a key: browsers keep sound off until then. `onReport()` follows about every 20 ms of change. */
  static async open(onReport) {
    const stream = new Stream(onReport);
    try {
      await stream.context.audioWorklet.addModule(staticUrl("js/audio/playback-worklet.js"));
    } catch (error) {
      stream.close();
      throw error;
    }
    stream.node = new AudioWorkletNode(stream.context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    stream.node.port.onmessage = ({ data }) => stream.hear(data);
    stream.node.connect(stream.context.destination);
    return stream;
  }

  constructor(onReport) {
    this.context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
    this.context.resume();
    this.onReport = onReport;
    this.run = 0;
    this.reset();
  }

  reset() {
    this.position = 0; // seconds that were really heard since the last flush
    this.level = 0; // 0 to 1
    this.underruns = 0;
    this.ended = false; // finished, and heard to its end
    this.waiting = false; // there is sound that was not heard yet
  }

  /** What the worklet says of a moment, taken once that moment is heard: loudspeakers lag. */
  hear(report) {
    setTimeout(() => {
      if (report.run !== this.run) return;
      this.position = report.played / RATE;
      this.level = report.level;
      this.underruns = report.underruns;
      this.ended = report.ended;
      this.waiting = report.buffered > 0;
      this.onReport();
    }, (this.context.outputLatency || 0) * 1000);
  }

  tell(command, value) {
    this.node.port.postMessage([command, value]);
  }

  /** Adds samples (float, 24 kHz) after those before. */
  add(samples) {
    if (!samples.length) return;
    this.waiting = true;
    this.tell("add", samples);
  }

  /** Silence, and the place is kept until `resume`. */
  hold() { this.tell("hold"); }

  resume() { this.tell("resume"); }

  /** No more will come. */
  finish() { this.tell("finish"); }

  /** Silence, and all that was not heard is thrown away. Returns the seconds that were heard. */
  flush() {
    const { position } = this;
    this.run += 1;
    this.reset();
    this.tell("flush", this.run);
    return position;
  }

  close() {
    this.run = -1;
    this.context.close();
  }
}
