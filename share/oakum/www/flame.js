// Draws the flame graph: callers above, what they call below. Every box can be reached and zoomed by keyboard.

import { bytes } from "./amounts.js";
import { heat, layout, shortName } from "./flame-tree.js";

const rowHeight = 21;
const least = 3;
const letterWidth = 6.6;
const padding = 5;
const svgNamespace = "http://www.w3.org/2000/svg";
const roles = { own: "own code", library: "library", runtime: "runtime" };

function svg(name, attributes) {
  const node = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

function signed(count) {
  if (count > 0) return `+${bytes(count)}`;
  return count < 0 ? `−${bytes(-count)}` : bytes(0);
}

function percent(share) {
  if (!Number.isFinite(share)) return "–";
  return share < 0.0995 ? `${(share * 100).toFixed(1)} %` : `${Math.round(share * 100)} %`;
}

/** The end of a name says more than its module: what stands in front goes first. */
function fitted(name, letters) {
  let rest = name;
  while (rest.length > letters && /^\w+\.\w/u.test(rest)) rest = rest.slice(rest.indexOf(".") + 1);
  return rest.length > letters ? `${rest.slice(0, letters - 1)}…` : rest;
}

export class FlameGraph {
  constructor(figure, root) {
    this.root = root;
    this.focus = root;
    this.current = root;
    this.plot = figure.querySelector("#flame-plot");
    this.readout = figure.querySelector("#flame-readout");
    this.note = figure.querySelector("#flame-note");
    this.back = figure.querySelector("#flame-back");
    this.groups = new Map();
    figure.querySelector("#flame-heat").hidden = root.growth === null;
    this.back.addEventListener("click", () => this.zoom(this.root));
    this.plot.addEventListener("click", (event) => this.onNode(event, (node) => this.zoom(node)));
    this.plot.addEventListener("pointerover", (event) => this.onNode(event, (node) => this.tell(node)));
    this.plot.addEventListener("pointerleave", () => this.tell(this.current));
    this.plot.addEventListener("focusin", (event) => this.onNode(event, (node) => this.select(node)));
    this.plot.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.plot.parentElement);
  }

  /** What widths stand for: "growth" or "live". */
  show(what) {
    this.what = what;
    this.value = what === "growth" ? (node) => node.grown : (node) => node.bytes;
    this.focus = this.root;
    this.current = this.root;
    this.draw();
    this.tell(this.root);
  }

  zoom(node) {
    // Into what has no width there is nothing to see.
    if (this.value(node) <= 0) return;
    const hadFocus = this.plot.contains(document.activeElement);
    this.focus = node;
    this.current = node;
    this.draw();
    this.tell(node);
    if (hadFocus) this.groups.get(node)?.focus();
  }

  draw() {
    if (!this.value) return;
    const width = this.plot.parentElement.clientWidth;
    if (width === 0) return;
    const boxes = layout(this.focus, this.value, width, least);
    const rows = boxes.reduce((most, { node }) => Math.max(most, node.depth + 1), 1);
    this.plot.setAttribute("width", width);
    this.plot.setAttribute("height", rows * rowHeight);
    this.groups = new Map(boxes.map((box) => [box.node, this.box(box)]));
    this.plot.replaceChildren(...this.groups.values());
    this.back.disabled = this.focus === this.root;
    if (!this.groups.has(this.current)) this.current = this.focus;
    this.groups.get(this.current)?.setAttribute("tabindex", "0");
    this.note.textContent = this.explanation();
  }

  box({ node, x, width, isAbove }) {
    const group = svg("g", {
      class: "call-box",
      role: "button",
      tabindex: "-1",
      transform: `translate(${x.toFixed(2)} ${node.depth * rowHeight})`,
      "data-role": node.role,
      "data-heat": heat(node) ?? "none",
      "aria-label": this.words(node),
    });
    if (isAbove) group.dataset.above = "";
    group.append(svg("rect", { width: Math.max(1, width - 1).toFixed(2), height: rowHeight - 1, rx: 2 }));
    const letters = Math.floor((width - 2 * padding) / letterWidth);
    if (letters >= 3) {
      const text = svg("text", { x: padding, y: rowHeight - 7 });
      text.textContent = fitted(shortName(node.function), letters);
      group.append(text);
    }
    group.node = node;
    return group;
  }

  onNode(event, act) {
    const group = event.target.closest?.(".call-box");
    if (group) act(group.node);
  }

  select(node) {
    if (this.current !== node) {
      this.groups.get(this.current)?.setAttribute("tabindex", "-1");
      this.groups.get(node)?.setAttribute("tabindex", "0");
      this.current = node;
    }
    this.tell(node);
  }

  key(event) {
    const node = this.current;
    const siblings = node.parent?.children.filter((one) => this.groups.has(one)) ?? [];
    const widest = node.children.filter((one) => this.groups.has(one)).sort((a, b) => this.value(b) - this.value(a))[0];
    const targets = {
      ArrowUp: node.parent,
      ArrowDown: widest,
      ArrowLeft: siblings[siblings.indexOf(node) - 1],
      ArrowRight: siblings[siblings.indexOf(node) + 1],
      Home: this.root,
    };
    if (event.key in targets) {
      event.preventDefault();
      this.groups.get(targets[event.key])?.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.zoom(node);
    } else if (event.key === "Escape") {
      this.zoom(this.focus.parent ?? this.root);
    }
  }

  tell(node) {
    const name = document.createElement("b");
    name.textContent = node.function;
    const rest = [node.place, ...this.figures(node)].filter(Boolean).join(" · ");
    this.readout.replaceChildren(name, ` ${rest}`);
  }

  figures(node) {
    const share = node.parent ? `, ${percent(node.bytes / this.root.bytes)} of all` : "";
    const parts = [`${bytes(node.bytes)} alive${share}`];
    if (node.growth !== null) parts.push(`${signed(node.growth)} grown`);
    if (this.what === "growth" && node.parent && this.root.grown > 0) {
      parts.push(`${percent(node.grown / this.root.grown)} of what came`);
    }
    if (node.parent) parts.push(roles[node.role] ?? node.role);
    return parts;
  }

  words(node) {
    return [shortName(node.function), node.place, ...this.figures(node)].filter(Boolean).join(", ");
  }

  explanation() {
    if (this.what !== "growth") return "";
    if (this.root.grown <= 0) return "Nothing grew since then: see what lives now.";
    const went = this.root.grown - this.root.growth;
    const gone = went > this.root.grown * 0.005 ? `, ${bytes(went)} went elsewhere and are not drawn` : "";
    return `Widths are what came: ${bytes(this.root.grown)} in all${gone}. All of it estimated from samples.`;
  }
}
