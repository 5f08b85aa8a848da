import assert from "node:assert/strict";
import test from "node:test";

import { valueAt, valuesAt } from "../../realtime/static/realtime/fields.js";
import { whatIsNewer } from "../../realtime/static/realtime/patch.js";

const shown = { version: "3", stockVersion: "9" };

test("it applies nothing that is as old as what is shown", () => {
  assert.deepEqual(whatIsNewer(shown, { version: 3, stockVersion: 9 }), { fields: false, stock: false });
  assert.deepEqual(whatIsNewer(shown, { version: 2, stockVersion: 8 }), { fields: false, stock: false });
});

test("it applies the stock by its own version", () => {
  assert.deepEqual(whatIsNewer(shown, { stockVersion: 10 }), { fields: false, stock: true });
  assert.deepEqual(whatIsNewer(shown, { version: 3, stockVersion: 10 }), { fields: false, stock: true });
});

test("it gives no sold piece back with a newer version of the rest", () => {
  assert.deepEqual(whatIsNewer(shown, { version: 4, stockVersion: 8 }), { fields: true, stock: false });
});

test("it takes the level along when the threshold moved", () => {
  assert.deepEqual(whatIsNewer(shown, { version: 4, stockVersion: 9 }), { fields: true, stock: true });
});

test("it applies an object without stock by its version alone", () => {
  assert.deepEqual(whatIsNewer({ version: "1" }, { version: 2 }), { fields: true, stock: false });
});

test("it finds a value by its path", () => {
  assert.equal(valueAt({ shippingAddress: { city: "Gent" } }, "shippingAddress.city"), "Gent");
  assert.equal(valueAt({ shippingAddress: null }, "shippingAddress.city"), undefined);
});

test("it finds the values of many by a path through their list", () => {
  assert.deepEqual(valuesAt({ products: [{ id: 3 }, { id: 4 }] }, "products.*.id"), [3, 4]);
  assert.deepEqual(valuesAt({ product: { id: 3 } }, "product.id"), [3]);
});
