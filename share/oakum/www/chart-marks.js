// What a chart shows beneath its lines: the budget, the forecast bands, and where workers were replaced.

/** The page's colours, as its style sheet has them for the scheme in force. */
export function palette() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  const colours = {
    ended: read("series-ended"), budget: read("bad"), forecast: read("warn"), recycle: read("act"),
    grid: read("line"), soft: read("ink-soft"), surface: read("surface"),
    font: `11.5px ${read("sans")}`, strong: `600 11.5px ${read("sans")}`,
  };
  for (let number = 0; number < 8; number += 1) colours[number] = read(`series-${number}`);
  return colours;
}

export function drawUnderlay(context, area, graph, chart) {
  context.save();
  context.beginPath();
  context.rect(area.x, area.y, area.w, area.h);
  context.clip();
  const y = (value) => graph.toDomYCoord(value);
  const x = (at) => graph.toDomXCoord(at);
  drawAboveBudget(context, area, y(chart.budget), chart);
  for (const forecast of chart.forecasts) drawForecast(context, area, x, y, forecast, chart);
  drawRecycles(context, area, x, chart);
  drawBudget(context, area, y(chart.budget), chart);
  context.restore();
}

function drawAboveBudget(context, area, top, { colours }) {
  context.globalAlpha = 0.06;
  context.fillStyle = colours.budget;
  context.fillRect(area.x, area.y, area.w, Math.max(0, top - area.y));
  context.globalAlpha = 1;
}

function drawBudget(context, area, at, { colours }) {
  context.strokeStyle = colours.budget;
  context.lineWidth = 1.5;
  context.setLineDash([6, 4]);
  context.beginPath();
  context.moveTo(area.x, at);
  context.lineTo(area.x + area.w, at);
  context.stroke();
  context.setLineDash([]);
  context.font = colours.strong;
  context.textBaseline = "bottom";
  context.textAlign = "left";
  context.fillStyle = colours.surface;
  context.fillRect(area.x + 3, at - 19, context.measureText("Budget").width + 8, 16);
  context.fillStyle = colours.budget;
  context.fillText("Budget", area.x + 7, at - 4);
}

/** A wedge from the latest reading along the slow and the fast end of the slope's interval, up to the budget. */
function drawForecast(context, area, x, y, forecast, { colours, budget }) {
  const right = area.x + area.w;
  const start = x(forecast.at);
  if (start >= right || forecast.high <= 0) return;
  const at = (slope, seconds) => y(forecast.from + slope * seconds);
  const end = ((right - start) / (x(forecast.at + 1000) - start)) || 0;
  const top = y(budget);
  const colour = colours[forecast.number % 8];
  context.save();
  context.beginPath();
  context.rect(start, top, right - start, area.y + area.h - top);
  context.clip();
  context.globalAlpha = 0.2;
  context.fillStyle = colours.forecast;
  context.beginPath();
  context.moveTo(start, y(forecast.from));
  context.lineTo(right, at(forecast.high, end));
  context.lineTo(right, at(Math.max(0, forecast.low), end));
  context.closePath();
  context.fill();
  context.globalAlpha = 0.9;
  context.strokeStyle = colour;
  context.lineWidth = 1.3;
  context.setLineDash([3, 4]);
  context.beginPath();
  context.moveTo(start, y(forecast.from));
  context.lineTo(right, at(forecast.estimate, end));
  context.stroke();
  context.restore();
  drawReached(context, x, top, forecast, right, colours);
}

/** On the budget line: when it will be reached. */
function drawReached(context, x, top, forecast, right, colours) {
  if (!forecast.reached || !Number.isFinite(forecast.reached.low)) return;
  const low = x(forecast.at + forecast.reached.low * 1000);
  const high = Number.isFinite(forecast.reached.high) ? x(forecast.at + forecast.reached.high * 1000) : right;
  if (low >= right) return;
  context.strokeStyle = colours.forecast;
  context.lineWidth = 4;
  context.lineCap = "round";
  context.beginPath();
  context.moveTo(low, top);
  context.lineTo(Math.max(low + 2, Math.min(high, right)), top);
  context.stroke();
  context.lineCap = "butt";
}

/** Dotted lines; a label only where it fits before the next one. */
function drawRecycles(context, area, x, { marks, colours }) {
  const right = area.x + area.w;
  const shown = marks.map((mark) => ({ at: x(mark.at), label: mark.label }));
  const visible = shown.filter((mark) => mark.at >= area.x && mark.at <= right);
  context.lineWidth = 1.3;
  context.font = colours.font;
  context.textBaseline = "bottom";
  context.textAlign = "left";
  visible.forEach((mark, index) => {
    context.strokeStyle = colours.recycle;
    context.globalAlpha = 0.75;
    context.setLineDash([2, 3]);
    context.beginPath();
    context.moveTo(mark.at, area.y);
    context.lineTo(mark.at, area.y + area.h);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
    const room = (visible[index + 1]?.at ?? right) - mark.at;
    if (context.measureText(mark.label).width + 10 > room) return;
    context.fillStyle = colours.recycle;
    context.fillText(mark.label, mark.at + 4, area.y + area.h - 3);
  });
}
