/**
 * What a page hears of products. An import tells of many at once, and late; what single events say
 * of one of them meanwhile is newer. Here both come in order, product by product.
 */

import { on } from "../realtime/client.js";
import { ImportedProducts } from "./imported.js";
import { ofProduct } from "./shown.js";

/** @typedef {import("./query.js").Product} Product */

/**
 * What a page does with what it hears.
 * @typedef {object} Handlers
 * @property {(product: Product) => void} created it is new, or came back on sale
 * @property {(product: Product) => void} updated
 * @property {(id: number) => void} deleted
 * @property {(payload: Product, event: any) => void} [restocked] its stock alone, and the event
 * @property {(products: Product[]) => void} imported each is new, changed, or back on sale; for
 *   its seller and staff maybe off sale
 */

/** @param {Handlers} handlers */
export function hearProducts({ created, updated, deleted, restocked, imported }) {
  const waiting = new ImportedProducts(imported);
  on("products-imported", ({ data }) => waiting.add(data.products));
  on("product-created", ({ data: { product } }) => {
    waiting.bring(product.id);
    created(product);
  });
  on("product-updated", ({ data: { product } }) => {
    waiting.bring(product.id);
    updated(product);
  });
  on("product-deleted", ({ data: { productId } }) => {
    waiting.drop(productId);
    deleted(productId);
  });
  if (restocked === undefined) return;
  on("availability-updated", (event) => {
    waiting.bring(event.data.productId);
    restocked(ofProduct(event), event);
  });
}
