// The page of one heap: draws the flame graph from the table of calls, and shows times in the reader's zone.

import { clock } from "./clock.js";
import { FlameGraph } from "./flame.js";
import { readCalls } from "./flame-tree.js";

for (const time of document.querySelectorAll("time[data-at]")) time.textContent = clock(Number(time.dataset.at));

const table = document.querySelector("table.calls");
if (table) {
  const figure = document.getElementById("flame");
  const root = readCalls(table);
  if (root) {
    figure.hidden = false;
    document.getElementById("calls").open = false;
    const graph = new FlameGraph(figure, root);
    const buttons = [...figure.querySelectorAll("button[data-show]")];
    for (const button of buttons) {
      button.addEventListener("click", () => {
        for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
        graph.show(button.dataset.show);
      });
    }
    graph.show(buttons.find((button) => button.getAttribute("aria-pressed") === "true").dataset.show);
  }
}
