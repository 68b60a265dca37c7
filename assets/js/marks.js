import { h } from "./dom.js";
import { icon } from "./icons.js";

// How emotions and sound events look, in every tab. Never colour alone: each has a word (label key) or an icon.
const EMOTIONS = ["HAPPY", "SAD", "ANGRY", "NEUTRAL", "FEARFUL", "DISGUSTED", "SURPRISED"];
const EVENTS = {
  Laughter: "laughter", Applause: "applause", Cry: "cry", Cough: "cough", Sneeze: "sneeze", Breath: "breath",
  BGM: "music", Sing: "singing", Speech_Noise: "noise", GBG: "noise", Event_UNK: "noise",
};

/** The CSS variable that holds an emotion's colour. */
export const emotionColour = (name) => `--emo-${EMOTIONS.includes(name) ? name.toLowerCase() : "unknown"}`;

/** The icon of an event, or undefined for plain speech, which is no mark. */
export const eventIcon = (name) => EVENTS[name];

const percent = (value) => Math.round((value ?? 0) * 100);

/** Whether a confidence is a score: an engine that gives none says 1. */
export const isScore = (confidence) => confidence < 1;

/** The label of a confidence (0 to 1). */
export const sureLabel = (confidence) => (isScore(confidence) ? ["confidence_of", { percent: percent(confidence) }] : "confidence_none");

/** Dot, word and a bar filled to the confidence (0 to 1); the number is in the tooltip. */
export function emotionMark(name, confidence) {
  const known = EMOTIONS.includes(name);
  const bar = known && isScore(confidence) && h("span", { class: "fa-confidence" }, h("span", { style: `width:${percent(confidence)}%` }));
  const key = `emotion_${name}`;
  return h("span", {
    class: `fa-mark fa-emotion${known ? "" : " is-unknown"}`, style: `--mark: var(${emotionColour(name)})`, tabindex: "0",
    tTitle: known ? sureLabel(confidence) : "emotion_unknown_why",
  }, h("span", { class: "fa-dot" }), h("span", { t: key }), bar || null);
}

/** Icon and word of an event; null for what is not marked. */
export function eventMark({ event, confidence }) {
  if (!EVENTS[event]) return null;
  return h("span", {
    class: "fa-mark fa-event", tabindex: "0", tTitle: sureLabel(confidence),
    style: `--fill: ${percent(confidence)}%`,
  }, icon(EVENTS[event], 16), h("span", { t: `event_${event}` }));
}
