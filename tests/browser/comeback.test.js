import assert from "node:assert/strict";
import test from "node:test";

import { backoff, nextStep, parseRetryAfter } from "../../realtime/static/realtime/comeback.js";

const highest = () => 1;
const lowest = () => 0;
const after = (/** @type {any} */ ending, more = {}) =>
  nextStep(ending, { failures: 0, hasTicket: false, random: lowest, ...more });

test("it doubles the longest pause from 1 s to 30 s, and stays there without end", () => {
  const ceilings = [0, 1, 2, 3, 4, 5, 6, 5000].map((failures) => backoff(failures, highest));
  assert.deepEqual(ceilings, [1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
});

test("it spreads over the whole pause", () => {
  assert.equal(backoff(9, lowest), 0);
  assert.equal(backoff(9, () => 0.5), 15000);
});

test("it obeys closing", () => {
  const closing = (/** @type {string} */ reason, /** @type {number | null} */ retryAfter) =>
    after({ why: "closing", reason, retryAfter });
  assert.deepEqual(closing("restart", 1200), { step: "retry", after: 1200 });
  assert.deepEqual(closing("logged-out", null), { step: "stop", reason: "logged-out" });
  assert.deepEqual(closing("forbidden", null), { step: "probe", after: 0 });
});

test("it waits longer than closing says when that happens again and again", () => {
  const ending = { why: "closing", reason: "too-slow", retryAfter: 500 };
  assert.deepEqual(after(ending, { failures: 5, random: highest }), { step: "retry", after: 30000 });
});

test("it stays away from a 401, unless the next attempt has a new ticket", () => {
  const refused = { why: "refused", status: 401, retryAfter: null };
  assert.deepEqual(after(refused), { step: "stop", reason: "logged-out" });
  assert.equal(after(refused, { hasTicket: true }).step, "retry");
});

test("it asks which channel is refused after a 403", () => {
  assert.equal(after({ why: "refused", status: 403, retryAfter: null }).step, "probe");
});

test("it comes back after a 429 or 503 not before Retry-After, and not with everybody else", () => {
  const refused = { why: "refused", status: 429, retryAfter: 10_000 };
  assert.deepEqual(after(refused), { step: "retry", after: 10_000 });
  assert.deepEqual(after(refused, { random: highest }), { step: "retry", after: 15_000 });
});

test("it comes back from everything else", () => {
  for (const status of [400, 404, 500, 502, 503]) {
    assert.equal(after({ why: "refused", status, retryAfter: null }).step, "retry");
  }
  assert.deepEqual(after({ why: "lost" }), { step: "retry", after: 0 });
});

test("it reads Retry-After as seconds or as a date", () => {
  assert.equal(parseRetryAfter("7"), 7000);
  assert.equal(parseRetryAfter("Sat, 21 Nov 2026 10:00:05 GMT", Date.UTC(2026, 10, 21, 10)), 5000);
  assert.equal(parseRetryAfter(null), null);
  assert.equal(parseRetryAfter("soon"), null);
});
