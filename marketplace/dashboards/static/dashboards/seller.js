/** A seller's dashboard, live: every event changes the book, the lanes and the stock, nothing else. */

import { takeSteps } from "../orders/steps.js";
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

/** @param {number} id */
function removeProduct(id) {
  book.dropProduct(id);
  stock.remove(id);
  stats.refresh();
}

on("order-created", ({ data }) => showOrder(data.order));
on("order-updated", ({ data }) => showOrder(data.order));
on("product-created", ({ data }) => showProduct(data.product));
on("product-updated", ({ data }) => showProduct(data.product));
on("product-deleted", ({ data }) => removeProduct(data.productId));
on("availability-updated", ({ data }) => showProduct({ ...data, id: data.productId }));
takeSteps(showOrder);
offerProducts(showProduct);
