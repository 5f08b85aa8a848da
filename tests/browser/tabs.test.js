import assert from "node:assert/strict";
import { test } from "node:test";

// Tabs of one browser, with the real modules: only the browser's globals are stand-ins.
/** Who waits for each lock; the first holds it. @type {Map<string, (() => Promise<void>)[]>} */
const queues = new Map();
const locks = {
  request(/** @type {string} */ name, /** @type {unknown} */ _options, /** @type {() => Promise<void>} */ hold) {
    const queue = queues.get(name) ?? [];
    queues.set(name, queue);
    const hasLock = async () => {
      await hold();
      queue.shift();
      void queue[0]?.();
    };
    if (queue.push(hasLock) === 1) void hasLock();
    return new Promise(() => {});
  },
};
Object.defineProperty(globalThis, "navigator", { configurable: true, value: { onLine: true, locks } });
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
  /** Whether the browser loses what is said to it now. */
  loses = () => false;
  constructor(/** @type {string} */ name) {
    this.name = name;
    channels.add(this);
  }
  postMessage(/** @type {unknown} */ message) {
    const others = [...channels].filter((other) => other !== this && other.name === this.name);
    const arrive = () => {
      const ears = others.filter((other) => !other.loses());
      ears.forEach((other) => other.onmessage?.({ data: structuredClone(message) }));
    };
    setTimeout(arrive, 1);
  }
  close() {
    channels.delete(this);
  }
}
Object.assign(globalThis, { BroadcastChannel: TabChannel });

const { SharedStream } = await import("../../realtime/static/realtime/tabs.js");
const later = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
const range = (/** @type {number} */ first, /** @type {number} */ last) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** What the server would send: every event after the cursor that the stream is opened with. */
class Server {
  head = 90;
  /** The last event that the log no longer holds. */
  floor = 0;
  /** The cursor of every stream that was opened. @type {number[]} */
  opened = [];
  /** The answer to every attempt, instead of a stream. @type {object | null} */
  refusal = null;
  /** Which events only those hear who asked for a channel. @type {Map<number, string>} */
  #only = new Map();
  /** @type {((event: {type: string, id: number, data?: object}) => void) | null} */
  #send = null;
  /** @type {string[]} */
  #heard = [];

  transport = (/** @type {any} */ { url, onEvent, signal }) => {
    const cursor = Number(url.searchParams.get("lastEventId"));
    this.opened.push(cursor);
    if (this.refusal !== null) return Promise.resolve(this.refusal);
    this.#heard = (url.searchParams.get("channels") ?? "").split(",");
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve({ why: "lost" }));
      this.#send = onEvent;
      onEvent({ type: "connected", id: cursor });
      if (cursor < this.floor) {
        onEvent({ type: "reset", id: this.head, data: { reason: "cursor-too-old" } });
        return;
      }
      for (let id = cursor + 1; id <= this.head; id++) this.#tell(id);
    });
  };

  /** @param {string} [channel] by default everybody hears it */
  publish(channel) {
    this.head += 1;
    if (channel !== undefined) this.#only.set(this.head, channel);
    this.#tell(this.head);
  }

  #tell(/** @type {number} */ id) {
    const channel = this.#only.get(id);
    if (channel === undefined || this.#heard.includes(channel)) this.#send?.({ type: "happened", id });
  }
}

let browsers = 0;

/** A browser whose tabs are closed when the test is over. */
function makeBrowser(/** @type {import("node:test").TestContext} */ context) {
  const server = new Server();
  const name = `events ${(browsers += 1)}`;
  /** A tab whose page was rendered at that position. */
  const openTab = (/** @type {number} */ cursor, /** @type {string[]} */ ...listening) => {
    /** @type {(number | "reset")[]} */
    const got = [];
    const options = {
      transport: server.transport,
      url: "http://shop.example/api/events",
      position: () => ({ channels: [...listening], cursor }),
      onState() {},
      onRefused() {},
      log() {},
      onEvent(/** @type {{type: string, id: number}} */ event) {
        if (event.type !== "reset" && event.id <= cursor) return;
        cursor = event.id;
        if (event.type === "reset") got.push("reset");
        if (event.type === "happened") got.push(event.id);
      },
    };
    const stream = new SharedStream(name, /** @type {any} */ (options));
    const subscribe = (/** @type {string} */ channel) => {
      listening.push(channel);
      stream.open();
    };
    context.after(() => stream.stop());
    stream.open();
    const channel = /** @type {TabChannel} */ ([...channels].at(-1));
    return { stream, got, subscribe, channel };
  };
  return { server, openTab };
}

test("a tab that joins under traffic misses nothing", async (context) => {
  const { server, openTab } = makeBrowser(context);
  const holder = openTab(90);
  await later(300);
  for (let n = 0; n < 10; n++) server.publish();
  await later(50);
  const joining = openTab(90);
  server.publish(); // while the hello is on its way
  await later(50);
  const far = openTab(80, "product.7"); // what it missed is not at hand: a stream from 80
  server.publish();
  await later(5);
  server.publish();
  await later(300);
  server.publish();
  await later(50);
  assert.deepEqual(holder.got, range(91, 104));
  assert.deepEqual(joining.got, range(91, 104));
  assert.deepEqual(far.got, range(81, 104));
});

for (const [who, which] of /** @type {const} */ ([["that holds the stream", 0], ["beside it", 1]])) {
  test(`a tab ${who} misses nothing of a channel that it asks for under traffic`, async (context) => {
    const { server, openTab } = makeBrowser(context);
    const tabs = [openTab(90), openTab(90)];
    await later(300);
    tabs[which].subscribe("product.7");
    await later(20); // the hello is heard, and positions are gathered
    server.publish("product.7");
    server.publish();
    await later(20);
    server.publish();
    await later(300);
    server.publish("product.7");
    await later(50);
    assert.deepEqual(tabs[which].got, range(91, 94));
    assert.deepEqual(tabs[1 - which].got, range(92, 94), "91 is not for that tab");
  });
}

test("a tab that asks twice waits for the answer to what it asked last", async (context) => {
  const { server, openTab } = makeBrowser(context);
  const holder = openTab(90);
  await later(300);
  const tab = openTab(90);
  tab.subscribe("product.7"); // right behind the first hello
  await later(2); // both are answered at most
  server.publish("product.7");
  server.publish();
  await later(300);
  server.publish();
  await later(50);
  assert.deepEqual(tab.got, range(91, 93));
  assert.ok(holder.got.includes(93));
});

test("tabs that are restored all at once open a handful of streams", async (context) => {
  const { server, openTab } = makeBrowser(context);
  openTab(90);
  await later(300);
  const tabs = [];
  for (let n = 1; n < 20; n += 1) {
    tabs.push(openTab(90, `product.${n}`));
    await later(10);
  }
  await later(300);
  server.publish("product.1");
  await later(50);
  assert.ok(server.opened.length <= 5, `${server.opened.length} streams`);
  assert.deepEqual(tabs[0].got, [91]);
});

test("tabs that join leave a server that refuses its pause", async (context) => {
  const { server, openTab } = makeBrowser(context);
  server.refusal = { why: "refused", status: 503, retryAfter: 60_000 };
  openTab(90);
  await later(300);
  for (let n = 1; n < 5; n += 1) {
    openTab(90, `product.${n}`);
    await later(150);
  }
  assert.deepEqual(server.opened, [90]);
});

test("a cursor that is too old resets its own tab alone", async (context) => {
  const { server, openTab } = makeBrowser(context);
  const holder = openTab(90);
  await later(300);
  for (let n = 0; n < 10; n++) server.publish();
  server.floor = 95;
  const old = openTab(40);
  const other = openTab(97, "product.7");
  await later(50);
  server.publish(); // the holder hears it, the others wait for their stream
  await later(300);
  server.publish();
  await later(50);
  assert.deepEqual(holder.got, range(91, 102));
  assert.deepEqual(old.got, ["reset", 102]);
  assert.deepEqual(other.got, range(98, 102));
  assert.deepEqual(server.opened, [90, 40, 97]);
});

test("a tab takes over, and misses nothing", async (context) => {
  const { server, openTab } = makeBrowser(context);
  const holder = openTab(90);
  const other = openTab(90);
  await later(300);
  server.publish();
  await later(50);
  holder.stream.stop();
  server.publish();
  await later(300);
  server.publish();
  await later(50);
  assert.deepEqual(other.got, range(91, 93));
});

test("a tab that an event did not reach asks for it", async (context) => {
  const { server, openTab } = makeBrowser(context);
  openTab(90);
  const tab = openTab(90);
  await later(300);
  server.publish();
  await later(5);
  tab.channel.loses = () => true;
  server.publish();
  server.publish();
  await later(5);
  tab.channel.loses = () => false;
  server.publish();
  await later(20);
  assert.deepEqual(tab.got, range(91, 94));
  assert.deepEqual(server.opened, [90], "the tab that holds the stream has it");
});

test("a tab passes over nothing, whatever is lost", async (context) => {
  const { server, openTab } = makeBrowser(context);
  openTab(90);
  const tab = openTab(90);
  await later(300);
  let step = 0;
  tab.channel.loses = () => (step = (step * 5 + 1) % 64) % 3 === 0;
  for (let n = 0; n < 200; n += 1) {
    server.publish();
    if (n % 7 === 0) await later(2);
    assert.deepEqual(tab.got, range(91, 90 + tab.got.length));
  }
  tab.channel.loses = () => false;
  tab.stream.open(); // it is looked at: its hello or the answer may have been lost
  await later(20);
  assert.deepEqual(tab.got, range(91, 290));
});
