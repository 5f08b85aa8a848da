/**
 * What a page can name of products: events about suggestions say which one by its id alone. Whoever
 * may not know of a product does not hear of it either, so what is heard may be shown.
 */

import { hearProducts } from "../products/hearing.js";
import { showText } from "../realtime/patch.js";

/** @typedef {{title: string, sellerId: number}} Name */

/** @type {Map<number, Name>} */
const names = readNames();

hearProducts({
  created: (product) => rename([product]),
  updated: (product) => rename([product]),
  // Off sale is told as a deletion, then, to those who still see it, as the change that it was.
  deleted: (id) => {
    names.delete(id);
    showNames(new Set([id]));
  },
  imported: rename,
});

/**
 * @param {number | null} productId null: the shop as a whole
 * @returns {boolean} whether a suggestion about it can be shown as the server would show it
 */
export function canName(productId) {
  return productId === null || names.has(productId);
}

/**
 * Whether the reader may answer what is said about a product.
 * @param {number | null} productId
 */
export function mayAnswer(productId) {
  const { staff, userId } = document.body.dataset;
  const sellerId = productId === null ? null : names.get(productId)?.sellerId;
  return staff !== undefined || sellerId === Number(userId);
}

/**
 * Say in a suggestion's node what it is about.
 * @param {HTMLElement} node
 */
export function showAbout(node) {
  const { productId } = node.dataset;
  const name = names.get(Number(productId));
  const about = !productId ? "shop" : name ? "product" : "gone";
  for (const element of node.querySelectorAll("[data-about]")) {
    const part = /** @type {HTMLElement} */ (element);
    part.hidden = part.dataset.about !== about;
    if (part instanceof HTMLAnchorElement && name) {
      showText(part, name.title);
      part.href = `/products/${productId}`;
    }
  }
}

/** @param {(Name & {id: number})[]} products */
function rename(products) {
  for (const { id, title, sellerId } of products) names.set(id, { title, sellerId });
  showNames(new Set(products.map(({ id }) => id)));
}

/**
 * Show what is known of these products now wherever the page names one of them.
 * @param {Set<number>} productIds
 */
function showNames(productIds) {
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-names]"))) {
    const id = Number(element.dataset.names);
    const name = productIds.has(id) ? names.get(id) : undefined;
    if (name) showText(element, name.title);
  }
  for (const node of document.querySelectorAll("[data-object=suggestion][data-product-id]")) {
    const suggestion = /** @type {HTMLElement} */ (node);
    if (productIds.has(Number(suggestion.dataset.productId))) showAbout(suggestion);
  }
}

/** @returns {Map<number, Name>} what the server put into the page */
function readNames() {
  const script = document.getElementById("named-products");
  const entries = Object.entries(JSON.parse(script?.textContent ?? "{}"));
  return new Map(entries.map(([id, name]) => [Number(id), name]));
}
