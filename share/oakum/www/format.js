// How values are shown to people: the same as Shown.swift does on the server.

import { unknown } from "./amounts.js";
import { two } from "./clock.js";

export { bytes, unknown } from "./amounts.js";
export { clock } from "./clock.js";

export function seconds(value) {
  if (!Number.isFinite(value) || value < 0) return unknown;
  if (value < 120) return `${Math.round(value)} s`;
  if (value < 7200) return `${Math.round(value / 60)} min`;
  if (value < 172800) return `${(value / 3600).toFixed(1)} h`;
  return `${(value / 86400).toFixed(1)} d`;
}

export function cores(value) {
  return Number.isFinite(value) ? value.toFixed(2) : unknown;
}

export function count(value) {
  return Number.isFinite(value) ? String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202F") : unknown;
}

export function percent(part, whole) {
  return Number.isFinite(part) && whole > 0 ? Math.round((part / whole) * 100) : null;
}

const unitWords = /(\d) (?=(?:s|min|h|d|B|[KMGT]iB|%)(?![\p{L}\p{N}]))/gu;

/** Numbers stay on one line with their unit, and the two ends of an interval together. */
export function glued(text) {
  return text.replace(unitWords, "$1\u00A0").replace(/(\d)–(?=\d)/g, "$1\u2060–\u2060");
}

/** For an axis: hours and minutes, and seconds where they matter. */
export function axisTime(milliseconds, withSeconds) {
  const at = new Date(milliseconds);
  const text = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return withSeconds ? `${text}:${two(at.getSeconds())}` : text;
}

export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** What the server calls event kinds and verdicts, and the tone of each. */
function words(list, attribute) {
  const items = document.getElementById("words").content.querySelectorAll(`#${list} > li`);
  return new Map([...items].map((item) => [item.dataset[attribute], { text: item.textContent, tone: item.dataset.tone }]));
}

export const kinds = words("kinds", "kind");
export const verdicts = words("verdicts", "verdict");
