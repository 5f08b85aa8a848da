/**
 * The page of one product, live: what changes is shown, and when it goes off sale it says so.
 */

import { on, subscribe } from "../realtime/client.js";
import { ofProduct, readProduct, updateNode } from "./shown.js";

/** @typedef {import("./query.js").Product} Product */

const page = /** @type {HTMLElement} */ (document.getElementById("product"));
const id = Number(page.dataset.id);
const channel = `product.${id}`;
const isOwn = "own" in page.dataset;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

let isGone = false;
/** @type {() => void} */
let leaveChannel = () => {};

/**
 * Show what an event or an answer says of the product.
 * @param {Product} payload
 */
export function show(payload) {
  updateNode(page, payload);
  // Off sale is told as a deletion, then, to those who still see it, as the change that it was.
  if ("version" in payload) isGone = !isVisible(readProduct(page));
  showState();
  page.dispatchEvent(new CustomEvent("shown"));
}

/** @param {Product} product */
function isVisible(product) {
  return product.isActive || isOwn;
}

function leave() {
  isGone = true;
  // Asked for again, it would be refused, and with it the whole stream.
  if (!isOwn) leaveChannel();
  showState();
}

/** @param {Product} product */
function comeBack(product) {
  if (isGone && !isOwn) leaveChannel = subscribe(channel);
  show(product);
}

function showState() {
  const product = readProduct(page);
  const startsIn = startTime(product) - Date.now();
  const isForSale = !isGone && product.isActive && product.stock > 0 && startsIn > 0;
  page.toggleAttribute("data-off-sale", isGone);
  setHidden("gone", !isGone);
  setHidden("off-sale", isGone || product.isActive);
  setHidden("begun", startsIn > 0);
  for (const button of page.querySelectorAll("#edit-sale button")) {
    const offers = /** @type {HTMLButtonElement} */ (button).value === "true";
    /** @type {HTMLElement} */ (button).hidden = offers === product.isActive;
  }
  for (const field of page.querySelectorAll("#order :is(input, button)")) {
    /** @type {HTMLInputElement} */ (field).disabled = !isForSale;
    if (field.matches("input")) field.setAttribute("max", String(product.stock));
  }
}

/**
 * @param {string} elementId
 * @param {boolean} isHidden
 */
function setHidden(elementId, isHidden) {
  const element = document.getElementById(elementId);
  if (element !== null) element.hidden = isHidden;
}

/** @param {Product} product */
function startTime({ kind, startsAt }) {
  return kind === "tour" && startsAt ? Date.parse(startsAt) : Infinity;
}

/** A tour cannot be booked from the moment on at which it begins. */
function waitForStart() {
  const startsIn = startTime(readProduct(page)) - Date.now();
  if (startsIn > 0 && startsIn < LONGEST_TIMER_MS) setTimeout(showState, startsIn + 100);
}

on("product-updated", ({ data }) => data.product.id === id && show(data.product));
on("product-created", ({ data }) => data.product.id === id && comeBack(data.product));
on("product-deleted", ({ data }) => data.productId === id && leave());
on("availability-updated", (event) => event.data.productId === id && show(ofProduct(event)));
on("products-imported", ({ data }) => {
  const product = data.products.find((/** @type {Product} */ each) => each.id === id);
  if (product !== undefined) comeBack(product);
});
on("refused", ({ data }) => data.channel === channel && leave());
on("subscribed", ({ data }) => {
  if (data.channel !== channel) return;
  if (data.state === null) leave();
  else show(data.state);
});
leaveChannel = subscribe(channel);
// Coming back on sale is told to the catalogue.
subscribe("catalogue");
waitForStart();
