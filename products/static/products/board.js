/**
 * The availability board, live. Cards keep their places: who reads from afar finds them again.
 */

import { on, subscribe } from "../realtime/client.js";
import { writeField } from "../realtime/fields.js";
import { removeNode } from "../realtime/live-list.js";
import { findObjects, makeNode, patchNode } from "../realtime/patch.js";
import { addChange, showChangesOf } from "./board-changes.js";
import { hearProducts } from "./hearing.js";
import { Scarcest } from "./scarcest.js";
import { idsIn } from "./shown.js";

/** @typedef {import("./query.js").Product} Product */

const board = /** @type {HTMLElement} */ (document.getElementById("board"));
const nothing = /** @type {HTMLElement} */ (document.getElementById("nothing"));
/** What only its seller and staff hear of: the board is the same for everybody. */
const offSale = new Set(JSON.parse(document.getElementById("off-sale")?.textContent ?? "[]"));
/** All that the board was chosen from. @type {(import("./scarcest.js").Place & {stockChangedAt: string})[]} */
const lookedAt = JSON.parse(document.getElementById("looked-at")?.textContent ?? "[]");
const scarcest = new Scarcest(lookedAt);
/**
 * When each stock changed last, with its stockVersion, as far as this page has heard: only
 * availability-updated and products-imported say it, and cards come and change for other reasons.
 * @type {Map<number, [number, string]>}
 */
const stockChanges = new Map();
for (const product of lookedAt) remember(product, product.stockChangedAt);

/**
 * As products/availability/board.py says.
 * @param {Product} product, or only its availability
 */
function isOnBoard({ id, kind, level }) {
  return scarcest.has(id) && (kind === "tour" || level !== "ok");
}

/**
 * Choose anew from what is on sale. What is pushed out leaves the board.
 * @param {Product[]} products of which there is news
 */
function choose(products) {
  for (const product of products) {
    if (product.isActive ?? true) scarcest.put(product);
    else scarcest.delete(product.id);
  }
  const beyond = scarcest.trim();
  const shown = beyond.length > 0 ? idsIn(board) : new Set();
  for (const id of beyond) if (shown.has(id)) remove(id);
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

/** @param {Product[]} products that are new, that changed, or that came back on sale */
function follow(products) {
  for (const { id, isActive } of products) {
    if (isActive) offSale.delete(id);
    else offSale.add(id);
    showChangesOf(id, isActive);
  }
  choose(products);
  const shown = idsIn(board);
  for (const product of products) {
    if (shown.has(product.id) || isOnBoard(product)) show(product);
    // What is off sale may come back; of what is not scarce enough, its next change will tell.
    else if (product.isActive && !scarcest.has(product.id)) stockChanges.delete(product.id);
  }
}

// Before the products themselves, which are shown with it.
on("products-imported", ({ data: { products, stockChangedAt } }) => {
  products.forEach((/** @type {Product} */ product, /** @type {number} */ place) => {
    remember(product, stockChangedAt[place]);
  });
});
hearProducts({
  created: (product) => {
    // One that came back has the stock that it had.
    if (product.version === 1) remember(product, product.createdAt);
    follow([product]);
  },
  updated: (product) => follow([product]),
  deleted: (id) => {
    scarcest.delete(id);
    showChangesOf(id, false);
    remove(id);
  },
  restocked: (product, event) => {
    remember(product, event.timestamp);
    if (offSale.has(product.id)) return;
    addChange(event);
    choose([product]);
    show(product);
  },
  imported: follow,
});
on("subscribed", ({ data }) => {
  if (data.channel !== "availability") return;
  const products = data.state.products.map((/** @type {Product} */ product) => ({
    ...product,
    id: product.productId,
  }));
  choose(products);
  for (const product of products) show(product);
});
subscribe("availability");
subscribe("catalogue");
