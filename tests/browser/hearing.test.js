// What a page hears of products, while what imports tell waits for it.

import assert from "node:assert/strict";
import { register } from "node:module";
import { afterEach, beforeEach, mock, test } from "node:test";

register("./static-paths.js", import.meta.url);

/** @type {(event: object) => void} */
let send;
let position = 3;
const silent = { addEventListener() {}, removeEventListener() {} };
Object.defineProperty(globalThis, "navigator", { configurable: true, value: { onLine: true } });
Object.assign(globalThis, silent, {
  document: { ...silent, readyState: "complete", body: { dataset: { userId: "1" } }, querySelector: () => null },
  location: { href: "http://shop.example/" },
  fetch: async () => {
    const body = new ReadableStream({
      start(/** @type {ReadableStreamDefaultController<Uint8Array>} */ controller) {
        send = (event) => controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(event)}\n\n`));
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  },
});
const { connect, disconnect } = await import("../../realtime/static/realtime/client.js");
const { hearProducts } = await import("../../products/static/products/hearing.js");
const { PAUSE_MS } = await import("../../products/static/products/imported.js");

/** What the page was told, in order. @type {any[][]} */
const told = [];
hearProducts({
  created: (product) => told.push(["created", product.id, product.version]),
  updated: (product) => told.push(["updated", product.id, product.version]),
  deleted: (id) => told.push(["deleted", id]),
  restocked: (payload, event) => told.push(["restocked", payload.id, event.data.stockVersion]),
  imported: (products) => told.push(["imported", ...products.map(({ id }) => id)]),
});

/** @param {number} id @param {number} [version] */
const product = (id, version = 1) => ({ id, version, stockVersion: 1 });

/** @param {[string, object][]} events */
async function hear(...events) {
  for (const [type, data] of events) send({ id: (position += 1), type, data });
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

beforeEach(async () => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  told.length = 0;
  connect({ position });
  await hear();
});
afterEach(() => {
  disconnect();
  mock.timers.reset();
});

test("it hears of what an import left a moment later", async () => {
  await hear(["products-imported", { products: [product(1), product(2)] }]);
  await hear(["products-imported", { products: [product(3)] }]);
  assert.deepEqual(told, []);
  mock.timers.tick(PAUSE_MS);
  assert.deepEqual(told, [["imported", 1, 2, 3]]);
});

test("it hears of one that waits before what happened to it next, and not again", async () => {
  await hear(
    ["products-imported", { products: [product(1), product(2), product(3), product(4)] }],
    ["product-updated", { product: product(2, 2) }],
    ["availability-updated", { productId: 3, stockVersion: 2 }],
    ["product-updated", { product: product(9, 2) }],
  );
  mock.timers.tick(PAUSE_MS);
  assert.deepEqual(told, [
    ["imported", 2], ["updated", 2, 2],
    ["imported", 3], ["restocked", 3, 2],
    ["updated", 9, 2],
    ["imported", 1, 4],
  ]);
});

test("it does not hear of what was deleted meanwhile, until it comes back", async () => {
  await hear(
    ["products-imported", { products: [product(1), product(2)] }],
    ["product-deleted", { productId: 1 }],
    ["product-created", { product: product(1, 3) }],
  );
  mock.timers.tick(PAUSE_MS);
  assert.deepEqual(told, [["deleted", 1], ["created", 1, 3], ["imported", 2]]);
});
