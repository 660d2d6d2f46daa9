// Who holds what leaks, as steps from the root to the leaked type: the same as ChainSteps.swift draws on the server.

import { bytes } from "./amounts.js";

const shown = 2;

function element(name, text, className) {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.textContent = text;
  return node;
}

function steps(path) {
  const list = element("ol", "", "chain");
  list.setAttribute("aria-label", "Who holds it, from the root");
  list.append(...path.map((step) => element("li", step)));
  return list;
}

function cacheWords(cache) {
  if (!cache) return undefined;
  const text = `held by cache \`${cache.name}\``;
  if (!cache.bound_bytes) return text;
  if (cache.held_bytes === undefined) return `${text}, which may hold ${bytes(cache.bound_bytes)}`;
  return `${text}, ${Math.round((100 * cache.held_bytes) / cache.bound_bytes)} % of its ${bytes(cache.bound_bytes)}`;
}

function link(service, worker) {
  const line = element("p", "", "leak-site");
  const anchor = element("a", "Look into its heap");
  anchor.href = heapAddress(service, worker);
  line.append(anchor);
  return line;
}

export const heapAddress = (service, worker) => `/heap?service=${encodeURIComponent(service)}&worker=${worker}`;

/** Fills `node` with the chains of findings; what is there already stays. With `of`, an event, a link to the heap too. */
export function showChains(node, findings, of) {
  const held = (findings ?? []).slice(0, shown).filter((finding) => finding.chain.length > 0);
  const key = JSON.stringify(held.map((finding) => [finding.type, finding.site, finding.chain, finding.cache]));
  if (node.dataset.shown === key) return;
  node.dataset.shown = key;
  const more = of?.service && of.worker !== undefined && findings?.length > 0 ? [link(of.service, of.worker)] : [];
  node.replaceChildren(
    ...held.flatMap((finding) => {
      const line = element("p", `${finding.type ?? "What leaks"} from `, "leak-site");
      line.append(element("span", finding.site, "place"), `, ${cacheWords(finding.cache) ?? "held by"}`);
      return [line, steps(finding.chain)];
    }),
    ...more,
  );
}
