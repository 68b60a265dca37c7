// Samples between the forms they take: float32 in [-1, 1], 16-bit little-endian in base64, WAV, peaks.
export const RATE = 24000;
const BASE64_STEP = 0x8000;

function base64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += BASE64_STEP) text += String.fromCharCode(...bytes.subarray(i, i + BASE64_STEP));
  return btoa(text);
}

function toInt16(samples) {
  const ints = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i += 1) ints[i] = Math.round(Math.max(-1, Math.min(1, samples[i])) * 32767);
  return ints;
}

/** Float samples as base64 of 16-bit PCM. */
export const encodePcm = (samples) => base64(new Uint8Array(toInt16(samples).buffer));

/** Any bytes as base64. */
export const encodeBytes = base64;

/** Base64 of 16-bit PCM as float samples. */
export function decodePcm(text) {
  const binary = atob(text);
  const samples = new Float32Array(binary.length >> 1);
  for (let i = 0; i < samples.length; i += 1) {
    const value = binary.charCodeAt(i * 2) | (binary.charCodeAt(i * 2 + 1) << 8);
    samples[i] = (value > 0x7fff ? value - 0x10000 : value) / 32768;
  }
  return samples;
}

/** One array from several. */
export function join(parts) {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** `count` peaks of 0..1, evenly over the samples. */
export function peaksOf(samples, count) {
  return Array.from({ length: count }, (_, i) => {
    let peak = 0;
    const end = Math.floor(((i + 1) / count) * samples.length);
    for (let k = Math.floor((i / count) * samples.length); k < end; k += 1) peak = Math.max(peak, Math.abs(samples[k]));
    return peak;
  });
}

/** A WAV file, mono 16 bit. */
export function wavBlob(samples, rate = RATE) {
  const header = new DataView(new ArrayBuffer(44));
  const ascii = (at, text) => [...text].forEach((letter, i) => header.setUint8(at + i, letter.charCodeAt(0)));
  const bytes = samples.length * 2;
  ascii(0, "RIFF");
  header.setUint32(4, 36 + bytes, true);
  ascii(8, "WAVEfmt ");
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true);
  header.setUint16(22, 1, true);
  header.setUint32(24, rate, true);
  header.setUint32(28, rate * 2, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  ascii(36, "data");
  header.setUint32(40, bytes, true);
  return new Blob([header, toInt16(samples)], { type: "audio/wav" });
}
