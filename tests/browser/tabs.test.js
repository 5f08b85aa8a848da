import assert from "node:assert/strict";
import test from "node:test";

// Two tabs of one browser, with the real modules: only the browser's globals are stand-ins.
const held = new Set();
Object.defineProperty(globalThis, "navigator", {
  configurable: true,
  value: {
    onLine: true,
    locks: {
      request(/** @type {string} */ name, /** @type {unknown} */ _options, /** @type {() => Promise<void>} */ hold) {
        if (held.has(name)) return new Promise(() => {});
        held.add(name);
        return Promise.resolve().then(hold);
      },
    },
  },
});
const silent = { addEventListener() {}, removeEventListener() {} };
Object.assign(globalThis, silent, {
  document: { ...silent, visibilityState: "visible" },
  location: { href: "http://shop.example/" },
});

/** Hears what other tabs say, one turn later and in order. @type {Set<TabChannel>} */
const channels = new Set();
class TabChannel {
  /** @type {((message: {data: unknown}) => void) | null} */
  onmessage = null;
  constructor() {
    channels.add(this);
  }
  postMessage(/** @type {unknown} */ message) {
    const others = [...channels].filter((channel) => channel !== this);
    setTimeout(() => others.forEach((other) => other.onmessage?.({ data: structuredClone(message) })), 1);
  }
  close() {
    channels.delete(this);
  }
}
Object.assign(globalThis, { BroadcastChannel: TabChannel });

const { SharedStream } = await import("../../realtime/static/realtime/tabs.js");
const later = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What the server would send: every event after the cursor that the stream is opened with. */
class Server {
  head = 90;
  /** @type {((event: {type: string, id: number}) => void) | null} */
  #send = null;
  transport = (/** @type {any} */ { url, onEvent, signal }) => {
    const cursor = Number(new URL(url, "http://shop.example/").searchParams.get("lastEventId"));
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve({ why: "lost" }));
      this.#send = onEvent;
      onEvent({ type: "connected", id: cursor });
      for (let id = cursor + 1; id <= this.head; id++) onEvent({ type: "happened", id });
    });
  };
  publish() {
    this.#send?.({ type: "happened", id: ++this.head });
  }
}

/** A tab whose page was rendered at that position. */
function tab(/** @type {Server} */ server, /** @type {number} */ cursor, /** @type {string[]} */ ...listening) {
  /** @type {number[]} */
  const got = [];
  const stream = new SharedStream("events", /** @type {any} */ ({
    transport: server.transport,
    url: "http://shop.example/api/events",
    position: () => ({ channels: listening, cursor }),
    onState() {},
    onRefused() {},
    log() {},
    onEvent(/** @type {{type: string, id: number}} */ event) {
      if (event.type !== "happened" || event.id <= cursor) return;
      cursor = event.id;
      got.push(event.id);
    },
  }));
  stream.open();
  return { stream, got };
}

const range = (/** @type {number} */ first, /** @type {number} */ last) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

test("a tab that joins under traffic misses nothing", async () => {
  const server = new Server();
  const holder = tab(server, 90);
  await later(300);
  for (let n = 0; n < 10; n++) server.publish();
  await later(50);
  const joining = tab(server, 90);
  server.publish(); // while the hello is on its way
  await later(50);
  const far = tab(server, 80, "product.7"); // what it missed is not at hand: a stream from 80
  server.publish();
  await later(5);
  server.publish();
  await later(300);
  server.publish();
  await later(50);
  assert.deepEqual(holder.got, range(91, 104));
  assert.deepEqual(joining.got, range(91, 104));
  assert.deepEqual(far.got, range(81, 104));
  for (const each of [far, joining, holder]) each.stream.stop();
});
