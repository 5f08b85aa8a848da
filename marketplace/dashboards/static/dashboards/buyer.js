/** A buyer's dashboard, live: their orders, and what is new in the catalogue. */

import { makeOrderNode, updateNode } from "../orders/shown.js";
import { takeSteps } from "../orders/steps.js";
import { hearProducts } from "../products/hearing.js";
import { on, subscribe } from "../realtime/client.js";
import { LiveList } from "../realtime/live-list.js";
import { findObjects } from "../realtime/patch.js";
import { leaveList } from "./leaving.js";
import { NewProducts } from "./new-products.js";

/** @typedef {import("../orders/shown.js").Order} Order */

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const buyer = Number(document.body.dataset.userId);
const list = element("own-orders");
const size = Number(list.dataset.size);
const isFirstPage = list.dataset.page === "1";
const rows = new LiveList(list, {
  pillText: (count) => interpolate(ngettext("%s new order", "%s new orders", count), [count]),
  isBefore,
  onShown: trim,
});
const products = new NewProducts(element("new-products"), element("reserve"));

/** @param {Order} order */
function showOrder(order) {
  if (order.buyerId !== buyer) return;
  for (const node of findObjects("order", order.id, list)) updateNode(node, order);
}

/** @param {Order} order */
function arrive(order) {
  if (order.buyerId !== buyer || !isFirstPage) return;
  if (findObjects("order", order.id, list).length > 0) return;
  const node = makeOrderNode("own-order", order, "buyer");
  node.dataset.created = order.createdAt;
  rows.add(node);
  element("no-orders").hidden = true;
}

/**
 * @param {HTMLElement} one
 * @param {HTMLElement} other
 */
function isBefore({ dataset: one }, { dataset: other }) {
  if (one.created === other.created) return Number(one.id) > Number(other.id);
  return (one.created ?? "") > (other.created ?? "");
}

/** A page holds so many; what is beyond stands on the next. */
function trim() {
  const beyond = [...list.children].slice(size);
  for (const node of beyond) leaveList(/** @type {HTMLElement} */ (node));
  const older = document.querySelector("#orders [data-older]");
  if (beyond.length > 0) /** @type {HTMLElement} */ (older).hidden = false;
}

on("order-created", ({ data }) => arrive(data.order));
on("order-updated", ({ data }) => showOrder(data.order));
hearProducts({
  created: (product) => products.arrive(product),
  updated: (product) => products.change(product),
  deleted: (id) => products.remove(id),
  restocked: (payload) => products.change(payload),
  imported: (imported) => products.takeImported(imported),
});
subscribe("availability");
takeSteps(showOrder);
