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
  rows.add(node);
  trim();
}

/**
 * What is off sale is shown by no list, but counts among the last ten: back on sale, it is shown
 * again. What was off sale when the page was loaded has no words here, and waits for the next load.
 * @param {number} productId
 * @param {boolean} isOnSale
 */
export function showChangesOf(productId, isOnSale) {
  for (const row of /** @type {HTMLElement[]} */ ([...list.children])) {
    if (Number(row.dataset.productId) !== productId) continue;
    row.toggleAttribute("data-withdrawn", !isOnSale || row.childElementCount === 0);
  }
  showWhetherEmpty();
}

function showWhetherEmpty() {
  nothing.hidden = list.querySelector(":scope > :not([hidden], [data-withdrawn])") !== null;
}

/** Keep ten in view, and as many that wait. */
function trim() {
  for (const state of [":not([hidden])", "[hidden]"]) {
    for (const row of [...list.querySelectorAll(`:scope > ${state}`)].slice(MOST)) row.remove();
  }
  showWhetherEmpty();
}
