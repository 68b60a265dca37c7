// Microphone samples at the device's rate in, 24 kHz mono out, 40 ms at a time. Resampled here with a windowed sinc,
// because a context at another rate than the microphone's is refused by Firefox.
const RATE = 24000;
const BLOCK = RATE * 0.04;
const HALF = 16; // zero crossings on each side of the kernel
const TABLE = 512; // kernel points per zero crossing

function kernel() {
  const points = new Float32Array(HALF * TABLE + 2);
  for (let i = 0; i <= HALF * TABLE; i += 1) {
    const x = i / TABLE;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    points[i] = sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / HALF));
  }
  return points;
}

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = sampleRate / RATE;
    this.cutoff = Math.min(1, RATE / sampleRate) * 0.95;
    this.reach = Math.ceil(HALF / this.cutoff);
    this.kernel = kernel();
    this.input = new Float32Array(0);
    this.at = 0; // where the next output sample lies in `input`
    this.block = new Float32Array(BLOCK);
    this.filled = 0;
  }

  process([[...channels]]) {
    if (!channels.length) return true;
    const frame = channels[0].slice();
    for (const channel of channels.slice(1)) channel.forEach((value, i) => { frame[i] += value; });
    if (channels.length > 1) frame.forEach((value, i) => { frame[i] = value / channels.length; });
    const joined = new Float32Array(this.input.length + frame.length);
    joined.set(this.input);
    joined.set(frame, this.input.length);
    this.input = joined;
    while (this.at + this.reach < this.input.length) {
      this.put(this.sample(this.at));
      this.at += this.step;
    }
    const spent = Math.max(0, Math.floor(this.at) - this.reach);
    this.input = this.input.slice(spent);
    this.at -= spent;
    return true;
  }

  sample(at) {
    const first = Math.max(0, Math.ceil(at - this.reach));
    const last = Math.min(this.input.length - 1, Math.floor(at + this.reach));
    let sum = 0;
    for (let i = first; i <= last; i += 1) {
      const x = Math.abs(i - at) * this.cutoff * TABLE;
      if (x < HALF * TABLE) sum += this.input[i] * this.kernel[Math.round(x)];
    }
    return sum * this.cutoff;
  }

  put(value) {
    this.block[this.filled] = value;
    this.filled += 1;
    if (this.filled < BLOCK) return;
    this.port.postMessage(this.block.slice());
    this.filled = 0;
  }
}

registerProcessor("capture", Capture);
