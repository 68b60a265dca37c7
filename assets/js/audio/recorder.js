import { staticUrl } from "../urls.js";
import { join } from "./pcm.js";

/** The microphone cannot be had; `key` is the label key of the sentence that says what to do. */
export class MicrophoneError extends Error {
  constructor(key) {
    super(key);
    this.key = key;
  }
}

const REASONS = {
  NotAllowedError: "mic_denied", SecurityError: "mic_denied", NotFoundError: "mic_missing", OverconstrainedError: "mic_missing",
  NotReadableError: "mic_busy", AbortError: "mic_busy",
};

/** One recording from the microphone: 24 kHz mono, kept whole, and handed on while it grows. */
export class Recorder {
  /**
   * `onBlock(samples)` gets 40 ms at a time. `live` is for a conversation that goes on for hours: noise is suppressed, since
   * it would break in on the answer, and nothing is kept. Throws MicrophoneError.
   */
  static async open(onBlock, { live = false } = {}) {
    if (!window.isSecureContext || !navigator.mediaDevices) throw new MicrophoneError("mic_insecure");
    const recorder = new Recorder();
    try {
      recorder.stream = await navigator.mediaDevices.getUserMedia({
        // Suppression and gain would take away the breaths and the loudness that tell a mood.
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: live, autoGainControl: false },
      });
    } catch (error) {
      throw new MicrophoneError(REASONS[error.name] ?? "mic_missing");
    }
    try {
      recorder.context = new AudioContext();
      await recorder.context.audioWorklet.addModule(staticUrl("js/audio/capture-worklet.js"));
      const node = new AudioWorkletNode(recorder.context, "capture", { numberOfOutputs: 0 });
      node.port.onmessage = ({ data }) => {
        if (!live) recorder.blocks.push(data);
        onBlock(data);
      };
      recorder.context.createMediaStreamSource(recorder.stream).connect(node);
      await recorder.context.resume();
    } catch (error) {
      recorder.close();
      throw new MicrophoneError("mic_busy");
    }
    return recorder;
  }

  constructor() {
    this.blocks = [];
  }

  /** Seconds recorded. */
  get seconds() {
    return this.blocks.length * 0.04;
  }

  /** Gives the microphone back and returns all that was recorded. */
  close() {
    this.stream.getTracks().forEach((track) => track.stop());
    this.context?.close();
    return join(this.blocks);
  }
}
