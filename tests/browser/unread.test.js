/** How many notifications are unread: from the count at rendering and the events that follow. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Unread } from "../../marketplace/static/notifications/unread.js";

test("it counts what comes", () => {
  const unread = new Unread(2, [5, 4]);
  unread.arrive(6);
  unread.arrive(7);
  assert.equal(unread.count, 4);
});

test("it does not count again what was counted when the page was rendered", () => {
  const unread = new Unread(2, [5, 4]);
  unread.arrive(5);
  assert.equal(unread.count, 2);
});

test("it takes the count of what is left, and what comes after it on top", () => {
  // Rendered after 5 and 6 came and after all before 6 was read; the page hears of all of it yet.
  const unread = new Unread(1, [6]);
  unread.arrive(5);
  unread.read(0);
  unread.arrive(6);
  assert.equal(unread.count, 1);
});

test("it shows no more than 99", () => {
  const unread = new Unread(99, []);
  assert.equal(unread.text, "99");
  unread.arrive(1);
  assert.equal(unread.text, "99+");
  unread.read(3);
  assert.equal(unread.text, "3");
});
