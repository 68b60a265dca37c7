// Line icons on a 24-pixel grid, stroke only, so that the same path draws in SVG and on a canvas.
export const PATHS = {
  mic: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21",
  stop: "M6.5 6.5h11v11h-11z",
  play: "M8 5.5v13l10.5-6.5z",
  save: "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14",
  upload: "M12 16V5M7.5 9l4.5-4.5L16.5 9M5 20h14",
  copy: "M9 9h10v11H9zM5 15V4h10",
  check: "M5 12.5l4.5 4.5L19 7.5",
  again: "M5 12a7 7 0 1 0 2.2-5.1M5 4v4h4",
  send: "M12 19V5M6 11l6-6 6 6",
  sliders: "M4 7h9M19 7h1M4 17h1M11 17h9M16 4.5v5M8 14.5v5",
  close: "M6 6l12 12M18 6L6 18",
  sun: "M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4",
  moon: "M20 14.2A8 8 0 0 1 9.8 4a8 8 0 1 0 10.2 10.2z",
  fresh: "M12 5v14M5 12h14",
  pause: "M9 5.5v13M15 5.5v13",
  minus: "M5 12h14",
  dice: "M5 5h14v14H5zM9 9v.1M15 9v.1M12 12v.1M9 15v.1M15 15v.1",
  flip: "M4 9h15M15.5 5.5L19 9l-3.5 3.5M20 15H5M8.5 11.5L5 15l3.5 3.5",
  edit: "M5 19l1-4L16.5 4.5a1.4 1.4 0 0 1 2 0l1 1a1.4 1.4 0 0 1 0 2L9 18zM14 7l3 3",
  trash: "M5 7h14M9.5 7V4.5h5V7M7 7l.8 13h8.4L17 7M10.5 10.5v6M13.5 10.5v6",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20",
  blend: "M9 6a6 6 0 1 0 0 12a6 6 0 0 0 0-12zM15 6a6 6 0 1 1 0 12a6 6 0 0 1 0-12z",
  person: "M12 4a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM4.5 20c.8-3.6 3.8-5.5 7.5-5.5s6.7 1.9 7.5 5.5",
  shield: "M12 3.5l7 2.5v5.5c0 4.3-2.9 7.6-7 9-4.1-1.4-7-4.7-7-9V6zM9 12l2.2 2.2L15.2 10",
  alert: "M12 4l9 16H3zM12 10v4.5M12 17.4v.1",

  laughter: "M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17zM7.5 13.5h9a4.5 4.5 0 0 1-9 0zM7.8 10c.4-1 1.8-1 2.2 0M14 10c.4-1 1.8-1 2.2 0",
  applause: "M5.5 13.5l5-5.2a1.3 1.3 0 0 1 1.9 1.8l5-5a1.3 1.3 0 0 1 1.9 1.9l.3 5.5c.1 5-4 8.5-8 8.5c-3.6 0-7.4-4.5-6.1-7.5zM4 5l1.5 1.5M9 2.5v2.2",
  cry: "M12 3.5c3 4.3 5.5 7.2 5.5 10.7a5.5 5.5 0 0 1-11 0c0-3.5 2.5-6.4 5.5-10.7zM9.5 14.5a2.5 2.5 0 0 0 2.5 2.5",
  cough: "M3.5 6.5h4a5.5 5.5 0 0 1 0 11h-4M3.5 12h5M16 7.5l4-2M17 12h4M16 16.5l4 2",
  sneeze: "M8.5 4v6.5c0 1.8-3.5 3-3.5 5.5c0 2 1.8 3.5 4 3.5h1.5M14.5 10.5v.1M18.5 8.5v.1M15 15v.1M19.5 13v.1M18 18v.1M14.5 19.5v.1",
  breath: "M3 9h10.5a2.6 2.6 0 1 0-2.6-2.6M3 13.2h14.5a2.7 2.7 0 1 1-2.7 2.7M3 17.4h6.5",
  music: "M9 17.5V6l10-2.2v11.7M9 17.5a2.5 2.5 0 1 1-5 0a2.5 2.5 0 0 1 5 0zM19 15.5a2.5 2.5 0 1 1-5 0a2.5 2.5 0 0 1 5 0z",
  singing: "M14.8 3.5a4.7 4.7 0 1 0 0 9.4a4.7 4.7 0 0 0 0-9.4zM11 11.5l-7 7.5 1.2 1.2L12.6 12.9M19 16v4.5M19 16l2 1",
  noise: "M3 12h2.5l2-5 3 11 3-14 3 11 1.5-3h3",
};

const SVG = "http://www.w3.org/2000/svg";

/** A decorative SVG icon (hidden from screen readers: the word beside it or the control's label says it). */
export function icon(name, size = 20) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({
    viewBox: "0 0 24 24", width: size, height: size, fill: "none", stroke: "currentColor", "stroke-width": 1.8,
    "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true", class: "fa-icon",
  })) svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Strokes the icon on a canvas, its top left corner at x, y. */
export function drawIcon(context, name, x, y, size) {
  context.save();
  context.translate(x, y);
  context.scale(size / 24, size / 24);
  context.lineWidth = 2;
  context.lineCap = context.lineJoin = "round";
  context.stroke(new Path2D(PATHS[name]));
  context.restore();
}
