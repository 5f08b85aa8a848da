/** The page of one order, live: its state, its timeline, and what can be done next. */

import { on, subscribe } from "../realtime/client.js";
import { writeTime } from "../realtime/format.js";
import { markChanged } from "../realtime/patch.js";
import { showWhoLooks } from "./looking.js";
import { updateNode } from "./shown.js";
import { takeSteps } from "./steps.js";

/** @typedef {import("./shown.js").Order} Order */

/** The way of an order that nobody cancels. */
const WAY = ["pending", "confirmed", "shipped", "delivered"];

const page = /** @type {HTMLElement} */ (document.getElementById("order"));
const timeline = /** @type {HTMLElement} */ (document.getElementById("timeline"));
const { id = "" } = page.dataset;
const channel = `order.${id}`;

/** @param {Order} order */
function show(order) {
  if (String(order.id) !== id || !updateNode(page, order)) return;
  showTimeline(order);
  const address = order.shippingAddress;
  setHidden("[data-address]", address === null);
  setHidden("[data-no-address]", address !== null);
  setHidden(".order-note", order.note === "");
}

/** @param {Order} order */
function showTimeline(order) {
  const passed = timeline.querySelectorAll(":scope > :not([data-state=ahead])").length;
  const ahead = order.status === "cancelled" ? [] : WAY.slice(WAY.indexOf(order.status) + 1);
  timeline.replaceChildren(
    ...order.history.map((/** @type {any} */ step) => makeMilestone(step.to, step, order)),
    ...ahead.map((status) => makeMilestone(status, null, order)),
  );
  for (const news of [...timeline.children].slice(passed, order.history.length)) {
    markChanged(/** @type {HTMLElement} */ (news));
  }
}

/**
 * @param {string} status
 * @param {any} step of the history; null while it lies ahead
 * @param {Order} order
 */
function makeMilestone(status, step, order) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("milestones"));
  const model = template.content.querySelector(`[data-milestone="${CSS.escape(status)}"]`);
  const node = /** @type {HTMLElement} */ (model?.cloneNode(true));
  if (step === null) return node;
  delete node.dataset.state;
  if (status === "cancelled") node.dataset.state = "ended";
  const facts = /** @type {HTMLElement} */ (node.querySelector(".dotted"));
  const time = /** @type {HTMLTimeElement} */ (facts.querySelector("time"));
  const reason = /** @type {HTMLElement} */ (node.querySelector("[data-reason]"));
  facts.hidden = false;
  time.dateTime = step.at;
  writeTime(time);
  /** @type {HTMLElement} */ (facts.querySelector("[data-actor]")).textContent = actor(step, order);
  reason.textContent = step.reason;
  reason.hidden = step.reason === "";
  return node;
}

/**
 * @param {any} step
 * @param {Order} order
 */
function actor({ byId }, { buyerId, buyerName, sellerId, sellerName }) {
  if (byId === buyerId) return buyerName;
  return byId === sellerId ? sellerName : gettext("Staff");
}

/**
 * @param {string} selector
 * @param {boolean} isHidden
 */
function setHidden(selector, isHidden) {
  const element = page.querySelector(selector);
  if (element) /** @type {HTMLElement} */ (element).hidden = isHidden;
}

on("order-updated", ({ data }) => show(data.order));
on("subscribed", ({ data }) => data.channel === channel && data.state && show(data.state));
showWhoLooks(channel);
subscribe(channel);
takeSteps(show);
