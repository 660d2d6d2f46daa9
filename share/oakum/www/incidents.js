// Pages about incidents: times in the reader's zone, and parts that are fetched anew when something has changed. Nothing
// here is needed to read or to act.

import { clock } from "./clock.js";

const period = 5000;
const parts = ["live", "live-side"];

function localizeTimes(root) {
  for (const time of root.querySelectorAll("time[data-at]")) time.textContent = clock(Number(time.dataset.at));
}

/** What tells whether the page is out of date: as little as can be asked for. */
async function stamp() {
  const { page, incident } = document.body.dataset;
  const address = page === "incident" ? `/api/v1/incidents/${incident}` : `/api/v1/incidents${location.search}`;
  const response = await fetch(address);
  if (!response.ok) return null;
  const answer = await response.json();
  if (page === "incident") return JSON.stringify([answer.incident.updated_ms, answer.timeline.length, answer.deliveries]);
  return JSON.stringify(answer.map((one) => [one.id, one.updated_ms]));
}

/** Takes over the parts that change; what somebody is typing stays. */
async function renew() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of parts) {
    const old = document.getElementById(id);
    const next = fresh.getElementById(id);
    if (!old || !next || old.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")) continue;
    localizeTimes(next);
    old.replaceChildren(...next.childNodes);
  }
}

let known = null;

async function look() {
  if (document.hidden) return;
  try {
    const now = await stamp();
    if (now !== null && known !== null && now !== known) await renew();
    known = now ?? known;
  } catch {
    // Oakum is away for a moment: the page shows what it showed, and asks again.
  }
}

localizeTimes(document);
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
document.getElementById("zone").textContent = zone ? `times in ${zone}` : "local times";
if (document.body.dataset.page !== "on-call") {
  await look();
  setInterval(look, period);
}
