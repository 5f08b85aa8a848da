// The order of suggestions: the same as products/suggestions/filters.py.

import assert from "node:assert/strict";
import { test } from "node:test";

import { compare, isInOrder } from "../../products/suggestions/static/suggestions/order.js";

const EARLY = "2026-11-21T10:00:00.000Z";
const LATE = "2026-11-21T10:00:00.001Z";

/**
 * @param {number} id
 * @param {number} votes
 * @param {string} createdAt
 */
const facts = (id, votes, createdAt) => ({ id, votes, createdAt });

test("it has the newest first, and of two of one moment the one that was made last", () => {
  const rows = [facts(1, 9, EARLY), facts(3, 0, LATE), facts(2, 5, EARLY)];
  rows.sort((one, other) => compare(one, other, "-createdAt"));
  assert.deepEqual(rows.map(({ id }) => id), [3, 2, 1]);
});

test("it has those with most votes first, and of two with as many the newer one", () => {
  const rows = [facts(1, 2, EARLY), facts(2, 2, LATE), facts(3, 10, EARLY)];
  rows.sort((one, other) => compare(one, other, "-votes"));
  assert.deepEqual(rows.map(({ id }) => id), [3, 2, 1]);
});

test("it knows when a vote has brought a row out of its place", () => {
  assert.ok(isInOrder([], "-votes"));
  assert.ok(isInOrder([facts(2, 3, LATE), facts(1, 3, EARLY)], "-votes"));
  assert.ok(!isInOrder([facts(2, 3, LATE), facts(1, 4, EARLY)], "-votes"));
  assert.ok(isInOrder([facts(2, 3, LATE), facts(1, 4, EARLY)], "-createdAt"));
});
