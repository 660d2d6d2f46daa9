// One chart a service: a line per worker process, the budget, forecasts, and marks where workers were replaced.

import { axisTime, bytes, clock } from "./format.js";
import { drawUnderlay, palette } from "./chart-marks.js";
import { colourOf } from "./workers.js";

/* global Dygraph */

// The page has its own legend; dygraphs' one writes inline styles, which the page's policy refuses.
if (typeof Dygraph !== "undefined") Dygraph.PLUGINS = Dygraph.PLUGINS.filter((one) => one !== Dygraph.Plugins.Legend);

/** Points kept for one process; older ones are dropped. */
const maxPoints = 4000;
const mebibyte = 1048576;

const keyOf = (number, process) => `${number}:${process?.pid ?? 0}:${process?.start_ticks ?? 0}`;

/** Steps of 1, 2, 4, … MiB, so that labels are round in binary units. */
function memoryTicks(low, high) {
  let step = mebibyte;
  while ((high - low) / step > 5) step *= 2;
  const ticks = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
    ticks.push({ v: value, label: value === 0 ? "0" : bytes(value).replace(".0 ", " ") });
  }
  return ticks;
}

export class MemoryChart {
  constructor(section, spanSeconds) {
    this.service = section.dataset.service;
    this.budget = Number(section.dataset.budget);
    this.figure = section.querySelector('[data-field="chart"]');
    this.plot = section.querySelector('[data-field="plot"]');
    this.readout = section.querySelector('[data-field="readout"]');
    this.legend = section.querySelector('[data-field="legend"]');
    this.span = spanSeconds;
    this.processes = new Map();
    this.live = new Set();
    this.forecasts = [];
    this.marks = [];
    this.colours = palette();
  }

  /** Takes the recorded past over; what came live meanwhile stays. */
  async load() {
    const points = Math.min(Math.max(Math.round(this.span), 60), 900);
    const query = new URLSearchParams({ service: this.service, seconds: this.span, points });
    const response = await fetch(`/api/v1/history?${query}`);
    if (!response.ok) return;
    const history = await response.json();
    const loaded = new Map();
    for (const worker of history.workers) {
      const past = worker.points.map((point) => [point.at_ms, point.peak_bytes]);
      loaded.set(keyOf(worker.number, worker.process), { number: worker.number, points: past });
    }
    for (const [key, process] of this.processes) {
      const past = loaded.get(key);
      const last = past?.points.at(-1)?.[0] ?? -Infinity;
      const later = process.points.filter((point) => point[0] > last);
      loaded.set(key, { number: process.number, points: [...(past?.points ?? []), ...later] });
    }
    this.processes = loaded;
    this.draw();
  }

  /** Adds the readings of one overview. */
  push(atMilliseconds, service) {
    this.live.clear();
    this.forecasts = [];
    for (const worker of service.workers) {
      if (!worker.latest) continue;
      const key = keyOf(worker.number, worker.process);
      this.live.add(key);
      const process = this.processes.get(key) ?? { number: worker.number, points: [] };
      this.processes.set(key, process);
      const last = process.points.at(-1);
      if (!last || last[0] < atMilliseconds) process.points.push([atMilliseconds, worker.latest.rss_bytes]);
      if (process.points.length > maxPoints) process.points.splice(0, process.points.length - maxPoints);
      this.forecast(worker, atMilliseconds);
    }
    this.now = atMilliseconds;
    this.draw();
  }

  forecast(worker, at) {
    const { verdict } = worker;
    if (verdict.verdict !== "leak" || !verdict.slope_per_s) return;
    this.forecasts.push({
      number: worker.number, at, from: worker.latest.rss_bytes,
      low: verdict.slope_per_s.low, high: verdict.slope_per_s.high, estimate: verdict.slope_per_s.estimate,
      reached: verdict.time_to_limit_s ?? null,
    });
  }

  /** Remembers a recycle. */
  mark(record) {
    const mark = this.markOf(record);
    if (mark) this.marks.push(mark);
    if (this.marks.length > 500) this.marks.shift();
  }

  /** Null for other events. */
  markOf({ event }) {
    if (event.kind !== "recycle_finished" || event.service !== this.service) return null;
    return { at: event.at.wall, label: `${event.worker} → ${event.facts.successor ?? "?"}` };
  }

  setSpan(seconds) {
    this.span = seconds;
    return this.load();
  }

  recolour() {
    this.colours = palette();
    this.draw();
  }

  // Drawing

  window() {
    const now = this.now ?? Date.now();
    let start = now - this.span * 1000;
    let oldest = now;
    for (const process of this.processes.values()) oldest = Math.min(oldest, process.points[0]?.[0] ?? now);
    start = Math.max(start, Math.min(oldest, now - 60000));
    const shown = now - start;
    const wanted = Math.max(0, ...this.forecasts.map((one) => (one.reached?.high ?? one.reached?.low ?? 0) * 1150));
    const ahead = this.forecasts.length > 0 ? Math.min(Math.max(wanted, shown * 0.12), shown * 0.45) : shown * 0.01;
    return [start, now + ahead];
  }

  /** Rows as dygraphs wants them: one a moment, one column a process, null where it has no reading. */
  rows(keys, start) {
    const rows = new Map();
    keys.forEach((key, column) => {
      for (const [at, value] of this.processes.get(key).points) {
        if (at < start) continue;
        let row = rows.get(at);
        if (!row) {
          row = [new Date(at), ...new Array(keys.length).fill(null)];
          rows.set(at, row);
        }
        row[column + 1] = value;
      }
    });
    return [...rows.entries()].sort((left, right) => left[0] - right[0]).map((entry) => entry[1]);
  }

  draw() {
    if (document.hidden || !this.now) return;
    const dateWindow = this.window();
    for (const [key, process] of this.processes) {
      if (!this.live.has(key) && (process.points.at(-1)?.[0] ?? 0) < dateWindow[0]) this.processes.delete(key);
    }
    const keys = [...this.processes.keys()].sort((left, right) => this.live.has(left) - this.live.has(right));
    const file = this.rows(keys, dateWindow[0]);
    if (file.length === 0) return;
    const peak = Math.max(this.budget, ...file.flatMap((row) => row.slice(1)));
    const series = {};
    for (const key of keys) {
      const isLive = this.live.has(key);
      const colour = this.colours[isLive ? colourOf(this.processes.get(key).number) : "ended"];
      series[key] = { color: colour, strokeWidth: isLive ? 2.2 : 1.4, highlightCircleSize: isLive ? 3.5 : 2.5 };
    }
    this.apply({ file, labels: ["Time", ...keys], series, dateWindow, valueRange: [0, peak * 1.12] });
    this.showLegend(keys);
  }

  apply(options) {
    if (this.graph) {
      this.graph.updateOptions({ ...options, gridLineColor: this.colours.grid });
      return;
    }
    this.figure.hidden = false;
    const { file, ...rest } = options;
    const withSeconds = () => this.window()[1] - this.window()[0] < 300000;
    this.graph = new Dygraph(this.plot, file, {
      ...rest,
      legend: "never",
      connectSeparatedPoints: true,
      interactionModel: {},
      gridLineColor: this.colours.grid,
      gridLineWidth: 1,
      axisLineColor: "transparent",
      rightGap: 0,
      axes: {
        x: {
          drawGrid: false, pixelsPerLabel: 66, axisLabelWidth: 66,
          axisLabelFormatter: (at) => axisTime(at.getTime(), withSeconds()),
        },
        y: { axisLabelWidth: 62, ticker: memoryTicks },
      },
      underlayCallback: (context, area, graph) => drawUnderlay(context, area, graph, this),
      highlightCallback: (event, at, points) => this.showReadout(at, points[0]?.canvasx ?? 0),
      unhighlightCallback: () => { this.readout.hidden = true; },
    });
  }

  showLegend(keys) {
    const entries = keys.filter((key) => this.live.has(key)).map((key) => {
      const { number } = this.processes.get(key);
      return { colour: colourOf(number), text: `Worker ${number}` };
    });
    if (keys.length > entries.length) entries.push({ key: "ended", text: "Earlier" });
    if (this.forecasts.length > 0) entries.push({ key: "forecast", text: "Forecast" });
    if (this.marks.length > 0) entries.push({ key: "recycle", text: "Recycle" });
    const wanted = JSON.stringify(entries);
    if (wanted === this.shownLegend) return;
    this.shownLegend = wanted;
    this.legend.replaceChildren(...entries.map(legendEntry));
  }

  /** Each process's latest reading at or before a moment. */
  showReadout(at, x) {
    const lines = [];
    for (const [key, process] of this.processes) {
      const point = process.points.findLast((candidate) => candidate[0] <= at);
      if (!point || at - point[0] > Math.max(3000, this.span * 5)) continue;
      const colour = this.live.has(key) ? colourOf(process.number) : "ended";
      lines.push({ colour, text: `Worker ${process.number}`, value: bytes(point[1]) });
    }
    lines.sort((left, right) => left.text.localeCompare(right.text, undefined, { numeric: true }));
    const time = document.createElement("p");
    time.textContent = clock(at);
    this.readout.replaceChildren(time, ...lines.slice(-8).map(readoutLine));
    this.readout.hidden = false;
    const room = this.plot.clientWidth - this.readout.offsetWidth;
    const left = x + 14 > room ? x - this.readout.offsetWidth - 14 : x + 14;
    this.readout.style.transform = `translateX(${Math.max(0, Math.min(left, room))}px)`;
  }
}

function legendEntry({ colour, key, text }) {
  const entry = document.createElement("span");
  const swatch = document.createElement("i");
  swatch.className = "key";
  if (key) swatch.dataset.key = key;
  if (colour !== undefined) swatch.dataset.colour = colour;
  entry.append(swatch, text);
  return entry;
}

function readoutLine({ colour, text, value }) {
  const line = document.createElement("p");
  const swatch = document.createElement("i");
  swatch.className = "key";
  swatch.dataset.colour = colour;
  const amount = document.createElement("b");
  amount.textContent = value;
  line.append(swatch, text, amount);
  return line;
}
