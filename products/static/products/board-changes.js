/**
 * The last changes beside the availability board, the newest first: products/availability/board.py
 * reads the same out of the log.
 */

import { LiveList } from "../realtime/live-list.js";
import { makeNode } from "../realtime/patch.js";

/** @typedef {import("./query.js").Product} Product */

/** As products/availability/board.py says. */
const MOST = 10;

const list = /** @type {HTMLElement} */ (document.getElementById("changes"));
const nothing = /** @type {HTMLElement} */ (document.getElementById("no-changes"));
const rows = new LiveList(list, {
  pillText: (count) => interpolate(ngettext("%s change", "%s changes", count), [count]),
  onShown: trim,
});

/**
 * Show a change, unless the page was rendered with it: events begin before what was read.
 * @param {{id: number, timestamp: string, data: Product}} event
 */
export function addChange({ id, timestamp, data }) {
  const newest = list.firstElementChild;
  if (newest instanceof HTMLElement && Number(newest.dataset.id) >= id) return;
  const node = makeNode("board-change", { ...data, id, at: timestamp });
  node.dataset.productId = String(data.productId);
  node.dataset.kind = data.kind;
  nothing.hidden = true;
  rows.add(node);
  trim();
}

/**
 * What is off sale has no page that everybody may see.
 * @param {number} productId
 * @param {boolean} isOnSale
 */
export function linkChanges(productId, isOnSale) {
  for (const row of list.querySelectorAll(`[data-product-id="${CSS.escape(String(productId))}"]`)) {
    const link = /** @type {HTMLAnchorElement} */ (row.querySelector("a"));
    if (isOnSale) link.href = `/products/${productId}`;
    else link.removeAttribute("href");
  }
}

/** Keep ten in view, and as many that wait. */
function trim() {
  for (const state of [":not([hidden])", "[hidden]"]) {
    for (const row of [...list.querySelectorAll(`:scope > ${state}`)].slice(MOST)) row.remove();
  }
}
