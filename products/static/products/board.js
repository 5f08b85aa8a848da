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
 * @param {string | null} changedAt when its stock changed, where that is the news
 */
function show(payload, changedAt = null) {
  const nodes = findObjects("product", payload.id, board).filter((node) => !("gone" in node.dataset));
  if (nodes.length === 0 && isOnBoard(payload)) add(payload, changedAt);
  for (const node of nodes) {
    if (!patchNode(node, payload)) continue;
    node.dataset.kind = payload.kind;
    if (changedAt !== null) writeChange(node, changedAt);
    if (!isOnBoard(payload)) remove(payload.id);
  }
}

/**
 * @param {Product} payload
 * @param {string | null} changedAt
 */
function add(payload, changedAt) {
  const node = makeNode("board-card", payload);
  node.dataset.kind = payload.kind;
  writeChange(node, changedAt);
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
 * @param {HTMLElement} node
 * @param {string | null} stockChangedAt null where nothing says when it was
 */
function writeChange(node, stockChangedAt) {
  const time = /** @type {HTMLElement} */ (node.querySelector("[data-field=stockChangedAt]"));
  writeField(time, { stockChangedAt });
}

/**
 * @param {Product} product that is new, that changed, or that came back on sale
 * @param {string | null} [changedAt]
 */
function follow(product, changedAt = null) {
  if (product.isActive) offSale.delete(product.id);
  else offSale.add(product.id);
  showChangesOf(product.id, product.isActive);
  show(product, changedAt);
}

on("product-created", ({ data: { product } }) => {
  // One that came back has the stock that it had.
  follow(product, product.version === 1 ? product.createdAt : null);
});
on("product-updated", ({ data }) => follow(data.product));
on("product-deleted", ({ data }) => {
  showChangesOf(data.productId, false);
  remove(data.productId);
});
on("availability-updated", (event) => {
  if (offSale.has(event.data.productId)) return;
  addChange(event);
  show(ofProduct(event), event.timestamp);
});
on("subscribed", ({ data }) => {
  if (data.channel !== "availability") return;
  for (const product of data.state.products) show({ ...product, id: product.productId });
});
subscribe("availability");
subscribe("catalogue");
