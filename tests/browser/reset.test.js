// What a page does when its data has to be loaded anew.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

const RESET = { id: 90, type: "reset", data: { reason: "cursor-too-old" } };
const MINUTE = 60_000;

/** @type {(event: object) => void} */
let send;
let loads = 0;
/** @type {Map<string, string>} */
const session = new Map();
const silent = { addEventListener() {}, removeEventListener() {} };
Object.defineProperty(globalThis, "navigator", { configurable: true, value: { onLine: true } });
Object.assign(globalThis, silent, {
  document: { ...silent, readyState: "complete", body: { dataset: { userId: "1" } }, querySelector: () => null },
  location: { href: "http://shop.example/", reload: () => (loads += 1) },
  sessionStorage: {
    getItem: (/** @type {string} */ name) => session.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ value) => session.set(name, value),
  },
  fetch: async () => {
    const body = new ReadableStream({
      start(/** @type {ReadableStreamDefaultController<Uint8Array>} */ controller) {
        send = (event) => controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(event)}\n\n`));
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  },
});
const { connect, disconnect } = await import("../../realtime/static/realtime/client.js");

async function settle() {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function reset() {
  send(RESET);
  await settle();
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000_000 });
  loads = 0;
  session.clear();
});
afterEach(() => {
  disconnect();
  mock.timers.reset();
});

test("it loads the page anew once, and again when the guard is over", async () => {
  connect({ position: 3 });
  await settle();
  await reset();
  assert.equal(loads, 1);

  mock.timers.tick(10_000);
  await reset();
  await reset();
  mock.timers.tick(19_000);
  assert.equal(loads, 1);
  mock.timers.tick(1_000);
  assert.equal(loads, 2);
  mock.timers.tick(MINUTE);
  assert.equal(loads, 2);
});

test("it asks the page again when the guard is over", async () => {
  /** @type {boolean[]} */
  const answers = [];
  connect({ position: 3, onReset: (/** @type {() => boolean} */ reload) => answers.push(reload()) });
  await settle();
  await reset();
  await reset();
  assert.deepEqual(answers, [true, false]);

  mock.timers.tick(30_000);
  assert.deepEqual(answers, [true, false, true]);
  assert.equal(loads, 2);
});

test("it leaves a page that does not want to be loaded anew as it is", async () => {
  connect({ position: 3, onReset() {} });
  await settle();
  await reset();
  mock.timers.tick(MINUTE);
  assert.equal(loads, 0);
});

test("it loads nothing any more when the page no longer listens", async () => {
  connect({ position: 3 });
  await settle();
  await reset();
  await reset();
  disconnect();
  mock.timers.tick(MINUTE);
  assert.equal(loads, 1);
});
