// The list of events: newest first, at most `limit` on the page.

import { showChains } from "./chain.js";
import { clock, glued, kinds } from "./format.js";

const limit = 100;
const list = document.getElementById("events");
let newest = Number(document.body.dataset.lastEvent);

/** Times of day in the reader's zone instead of UTC. */
export function localizeTimes() {
  for (const time of list.querySelectorAll("time")) time.textContent = clock(Number(time.dataset.at));
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  document.getElementById("zone").textContent = zone ? `times in ${zone}` : "local times";
}

function item(record) {
  const { event } = record;
  const kind = kinds.get(event.kind) ?? { text: event.kind, tone: "plain" };
  const node = document.getElementById("event-template").content.querySelector("li").cloneNode(true);
  node.dataset.event = record.id;
  node.dataset.kind = event.kind;
  node.dataset.tone = kind.tone;
  node.dataset.new = "";
  node.querySelector(".event-kind").textContent = kind.text;
  node.querySelector(".event-text").textContent = glued(event.message);
  showChains(node.querySelector("[data-field=leaks]"), event.heap, event);
  const time = node.querySelector("time");
  time.dateTime = new Date(event.at.wall).toISOString();
  time.dataset.at = event.at.wall;
  time.textContent = clock(event.at.wall);
  return node;
}

/** Adds an event unless it is there already. Returns whether it is new. */
export function addEvent(record) {
  if (record.id <= newest) return false;
  newest = record.id;
  list.prepend(item(record));
  while (list.children.length > limit) list.lastElementChild.remove();
  document.getElementById("no-events").hidden = true;
  return true;
}

export const newestEvent = () => newest;
