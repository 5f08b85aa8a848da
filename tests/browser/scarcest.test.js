// What the availability board is chosen from: the same as the server reads.

import assert from "node:assert/strict";
import { test } from "node:test";

import { MOST, Scarcest } from "../../products/static/products/scarcest.js";

/** @typedef {import("../../products/static/products/scarcest.js").Place} Place */

/**
 * @param {number} id
 * @param {number} stock
 * @param {number} [stockVersion]
 * @returns {Place}
 */
const place = (id, stock, stockVersion = 1) => ({ id, stock, stockVersion });

/** @param {number} count @param {number} stock of all of them */
const places = (count, stock) => Array.from({ length: count }, (_, number) => place(number + 1, stock));

test("it takes in all that is on sale while there is room", () => {
  const scarcest = new Scarcest([place(1, 5)]);
  scarcest.put(place(2, 100_000));
  assert.deepEqual(scarcest.trim(), []);
  assert.ok(scarcest.has(1) && scarcest.has(2));
});

test("it lets the least scarce go, of equals those with the highest ids", () => {
  const scarcest = new Scarcest(places(MOST - 1, 5));
  for (const id of [901, 902, 903]) scarcest.put(place(id, 5));
  scarcest.put(place(904, 0));
  assert.deepEqual(scarcest.trim(), [901, 902, 903]);
  assert.ok(scarcest.has(904));
});

test("it takes in nothing that stands behind what it knows", () => {
  const scarcest = new Scarcest(places(MOST, 5));
  scarcest.put(place(901, 5));
  scarcest.put(place(902, 4));
  assert.ok(!scarcest.has(901));
  assert.deepEqual(scarcest.trim(), [MOST]);
  // What was let go comes back when it is scarcer only.
  scarcest.put(place(MOST, 5, 2));
  assert.ok(!scarcest.has(MOST));
});

test("it lets go what is no longer as scarce, as nobody knows what stands before it", () => {
  const scarcest = new Scarcest(places(MOST, 5));
  scarcest.put(place(7, 6, 2));
  assert.ok(!scarcest.has(7));
});

test("it takes no older stock for a newer one", () => {
  const scarcest = new Scarcest([place(1, 500, 3)]);
  scarcest.put(place(1, 0, 2));
  for (const other of places(MOST + 1, 9).slice(1)) scarcest.put(other);
  assert.deepEqual(scarcest.trim(), [1]);
});

test("it forgets what went off sale", () => {
  const scarcest = new Scarcest(places(MOST, 5));
  scarcest.delete(7);
  scarcest.put(place(901, 1));
  assert.deepEqual(scarcest.trim(), []);
  assert.ok(scarcest.has(901) && !scarcest.has(7));
});
