// The basket's memory: one for each user, true to events, shared by tabs.

import assert from "node:assert/strict";
import { register } from "node:module";
import { beforeEach, test } from "node:test";

register("./static-paths.js", import.meta.url);
const { BasketStore, MOST_LINES, isAvailable, isOrderable, totals } = await import(
  "../../orders/static/orders/basket-store.js"
);

const BOWL = {
  id: 7, title: "Bowl", price: "12.50", currency: "EUR", stock: 4, stockVersion: 2, level: "low",
  version: 3, isActive: true,
};

class Memory {
  items = new Map();
  getItem = (name) => this.items.get(name) ?? null;
  setItem = (name, value) => this.items.set(name, value);
  removeItem = (name) => this.items.delete(name);
}

/** @type {any} */
let storage;
/** @type {InstanceType<typeof BasketStore>} */
let store;
beforeEach(() => {
  storage = new Memory();
  store = new BasketStore(storage, "basket.1");
});

test("it adds up pieces of one product, to no more than are left", () => {
  assert.equal(store.add(BOWL, 3), 3);
  assert.equal(store.add(BOWL, 3), 4);
  assert.equal(store.lines.length, 1);
});

test("it takes no more products than one order may have", () => {
  for (let id = 1; id <= MOST_LINES; id += 1) store.add({ ...BOWL, id }, 1);
  assert.equal(store.add({ ...BOWL, id: 999 }, 1), 0);
  assert.equal(store.lines.length, MOST_LINES);
});

test("it takes over what is newer, and remembers the price that was seen", () => {
  store.add(BOWL, 1);
  store.update({ ...BOWL, version: 4, price: "15.00" });
  store.update({ ...BOWL, version: 3, price: "1.00" });
  assert.equal(store.lines[0].product.price, "15.00");
  assert.equal(store.lines[0].seenPrice, "12.50");
});

test("it takes the stock from events that tell only of it", () => {
  store.add(BOWL, 2);
  store.update({ id: 7, stock: 1, stockVersion: 3, level: "low" });
  const [line] = store.lines;
  assert.equal(line.product.stock, 1);
  assert.ok(isAvailable(line));
  assert.ok(!isOrderable(line));
});

test("it marks what is gone, and what is back", () => {
  store.add(BOWL, 1);
  store.correct(7, { isGone: true });
  assert.ok(!isAvailable(store.lines[0]));
  store.update({ ...BOWL, version: 4 });
  assert.ok(isAvailable(store.lines[0]));
});

test("it sees what another tab wrote", () => {
  const other = new BasketStore(storage, "basket.1");
  store.add(BOWL, 1);
  other.add({ ...BOWL, id: 8 }, 1);
  store.setQuantity(7, 2);
  assert.deepEqual(store.lines.map(({ product, quantity }) => [product.id, quantity]), [[7, 2], [8, 1]]);
});

test("it takes over what was chosen before the login", () => {
  const nobodys = new BasketStore(storage, "basket.nobody");
  nobodys.add(BOWL, 2);
  store.add({ ...BOWL, id: 8 }, 1);
  store.adopt("basket.nobody");
  assert.deepEqual(store.lines.map(({ product }) => product.id), [8, 7]);
  assert.deepEqual(nobodys.lines, []);
});

for (const [typed, kept] of [[0, 1], [-3, 1], [2.7, 2], [Number.NaN, 1], [1e9, 100_000]]) {
  test(`it makes ${typed} pieces ${kept}`, () => {
    store.add(BOWL, 1);
    store.setQuantity(7, typed);
    assert.equal(store.lines[0].quantity, kept);
  });
}

test("it begins anew where what was kept is broken", () => {
  storage.setItem("basket.1", "{broken");
  assert.deepEqual(store.lines, []);
  storage.setItem("basket.1", '"text"');
  assert.deepEqual(store.lines, []);
});

test("it sums in cents, by currency", () => {
  store.add({ ...BOWL, price: "0.10" }, 3);
  store.add({ ...BOWL, id: 8, price: "19.99", currency: "USD" }, 2);
  assert.deepEqual([...totals(store.lines)], [["EUR", "0.30"], ["USD", "39.98"]]);
});
