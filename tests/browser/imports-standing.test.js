/** What pages say of an import; templatetags/imports.py and pages.py say the same of the server's. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  factsAtTheEnd, factsOnTheWay, isLate, isMeasured, isOver, measure, splitErrors,
} from "../../products/imports/static/imports/standing.js";

const ERROR = { row: 3, field: "price", message: "No." };

function job(fields) {
  return { dryRun: false, created: 0, updated: 0, failed: 0, errors: [], ignoredColumns: [], ...fields };
}

test("it is over when it is done, failed or cancelled", () => {
  const over = ["queued", "running", "done", "failed", "cancelled"].filter((status) => isOver({ status }));
  assert.deepEqual(over, ["done", "failed", "cancelled"]);
});

test("it goes on, and never back to what it has left", () => {
  const way = [
    { status: "queued", step: null },
    { status: "running", step: null },
    ...["reading", "validating", "writing", "publishing"].map((step) => ({ status: "running", step })),
    { status: "failed", step: "reading" },
  ];
  for (const [place, word] of way.entries()) {
    assert.deepEqual(way.map((shown) => isLate(word, shown)), way.map((_, other) => place < other));
  }
});

test("it can be cancelled until all is written", () => {
  assert.ok(factsOnTheWay({ status: "queued", step: null }).has("cancellable"));
  assert.ok(factsOnTheWay({ status: "running", step: "writing" }).has("cancellable"));
  assert.ok(!factsOnTheWay({ status: "running", step: "publishing" }).has("cancellable"));
});

for (const [fields, facts] of [
  [{ status: "done" }, ["done", "over", "useless", "counted"]],
  [{ status: "done", dryRun: true, created: 3 }, ["done", "over", "useful", "counted"]],
  [{ status: "failed", errors: [ERROR] }, ["failed", "over", "untouched"]],
  [{ status: "failed", updated: 1, errors: [ERROR, ERROR] }, ["failed", "over", "broken-off", "counted", "complaints"]],
  [{ status: "cancelled", dryRun: true, created: 3 }, ["cancelled", "over", "untouched"]],
  [{ status: "cancelled", created: 3, ignoredColumns: ["x"] }, ["cancelled", "over", "broken-off", "counted", "ignored"]],
]) {
  test(`it knows what is true of ${JSON.stringify(fields)}`, () => {
    assert.deepEqual([...factsAtTheEnd(job(fields))], facts);
  });
}

test("what ended it stands apart from what is wrong with rows", () => {
  const ended = { row: 0, field: "", message: "Broken." };
  const split = splitErrors(job({ status: "failed", errors: [ended, ERROR] }));
  assert.deepEqual(split, { reason: ended, complaints: [ERROR] });
  assert.deepEqual(splitErrors(job({ status: "done", errors: [ERROR] })), { reason: null, complaints: [ERROR] });
});

test("it counts bytes of CSV, rows and products", () => {
  const reading = { step: "reading", current: 1_234_567, total: 50_000_000 };
  assert.deepEqual(measure(reading, "csv"), { unit: "MB", done: 1.2, total: 50 });
  assert.deepEqual(measure({ ...reading, total: 999_001, current: 1 }, "csv"), { unit: "kB", done: 1, total: 1000 });
  assert.equal(measure(reading, "xlsx")?.unit, "rows");
  assert.equal(measure({ ...reading, step: "publishing" }, "csv")?.unit, "products");
});

test("it knows when nobody knows how much there is to do", () => {
  for (const [current, total, format, isKnown] of [
    [0, 40_000, "xlsx", false],
    [3, 3, "xlsx", false],
    [3, 9, "xlsx", true],
    [3, 3, "csv", true],
    [0, 0, "csv", false],
  ]) {
    assert.equal(isMeasured({ step: "reading", current, total }, format), isKnown);
  }
  assert.ok(isMeasured({ step: "writing", current: 3, total: 3 }, "xlsx"));
});
