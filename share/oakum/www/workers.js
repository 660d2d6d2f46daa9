// Keeps the table of workers as the overview says. Text is only ever set as text.

import { heapAddress, showChains } from "./chain.js";
import { bytes, cores, count, glued, percent, seconds, setText, unknown, verdicts } from "./format.js";

const phases = { starting: "Starting", serving: "Serving", draining: "Draining", down: "Down" };
const colours = 8;

export const colourOf = (number) => number % colours;

function level(share) {
  if (share === null) return "unknown";
  if (share >= 85) return "high";
  return share >= 65 ? "raised" : "normal";
}

/** The summary without the verdict it begins with: that stands beside it. */
function detail(worker) {
  const word = (verdicts.get(worker.verdict.verdict)?.text ?? "").toLowerCase();
  if (!worker.summary.toLowerCase().startsWith(word)) return worker.summary;
  const rest = worker.summary.slice(word.length);
  if (rest === "") return "";
  return rest.startsWith(": ") ? rest.charAt(2).toUpperCase() + rest.slice(3) : worker.summary;
}

function showEvidence(details, evidence) {
  const list = details.querySelector("ul");
  const texts = [...list.children].map((item) => item.textContent);
  if (texts.length === evidence.length && texts.every((text, index) => text === evidence[index])) return;
  details.hidden = evidence.length === 0;
  list.replaceChildren(
    ...evidence.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }),
  );
}

function update(row, worker, service, uptime) {
  const field = (name) => row.querySelector(`[data-field="${name}"]`);
  const rss = worker.latest?.rss_bytes;
  const share = percent(rss, service.budget_bytes);
  row.dataset.phase = worker.phase;
  row.dataset.verdict = worker.verdict.verdict;
  row.dataset.level = level(share);
  setText(field("pid"), worker.process ? `pid ${worker.process.pid}` : "");
  setText(field("phase"), phases[worker.phase] ?? worker.phase);
  setText(field("rss"), bytes(rss));
  setText(field("percent"), share === null ? "" : `${share} %`);
  const bar = field("bar");
  bar.setAttribute("aria-label", share === null ? "not known" : `${share} percent of the budget`);
  bar.querySelector(".bar-fill").setAttribute("width", `${Math.min(Math.max(share ?? 0, 0), 100)}%`);
  setText(field("verdict"), verdicts.get(worker.verdict.verdict)?.text ?? worker.verdict.verdict);
  setText(field("detail"), glued(detail(worker)));
  setText(field("cause"), worker.diagnosis?.summary ?? "");
  field("cause").hidden = !worker.diagnosis;
  showEvidence(field("evidence"), worker.verdict.evidence);
  showChains(field("leaks"), worker.leaks);
  const heap = field("heap");
  heap.hidden = !service.samples_heap || !worker.process;
  heap.href = heapAddress(service.name, worker.number);
  setText(field("cpu"), cores(worker.cpu_cores));
  setText(field("requests"), count(worker.latest?.requests_total));
  setText(field("age"), worker.started_at ? seconds(uptime - worker.started_at.uptime.seconds) : unknown);
}

function newRow(number) {
  const row = document.getElementById("worker-template").content.querySelector("tr").cloneNode(true);
  row.dataset.worker = number;
  row.querySelector(".swatch").dataset.colour = colourOf(number);
  row.querySelector("th .number").textContent = number;
  return row;
}

/** Brings one service's section up to date. */
export function updateService(section, service, uptime) {
  const field = (name) => section.querySelector(`:scope > .service-head [data-field="${name}"]`);
  const serving = service.workers.filter((worker) => worker.phase === "serving").length;
  setText(field("serving"), `${serving} of ${service.desired_workers}`);
  setText(field("recycles"), `${service.recycles}×`);
  field("recycling").hidden = !service.recycling;
  const trouble = [...(service.symptoms ?? []), service.diagnosis?.summary].filter(Boolean).join(". ");
  setText(field("trouble"), trouble);
  field("trouble").hidden = trouble === "";
  const body = section.querySelector("tbody");
  const rows = new Map([...body.children].map((row) => [Number(row.dataset.worker), row]));
  service.workers.forEach((worker, index) => {
    const row = rows.get(worker.number) ?? newRow(worker.number);
    rows.delete(worker.number);
    update(row, worker, service, uptime);
    if (body.children[index] !== row) body.insertBefore(row, body.children[index] ?? null);
  });
  for (const row of rows.values()) row.remove();
}
