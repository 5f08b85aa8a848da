// What a catalogue page's address asks for: the same as products/filters.py.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Query } from "../../products/static/products/query.js";

const BOWL = {
  id: 7, sellerId: 3, title: "Blue bowl", description: "Holds soup", category: "Kitchen",
  price: "12.50", kind: "goods", stock: 4, isActive: true,
  createdAt: "2026-11-21T10:00:00.000Z", updatedAt: "2026-11-21T11:00:00.000Z",
};

test("it takes in everything on sale when nothing is asked for", () => {
  const query = new Query("");
  assert.ok(query.isPlain);
  assert.ok(query.matches(BOWL));
  assert.ok(!query.matches({ ...BOWL, isActive: false }));
});

for (const [search, isPlain] of /** @type {[string, boolean][]} */ ([
  ["?page=1", true], ["?search=&category=", true], ["?ordering=-createdAt", true],
  ["?page=2", false], ["?ordering=price", false], ["?kind=tour", false], ["?search=x", false],
])) {
  test(`it ${isPlain ? "shows" : "does not show"} what is new by itself at ${search}`, () => {
    assert.equal(new Query(search).isPlain, isPlain);
  });
}

for (const [search, found] of /** @type {[string, boolean][]} */ ([
  ["?category=Kitchen", true], ["?category=kitchen", false], ["?category=+Kitchen+", true],
  ["?seller=3", true], ["?seller=4", false], ["?kind=goods", true], ["?kind=tour", false],
  ["?minPrice=12.5", true], ["?minPrice=12.51", false],
  ["?maxPrice=12.50", true], ["?maxPrice=9", false],
  ["?inStock=true", true], ["?inStock=false", false],
  ["?search=SOUP+blue", true], ["?search=soup+red", false], ["?search=kit", true],
  ["?kind=tour&kind=goods", true],
])) {
  test(`it ${found ? "finds" : "does not find"} the bowl by ${search}`, () => {
    assert.equal(new Query(search).matches(BOWL), found);
  });
}

test("it keeps what was found by a description that is not known", () => {
  const { description, ...known } = BOWL;
  assert.ok(new Query("?search=soup").matches(known));
});

test("it has the newest first, and of two of one moment the one with the higher id", () => {
  const query = new Query("");
  const later = { ...BOWL, id: 1, createdAt: "2026-11-21T10:00:00.001Z" };
  assert.ok(query.compare(later, BOWL) < 0);
  assert.ok(query.compare({ ...BOWL, id: 8 }, BOWL) < 0);
});

test("it compares prices as numbers", () => {
  const dear = { ...BOWL, id: 1, price: "100.00" };
  assert.ok(new Query("?ordering=price").compare(BOWL, dear) < 0);
  assert.ok(new Query("?ordering=-price").compare(BOWL, dear) > 0);
});
