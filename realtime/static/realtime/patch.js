/**
 * How a page patches itself from the payload of an event, without asking the server again.
 *
 * The server renders `<li data-object="product" data-id="7" data-version="3" data-stock-version="9">`
 * with `[data-field="price"]` and the like inside (fields.js), and a `<template id="…">` from the
 * same partial for what is new.
 *
 *     on("product-updated", (event) => patchObject("product", event.data.product));
 *     on("availability-updated", (event) =>
 *       patchObject("product", { ...event.data, id: event.data.productId }));
 */

import { writeField } from "./fields.js";
import { writeTimes } from "./format.js";

/** @typedef {import("./fields.js").Payload} Payload */

/** What moves with stockVersion; everything else moves with version. */
const STOCK_FIELDS = new Set(["stock", "level", "stockVersion"]);

/**
 * Show the payload in every node of this object that is older. What changed gets a tint.
 * @param {string} kind of data-object
 * @param {Payload} payload with `id`, and `version` or `stockVersion` or both
 * @param {ParentNode} [root]
 * @returns {HTMLElement[]} the nodes that took it
 */
export function patchObject(kind, payload, root = document) {
  return findObjects(kind, payload.id, root).filter((node) => patchNode(node, payload));
}

/**
 * @param {string} kind
 * @param {number | string} id
 * @param {ParentNode} [root]
 * @returns {HTMLElement[]}
 */
export function findObjects(kind, id, root = document) {
  const selector = `[data-object="${CSS.escape(kind)}"][data-id="${CSS.escape(String(id))}"]`;
  return [.../** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(selector))];
}

/**
 * Show the payload in one node, as far as it is newer than what the node shows.
 * @param {HTMLElement} node
 * @param {Payload} payload
 * @returns {boolean} whether any of it was newer
 */
export function patchNode(node, payload) {
  const news = whatIsNewer(node.dataset, payload);
  if (!news.fields && !news.stock) return false;
  if (news.fields) node.dataset.version = String(payload.version);
  if (news.stock) node.dataset.stockVersion = String(payload.stockVersion);
  for (const element of fieldsOf(node)) {
    const ofStock = STOCK_FIELDS.has(element.dataset.field ?? "");
    if ((ofStock ? news.stock : news.fields) && writeField(element, payload)) markChanged(element);
  }
  return true;
}

/**
 * Which parts of a payload are newer than what a node shows. The level moves with the threshold as
 * well: a newer version brings the stock of its moment along.
 * @param {{version?: string, stockVersion?: string}} shown
 * @param {Payload} payload
 * @returns {{fields: boolean, stock: boolean}}
 */
export function whatIsNewer(shown, { version, stockVersion }) {
  const fields = version !== undefined && version > Number(shown.version ?? 0);
  const age = stockVersion === undefined ? -1 : stockVersion - Number(shown.stockVersion ?? 0);
  return { fields, stock: age > 0 || (fields && age === 0) };
}

/**
 * Make a node for an object that the page does not show yet.
 * @param {string} templateId of a <template> with one element, rendered from the same partial
 * @param {Payload} payload
 * @returns {HTMLElement}
 */
export function makeNode(templateId, payload) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(templateId));
  const copy = template.content.firstElementChild?.cloneNode(true);
  const node = /** @type {HTMLElement} */ (copy);
  node.dataset.id = String(payload.id);
  if (payload.version !== undefined) node.dataset.version = String(payload.version);
  if (payload.stockVersion !== undefined) {
    node.dataset.stockVersion = String(payload.stockVersion);
  }
  for (const element of fieldsOf(node)) writeField(element, payload);
  writeTimes(node);
  return node;
}

/**
 * The fields of a node itself, not those of another object inside it.
 * @param {HTMLElement} node
 * @returns {HTMLElement[]}
 */
function fieldsOf(node) {
  const inside = /** @type {NodeListOf<HTMLElement>} */ (node.querySelectorAll("[data-field]"));
  const own = [...inside].filter((element) => element.closest("[data-object]") === node);
  return node.matches("[data-field]") ? [node, ...own] : own;
}

/**
 * Show a value that is no field of an object: a figure of the page.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function showText(element, text) {
  if (element.textContent === text) return;
  element.textContent = text;
  markChanged(element);
}

/**
 * Give a changed value the tint that fades.
 * @param {HTMLElement} element
 */
export function markChanged(element) {
  // A bar says what the badge beside it says; an input can carry no tint of its own.
  if (element.matches("svg, img")) return;
  const target = element.matches("input, select") ? element.parentElement : element;
  if (target === null) return;
  target.removeAttribute("data-changed");
  // Reading the layout in between makes the animation start anew.
  void target.offsetWidth;
  target.setAttribute("data-changed", "");
  target.addEventListener("animationend", forgetChange);
}

/** @param {AnimationEvent} event */
function forgetChange({ animationName, currentTarget }) {
  if (animationName !== "fade-tint") return;
  const element = /** @type {HTMLElement} */ (currentTarget);
  element.removeAttribute("data-changed");
  element.removeEventListener("animationend", forgetChange);
}
