// Brings the page to life: what the server rendered stays, and is kept up to date over one event stream.

import { bytes, seconds, setText } from "./format.js";
import { addEvent, localizeTimes, newestEvent } from "./events.js";
import { updateService } from "./workers.js";
import { MemoryChart } from "./chart.js";

/** Nothing heard for so long means the connection is gone, whatever the browser thinks. */
const patience = 6000;
const retry = 4000;
const spans = [["5 min", 300], ["15 min", 900], ["1 h", 3600], ["6 h", 21600], ["24 h", 86400]];

const body = document.body;
const live = document.getElementById("live");
const sections = new Map([...document.querySelectorAll(".service")].map((node) => [node.dataset.service, node]));
const charts = new Map();

// Connection

let source = null;
let watchdog = 0;

function show(state, text) {
  live.dataset.state = state;
  setText(document.getElementById("live-text"), text);
  body.toggleAttribute("data-stale", state === "lost");
}

function heard() {
  clearTimeout(watchdog);
  watchdog = setTimeout(reconnect, patience);
}

function reconnect() {
  show("lost", "Connection lost, trying again");
  source?.close();
  clearTimeout(watchdog);
  watchdog = setTimeout(connect, retry);
}

function connect() {
  source = new EventSource(`/api/v1/stream?after=${newestEvent()}`);
  source.addEventListener("open", heard);
  source.addEventListener("error", reconnect);
  source.addEventListener("overview", (message) => {
    heard();
    const overview = JSON.parse(message.data);
    show("live", "Live");
    showOverview(overview);
  });
  source.addEventListener("event", (message) => {
    heard();
    showEvent(JSON.parse(message.data));
  });
  source.addEventListener("trouble", (message) => {
    heard();
    show("trouble", JSON.parse(message.data).detail);
  });
  source.addEventListener("resync", () => location.reload());
}

// Page

function showEvent(record) {
  if (!addEvent(record)) return;
  for (const chart of charts.values()) chart.mark(record);
}

function sentence(overview) {
  const workers = overview.services.flatMap((service) => service.workers);
  const desired = overview.services.reduce((sum, service) => sum + service.desired_workers, 0);
  const serving = workers.filter((worker) => worker.phase === "serving").length;
  const leaking = workers.filter((worker) => worker.verdict.verdict === "leak").length;
  if (overview.services.length === 0) return "No services are configured.";
  if (serving === 0) return "No worker is serving.";
  const share = serving >= desired ? `All ${desired} workers serve.` : `${serving} of ${desired} workers serve.`;
  if (leaking === 0) return `${share} No leak in sight.`;
  const who = leaking === 1 ? "One worker leaks" : `${leaking} workers leak`;
  if (overview.oakum.observe_only) return `${share} ${who}; observe-only, so nothing is recycled.`;
  if (overview.oakum.paused) return `${share} ${who}; acts are paused, so nothing is recycled.`;
  const recycling = overview.services.some((service) => service.recycling);
  if (recycling) return `${share} ${who}; a recycle is under way.`;
  return `${share} ${who} and will be recycled before the budget is reached.`;
}

function showNotices(oakum) {
  document.getElementById("observe-only").hidden = !oakum.observe_only;
  document.getElementById("paused").hidden = !oakum.paused;
  const problems = document.getElementById("problems");
  const list = problems.querySelector("ul");
  const shown = [...list.children].map((item) => item.textContent);
  if (JSON.stringify(shown) === JSON.stringify(oakum.problems)) return;
  list.replaceChildren(
    ...oakum.problems.map((problem) => {
      const item = document.createElement("li");
      item.textContent = problem;
      return item;
    }),
  );
  problems.hidden = oakum.problems.length === 0;
}

function showOverview(overview) {
  const uptime = overview.at.uptime.seconds;
  setText(document.getElementById("lede"), sentence(overview));
  showNotices(overview.oakum);
  setText(document.getElementById("own-rss"), bytes(overview.oakum.rss_bytes));
  setText(document.getElementById("own-age"), seconds(uptime - overview.oakum.started_at.uptime.seconds));
  const known = overview.services.every((service) => sections.has(service.name));
  // Another configuration than the page was made for.
  if (!known || overview.services.length !== sections.size) return location.reload();
  for (const service of overview.services) {
    updateService(sections.get(service.name), service, uptime);
    charts.get(service.name)?.push(overview.at.wall, service);
  }
}

/** How many incidents are not resolved, on the link to them. */
async function showIncidents() {
  const badge = document.getElementById("open-incidents");
  if (!badge || document.hidden) return;
  try {
    const response = await fetch("/api/v1/incidents?state=open,acknowledged,mitigated&limit=200");
    if (!response.ok) return;
    const count = (await response.json()).length;
    badge.dataset.count = count;
    setText(badge.querySelector("[data-field=count]"), String(count));
    badge.hidden = count === 0;
  } catch {
    // The stream tells that the connection is gone.
  }
}

// Charts

function addSpans(section, chart) {
  const group = section.querySelector(".spans");
  for (const [text, length] of spans) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.setAttribute("aria-pressed", String(length === chart.span));
    button.addEventListener("click", () => {
      for (const other of group.children) other.setAttribute("aria-pressed", String(other === button));
      chart.setSpan(length);
    });
    group.append(button);
  }
}

async function startCharts() {
  if (typeof Dygraph === "undefined") return;
  for (const [name, section] of sections) {
    const chart = new MemoryChart(section, 900);
    charts.set(name, chart);
    addSpans(section, chart);
  }
  const response = await fetch("/api/v1/events?limit=500");
  const past = response.ok ? await response.json() : [];
  for (const chart of charts.values()) {
    const shown = past.filter((record) => record.id <= newestEvent());
    chart.marks.unshift(...shown.map((record) => chart.markOf(record)).filter(Boolean));
    await chart.load();
  }
}

localizeTimes();
connect();
setInterval(showIncidents, 5000);
await startCharts();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((chart) => chart.recolour()));
document.addEventListener("visibilitychange", () => charts.forEach((chart) => chart.draw()));
