/** A seller's dashboard, live: every event changes the book, the lanes and the stock, nothing else. */

import { takeSteps } from "../orders/steps.js";
import { hearProducts } from "../products/hearing.js";
import { on } from "../realtime/client.js";
import { Book } from "./book.js";
import { Lanes } from "./lanes.js";
import { offerProducts } from "./new-product.js";
import { Stats } from "./stats.js";
import { Stock } from "./stock.js";

/** @typedef {Record<string, any>} Payload */

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const seller = Number(document.body.dataset.userId);
const book = new Book(JSON.parse(element("book").textContent ?? ""));
const stats = new Stats(book);
const lanes = new Lanes(element("orders"));
const stock = new Stock(element("stock"), showProduct);

/** @param {Payload} order */
function showOrder(order) {
  if (order.sellerId !== seller || !book.isNews(order)) return;
  book.takeOrder(order);
  lanes.show(order);
  stats.refresh();
}

/** @param {Payload} payload a product, or what an event says of its stock */
function showProduct(payload) {
  // Another tab of this browser may listen to what is not for this page.
  const isOwn = "sellerId" in payload ? payload.sellerId === seller : book.owns(payload.id);
  if (!isOwn) return;
  book.takeProduct(payload);
  stock.show(payload);
  stats.refresh();
}

/** @param {Payload[]} products that an import made or changed: this seller's, or for staff another's */
function takeImported(products) {
  const own = products.filter((product) => product.sellerId === seller);
  if (own.length === 0) return;
  for (const product of own) book.takeProduct(product);
  stock.takeImported(own);
  stats.refresh();
}

/** @param {number} id */
function removeProduct(id) {
  book.dropProduct(id);
  stock.remove(id);
  stats.refresh();
}

on("order-created", ({ data }) => showOrder(data.order));
on("order-updated", ({ data }) => showOrder(data.order));
hearProducts({
  created: showProduct,
  updated: showProduct,
  deleted: removeProduct,
  restocked: showProduct,
  imported: takeImported,
});
takeSteps(showOrder);
offerProducts(showProduct);
