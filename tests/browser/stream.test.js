import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { SILENCE_MS, Stream } from "../../realtime/static/realtime/stream.js";

// The real stream: only the browser's globals, the clock and the network are stand-ins.
Object.defineProperty(globalThis, "navigator", { configurable: true, value: { onLine: true } });
Object.assign(globalThis, {
  addEventListener() {},
  location: { href: "http://shop.example/" },
});

/** @type {Stream} */
let stream;
/** Every attempt that reached the network, newest last. @type {any[]} */
let attempts;
/** @type {string[]} */
let states;
/** @type {string[]} */
let channels;

/** @param {object} [more] */
function open(more) {
  stream = new Stream(/** @type {any} */ ({
    transport: (/** @type {any} */ attempt) =>
      new Promise((resolve) => {
        attempts.push({ ...attempt, end: resolve });
        attempt.signal.addEventListener("abort", () => resolve({ why: "lost" }));
      }),
    url: "http://shop.example/api/events",
    ticket: undefined,
    position: () => ({ channels, cursor: 7 }),
    onEvent() {},
    onState: (/** @type {string} */ state) => states.push(state),
    onRefused() {},
    log() {},
    ...more,
  }));
  stream.open();
}

/** Let promises settle, and so much time go by. */
async function pass(/** @type {number} */ ms = 0) {
  for (let left = ms; left >= 0; left -= 1_000) {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    mock.timers.tick(Math.min(left, 1_000));
  }
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
  attempts = [];
  states = [];
  channels = ["catalogue"];
});
afterEach(() => {
  stream.stop();
  mock.timers.reset();
});

test("it gives up on a ticket that does not come, and asks for another", async () => {
  /** @type {AbortSignal[]} */
  const asked = [];
  const ticket = (/** @type {AbortSignal} */ signal) => {
    asked.push(signal);
    return asked.length === 1 ? new Promise(() => {}) : Promise.resolve("second");
  };
  open({ ticket });
  await pass(SILENCE_MS + 3_000);

  assert.equal(asked.length, 2);
  assert.ok(asked[0].aborted, "the request for the first ticket could end itself");
  assert.equal(attempts[0].url.searchParams.get("ticket"), "second");
});

test("it asks for no ticket any more when it is stopped", async () => {
  /** @type {AbortSignal[]} */
  const asked = [];
  open({
    ticket: (/** @type {AbortSignal} */ signal) => {
      asked.push(signal);
      return new Promise(() => {});
    },
  });
  await pass();
  stream.stop();

  assert.ok(asked[0].aborted);
});

const CONNECTED = { type: "connected", id: 7 };

test("it opens anew at once when it is asked to while events come", async () => {
  open();
  await pass();
  attempts[0].onEvent(CONNECTED);
  channels = ["catalogue", "product.7"];
  stream.open();
  await pass();

  assert.ok(attempts[0].signal.aborted);
  assert.equal(attempts[1].url.searchParams.get("channels"), "catalogue,product.7");
});

test("it lets an attempt come to its end before it opens anew", async () => {
  open();
  await pass();
  channels = ["catalogue", "product.7"];
  for (let n = 0; n < 20; n += 1) stream.open();
  await pass();
  assert.equal(attempts.length, 1);
  assert.ok(!attempts[0].signal.aborted);

  attempts[0].onEvent(CONNECTED);
  await pass();
  assert.equal(attempts.length, 2);
  assert.equal(attempts[1].url.searchParams.get("channels"), "catalogue,product.7");
  attempts[1].onEvent(CONNECTED);
  await pass();
  assert.equal(attempts.length, 2);
  assert.deepEqual(states, ["live"]);
});

test("it keeps the pause after a failure, however often it is asked to open", async () => {
  open();
  await pass();
  attempts[0].end({ why: "refused", status: 503, retryAfter: 5_000 });
  await pass();
  channels = ["catalogue", "product.7"];
  for (let n = 0; n < 20; n += 1) stream.open();
  await pass(4_000);
  assert.equal(attempts.length, 1);

  await pass(5_000);
  assert.equal(attempts.length, 2);
  assert.equal(attempts[1].url.searchParams.get("channels"), "catalogue,product.7");
});

test("it opens again at once after it was stopped, or had nothing to listen to", async () => {
  let isAnybody = false;
  open({ position: () => (isAnybody ? { channels, cursor: 7 } : null) });
  await pass();
  assert.deepEqual(states, ["idle"]);
  isAnybody = true;
  stream.open();
  await pass();
  assert.equal(attempts.length, 1);

  attempts[0].end({ why: "lost" });
  await pass();
  stream.stop();
  stream.open();
  await pass();
  assert.equal(attempts.length, 2);
});
