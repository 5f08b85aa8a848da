/**
 * The products that a page shows. Beside its fields each node has data-product: what is known of
 * the product, in the form of its events.
 */

import { makeNode, patchNode, whatIsNewer } from "../realtime/patch.js";

/** @typedef {import("./query.js").Product} Product */

/** What moves with stockVersion; everything else moves with version. */
const OF_STOCK = new Set(["stock", "stockVersion", "level"]);

/**
 * @param {HTMLElement} node
 * @returns {Product}
 */
export function readProduct(node) {
  return JSON.parse(node.dataset.product ?? "{}");
}

/**
 * Show what an event says of a product in a node of it, as far as it is newer.
 * @param {HTMLElement} node
 * @param {Product} payload
 * @returns {Product | null} what is known now; null where nothing was newer
 */
export function updateNode(node, payload) {
  const known = withNews(readProduct(node), payload);
  if (!patchNode(node, payload)) return null;
  node.dataset.product = JSON.stringify(known);
  return known;
}

/**
 * @param {string} templateId of a <template> with a blank product
 * @param {Product} product
 * @returns {HTMLElement}
 */
export function makeProductNode(templateId, product) {
  const node = makeNode(templateId, product);
  const { description, ...known } = product;
  node.dataset.product = JSON.stringify(known);
  return node;
}

/**
 * The ids of the products that a list shows: to look many up one by one would take long.
 * @param {HTMLElement} list whose children are the products
 * @returns {Set<number>}
 */
export function idsIn(list) {
  const rows = /** @type {HTMLElement[]} */ ([...list.children]);
  return new Set(rows.map((row) => Number(row.dataset.id)));
}

/**
 * What is known of a product after an event, which may tell only its stock.
 * @param {Product} known
 * @param {Product} payload
 * @returns {Product}
 */
export function withNews(known, payload) {
  const news = whatIsNewer(known, payload);
  const isNews = (/** @type {string} */ name) =>
    name in payload && (OF_STOCK.has(name) ? news.stock : news.fields);
  return Object.fromEntries(
    Object.entries(known).map(([name, value]) => [name, isNews(name) ? payload[name] : value]),
  );
}

/**
 * The payload of an availability event, as one of a product.
 * @param {{data: Product}} event
 * @returns {Product}
 */
export function ofProduct({ data }) {
  return { ...data, id: data.productId };
}
