// What imports tell of products, until the page takes it.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { ImportedProducts, MOST_WAITING, PAUSE_MS } from "../../products/static/products/imported.js";

/** @typedef {import("../../products/static/products/query.js").Product} Product */

/** @type {Product[][]} */
let taken = [];
/** @type {ImportedProducts} */
let imported;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  taken = [];
  imported = new ImportedProducts((products) => taken.push(products));
});

/**
 * @param {number} id
 * @param {number} [version]
 * @param {number} [stockVersion]
 */
const product = (id, version = 1, stockVersion = 1) => ({ id, version, stockVersion });

test("it gives the page what came within a quarter of a second at once", () => {
  imported.add([product(1), product(2)]);
  mock.timers.tick(PAUSE_MS - 1);
  imported.add([product(3)]);
  assert.deepEqual(taken, []);
  mock.timers.tick(1);
  assert.deepEqual(taken, [[product(1), product(2), product(3)]]);
  mock.timers.tick(10 * PAUSE_MS);
  assert.equal(taken.length, 1);
});

test("it gives it four times a second at most, however much comes", () => {
  for (let frame = 0; frame < 100; frame += 1) {
    imported.add(Array.from({ length: 50 }, (_, number) => product(frame * 50 + number)));
    mock.timers.tick(10);
  }
  assert.equal(taken.length, 4);
  assert.equal(taken.flat().length, 5_000);
});

test("it gives each product once, as it is by its newest frame", () => {
  imported.add([product(1, 2, 1)]);
  imported.add([product(1, 2, 3)]);
  imported.add([product(1, 1, 3)]);
  mock.timers.tick(PAUSE_MS);
  assert.deepEqual(taken, [[product(1, 2, 3)]]);
});

test("it brings one product before an event of its own", () => {
  imported.add([product(1), product(2)]);
  imported.bring(2);
  imported.bring(3);
  assert.deepEqual(taken, [[product(2)]]);
  mock.timers.tick(PAUSE_MS);
  assert.deepEqual(taken, [[product(2)], [product(1)]]);
});

test("it forgets what was deleted, until it is told of anew", () => {
  imported.add([product(1), product(2)]);
  imported.drop(1);
  mock.timers.tick(PAUSE_MS);
  assert.deepEqual(taken, [[product(2)]]);
  imported.add([product(1, 2)]);
  imported.add([product(3)]);
  imported.drop(3);
  mock.timers.tick(PAUSE_MS);
  assert.deepEqual(taken, [[product(2)], [product(1, 2)]]);
});

test("it says nothing where nothing is left", () => {
  imported.add([]);
  imported.add([product(1)]);
  imported.drop(1);
  mock.timers.tick(PAUSE_MS);
  assert.deepEqual(taken, []);
});

test("it gathers no catalogue in a page whose timers are slow", () => {
  imported.add(Array.from({ length: MOST_WAITING }, (_, number) => product(number)));
  assert.equal(taken[0].length, MOST_WAITING);
  imported.add([product(9_999)]);
  mock.timers.tick(PAUSE_MS);
  assert.deepEqual(taken[1], [product(9_999)]);
  assert.equal(taken.length, 2);
});
