// The tree of calls, read from the table that the server rendered. Pure: nothing is drawn here.

/** The root of the tree; null when the table is empty. */
export function readCalls(table) {
  const nodes = [];
  for (const row of table.tBodies[0].rows) {
    const { role, bytes, own, growth, parent } = row.dataset;
    const node = {
      function: row.querySelector("[data-field=function]").textContent,
      place: row.querySelector("[data-field=place]")?.textContent ?? "",
      role,
      bytes: Number(bytes),
      own: Number(own),
      growth: growth === undefined ? null : Number(growth),
      parent: parent === undefined ? null : nodes[Number(parent)],
      children: [],
    };
    node.depth = node.parent ? node.parent.depth + 1 : 0;
    node.parent?.children.push(node);
    nodes.push(node);
  }
  // Callees come after their callers in the table.
  for (const node of nodes.reverse()) node.grown = grown(node);
  return nodes.at(-1) ?? null;
}

/**
 * What came here and below, without what went elsewhere: widths cannot be negative, and what shrank in one branch must not
 * hide what grew in another.
 */
function grown(node) {
  if (node.growth === null) return 0;
  const below = node.children.reduce((sum, child) => sum + child.growth, 0);
  return Math.max(0, node.growth - below) + node.children.reduce((sum, child) => sum + child.grown, 0);
}

/** How much of what lives is new, 0 to 4; null when nothing is compared. */
export function heat(node) {
  if (node.growth === null) return null;
  if (node.growth <= 0 || node.bytes <= 0) return 0;
  return Math.min(4, 1 + Math.floor((node.growth / node.bytes) * 3.999));
}

/** A long demangled name without arguments, generic ones and results: what a narrow box can show. */
export function shortName(name) {
  let text = "";
  let depth = 0;
  // Pieces of asynchronous functions and thunks are known by the function that they belong to.
  const whole = name.replace(/^(?:\(\d+\) )?(?:(?:suspend|await) resume partial function for|partial apply (?:forwarder )?for|merged) /u, "");
  const arrows = whole.replace(/ -> /gu, " \u2192 ");
  for (const letter of arrows.replace(/^(?:generic |function signature )?specialization <.*?> of /u, "")) {
    if (letter === "<" || letter === "(") depth += 1;
    if (depth === 0) text += letter;
    if (letter === ">" || letter === ")") depth = Math.max(0, depth - 1);
  }
  // Results end where the function begins that a closure is in.
  const plain = text.replace(/ \u2192.*?(?= in |$)/gu, "").replace(/ (?:async|throws|sending|@Sendable)(?= |$)/gu, "");
  return plain.replace(/\s+/gu, " ").trim() || name;
}

/**
 * Boxes for the tree under `focus`: its callers above it at full width, then what it calls, each as wide as its share.
 * Nodes narrower than `least` pixels are left out with all they call.
 */
export function layout(focus, value, width, least) {
  const boxes = [];
  for (let node = focus.parent; node; node = node.parent) {
    boxes.unshift({ node, x: 0, width, isAbove: true });
  }
  const whole = value(focus);
  if (whole <= 0) return boxes;
  const waiting = [{ node: focus, x: 0, width }];
  while (waiting.length > 0) {
    const box = waiting.pop();
    boxes.push(box);
    let x = box.x;
    const children = [];
    for (const node of box.node.children) {
      const share = (value(node) / whole) * width;
      if (share >= least) children.push({ node, x, width: share });
      x += share;
    }
    waiting.push(...children.reverse());
  }
  return boxes;
}
