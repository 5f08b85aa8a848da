/**
 * The availability board, live. Cards keep their places: who reads from afar finds them again.
 */

import { on, subscribe } from "../realtime/client.js";
import { writeField } from "../realtime/fields.js";
import { removeNode } from "../realtime/live-list.js";
import { findObjects, makeNode, patchNode } from "../realtime/patch.js";
import { addChange, showChangesOf } from "./board-changes.js";
import { ofProduct } from "./shown.js";

/** @typedef {import("./query.js").Product} Product */

const board = /** @type {HTMLElement} */ (document.getElementById("board"));
const nothing = /** @type {HTMLElement} */ (document.getElementById("nothing"));
/** What only its seller and staff hear of: the board is the same for everybody. */
const offSale = new Set(JSON.parse(document.getElementById("off-sale")?.textContent ?? "[]"));
/**
 * When each stock changed last, with its stockVersion, as far as this page has heard: only
 * availability-updated says it, and cards come and change for other reasons.
 * @type {Map<number, [number, string]>}
 */
const stockChanges = new Map();
const changesRead = JSON.parse(document.getElementById("stock-changes")?.textContent ?? "{}");
for (const [id, change] of Object.entries(changesRead)) stockChanges.set(Number(id), change);

/**
 * As products/availability/board.py says.
 * @param {Product} product, or only its availability
 */
function isOnBoard({ kind, level, stock, isActive = true }) {
  const { bound } = board.dataset;
  const isScarce = bound === undefined || stock <= Number(bound);
  return isActive && isScarce && (kind === "tour" || level !== "ok");
}

/**
 * Show what is newer of a product.
 * @param {Product} payload
 */
function show(payload) {
  const nodes = findObjects("product", payload.id, board).filter((node) => !("gone" in node.dataset));
  if (nodes.length === 0 && isOnBoard(payload)) add(payload);
  for (const node of nodes) {
    const isNews = patchNode(node, payload);
    // Also where nothing is newer: product-updated may have brought the stock already, but no time.
    writeChange(node);
    if (!isNews) continue;
    node.dataset.kind = payload.kind;
    if (!isOnBoard(payload)) remove(payload.id);
  }
}

/** @param {Product} payload */
function add(payload) {
  const node = makeNode("board-card", { ...payload, stockChangedAt: null });
  node.dataset.kind = payload.kind;
  writeChange(node);
  board.append(node);
  nothing.hidden = true;
}

/** @param {number} id */
function remove(id) {
  for (const node of findObjects("product", id, board)) {
    removeNode(node, () => {
      nothing.hidden = board.childElementCount > 0;
    });
  }
}

/**
 * Say when the stock that a card shows changed, as far as that is known.
 * @param {HTMLElement} node
 */
function writeChange(node) {
  const [version, stockChangedAt] = stockChanges.get(Number(node.dataset.id)) ?? [];
  if (version !== Number(node.dataset.stockVersion)) return;
  const time = /** @type {HTMLElement} */ (node.querySelector("[data-field=stockChangedAt]"));
  writeField(time, { stockChangedAt });
}

/**
 * @param {Product} product
 * @param {string} at when its stock came to be as it is
 */
function remember({ id, stockVersion }, at) {
  const [known = 0] = stockChanges.get(id) ?? [];
  if (stockVersion > known) stockChanges.set(id, [stockVersion, at]);
}

/** @param {Product} product that is new, that changed, or that came back on sale */
function follow(product) {
  if (product.isActive) offSale.delete(product.id);
  else offSale.add(product.id);
  showChangesOf(product.id, product.isActive);
  show(product);
}

on("product-created", ({ data: { product } }) => {
  // One that came back has the stock that it had.
  if (product.version === 1) remember(product, product.createdAt);
  follow(product);
});
on("product-updated", ({ data }) => follow(data.product));
on("product-deleted", ({ data }) => {
  showChangesOf(data.productId, false);
  remove(data.productId);
});
on("availability-updated", (event) => {
  const product = ofProduct(event);
  remember(product, event.timestamp);
  if (offSale.has(product.id)) return;
  addChange(event);
  show(product);
});
on("subscribed", ({ data }) => {
  if (data.channel !== "availability") return;
  for (const product of data.state.products) show({ ...product, id: product.productId });
});
subscribe("availability");
subscribe("catalogue");
