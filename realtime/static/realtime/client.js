/**
 * The browser's end of the event stream.
 *
 *     import { connect, on, subscribe } from "./realtime/client.js";
 *     on("order-created", (event) => …event.data.order…);
 *     subscribe("availability");
 *     connect();
 *
 * Pages send by HTTP and listen here. A page of this site starts from the position in its
 * <meta name="event-position"> and uses its session; a page of another origin gives `url` and
 * `ticket`. Event types and channels: docs/events.md.
 */

import { SharedStream } from "./tabs.js";
import { Stream } from "./stream.js";
import { openSse } from "./transport-sse.js";
import { openWebSocket } from "./transport-websocket.js";

/** @typedef {import("./transport-sse.js").WireEvent} WireEvent */
/** @typedef {import("./stream.js").Position} Position */
/** @typedef {import("./stream.js").State} State */

/**
 * @typedef {object} ConnectOptions
 * @property {"sse" | "websocket"} [transport] "sse" unless said otherwise
 * @property {string} [url] of the stream; by default this site's
 * @property {(signal: AbortSignal) => Promise<string>} [ticket] gives a new ticket for every
 *   attempt, which the signal ends; without it the session cookie is the login
 * @property {number} [position] the cursor to start from, where no meta element says it
 * @property {boolean} [debug] logs events and attempts to the console
 * @property {(reload: () => boolean) => void} [onReset] brings the page's data up to date; reload
 *   loads the page anew; false where that did not help a moment ago: then onReset is called again
 *   when half a minute has gone by. By default reload itself
 */

/**
 * What on("connection", …) tells. heardAt: when the server was last heard, ms since the epoch.
 * @typedef {{state: State, since: number, heardAt: number}} Connection
 */

const URLS = { sse: "/api/events", websocket: "/ws/events" };
/** These may stand at the cursor itself: they say where the stream is, and change nothing. */
const SIGNS = new Set(["connected", "heartbeat"]);
const RELOAD_GUARD_MS = 30_000;
const RELOADED_AT = "events-reloaded-at";

/** @type {Map<string, Set<(event: any) => void>>} */
const listeners = new Map();
/** How many times each channel was asked for. @type {Map<string, number>} */
const wanted = new Map();
/** @type {ConnectOptions} */
let options = {};
/** @type {Stream | SharedStream | null} */
let source = null;
/** @type {number | null} */
let cursor = null;
/** @type {Connection} */
let connection = { state: "idle", since: Date.now(), heardAt: Date.now() };
let isScheduled = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let nextReload = undefined;

/**
 * Begin to listen; when the page is loaded, so that every module has said on() and subscribe()
 * first. A second call only changes `debug`.
 * @param {ConnectOptions} [given]
 */
export function connect(given = {}) {
  options = source === null ? given : { ...options, debug: given.debug };
  if (source !== null) return;
  cursor ??= given.position ?? readPosition();
  source = makeSource();
  addEventListener("pagehide", leave);
  addEventListener("pageshow", comeBack);
  reopen();
}

/** Stop listening. connect() goes on from where it was. */
export function disconnect() {
  removeEventListener("pagehide", leave);
  removeEventListener("pageshow", comeBack);
  clearTimeout(nextReload);
  source?.stop();
  source = null;
  setState("idle");
}

/**
 * @param {string} type of event (docs/events.md), "connection" for the state of the stream,
 *   "refused" for a channel that may not be heard, or "*" for every event
 * @param {(event: any) => void} callback gets the event as it stands on the wire
 * @returns {() => void} ends it
 */
export function on(type, callback) {
  const callbacks = listeners.get(type) ?? new Set();
  listeners.set(type, callbacks.add(callback));
  return () => callbacks.delete(callback);
}

/** Whether events come now. */
export function isConnected() {
  return connection.state === "live";
}

/**
 * Listen to a channel as well, from where this page is.
 * @param {string} channel "availability", "product.7"
 * @returns {() => void} ends it
 */
export function subscribe(channel) {
  const count = wanted.get(channel) ?? 0;
  wanted.set(channel, count + 1);
  if (count === 0) reopen();
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    const left = (wanted.get(channel) ?? 1) - 1;
    // What is no longer wanted is left out when the stream is next opened.
    if (left > 0) wanted.set(channel, left);
    else wanted.delete(channel);
  };
}

// --- the stream behind it -------------------------------------------------------------------

function makeSource() {
  const transport = options.transport ?? "sse";
  const url = new URL(options.url ?? URLS[transport], location.href).href;
  const streamOptions = {
    transport: transport === "sse" ? openSse : openWebSocket,
    url,
    ticket: options.ticket,
    position: readWishes,
    onEvent: receive,
    onState: setState,
    onRefused: forget,
    log,
  };
  const canShare = "locks" in navigator && options.ticket === undefined;
  if (!canShare) return new Stream(streamOptions);
  const { userId = "nobody", login = "" } = document.body.dataset;
  return new SharedStream(`events ${url} ${userId} ${login}`, streamOptions);
}

/** Open with what is wanted now; several wishes of one turn are one. */
function reopen() {
  if (source === null || isScheduled) return;
  isScheduled = true;
  void whenLoaded().then(() => {
    isScheduled = false;
    source?.open();
  });
}

function whenLoaded() {
  const [navigation] = performance.getEntriesByType("navigation");
  const isLoaded =
    document.readyState === "complete" ||
    /** @type {PerformanceNavigationTiming} */ (navigation).domContentLoadedEventStart > 0;
  return new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
    if (isLoaded) resolve();
    else document.addEventListener("DOMContentLoaded", resolve, { once: true });
  });
}

/** @returns {Position | null} */
function readWishes() {
  const isSomebody = "userId" in document.body.dataset || options.ticket !== undefined;
  if (!isSomebody && wanted.size === 0) return null;
  return { channels: [...wanted.keys()], cursor };
}

/** @returns {number | null} */
function readPosition() {
  const meta = document.querySelector('meta[name="event-position"]');
  const content = meta?.getAttribute("content");
  return content ? Number(content) : null;
}

/** @param {PageTransitionEvent} event */
function leave(event) {
  // A page that may come back from the cache must not hold a stream or a lock there.
  log("leaving", event.persisted);
  source?.stop();
}

/** @param {PageTransitionEvent} event */
function comeBack(event) {
  if (event.persisted) source?.open();
}

// --- what comes -----------------------------------------------------------------------------

/** @param {WireEvent} event */
function receive(event) {
  connection.heardAt = Date.now();
  if (event.type === "reset") {
    cursor = event.id ?? null;
    tell(event);
    bringUpToDate();
    return;
  }
  if (typeof event.id === "number") {
    // Replays for another tab, and what two holders sent, come twice.
    const isNew = cursor === null || event.id > cursor;
    if (!isNew && !SIGNS.has(event.type)) return;
    if (isNew) cursor = event.id;
  }
  if (event.type === "subscribed" && !wanted.has(event.data.channel)) return;
  tell(event);
}

/** @param {WireEvent} event */
function tell(event) {
  log(event.type, event);
  notify(event.type, event);
  notify("*", event);
}

/**
 * @param {string} type
 * @param {unknown} value
 */
function notify(type, value) {
  for (const callback of [...(listeners.get(type) ?? [])]) {
    try {
      callback(value);
    } catch (error) {
      // One listener's mistake must not keep the event from the others.
      reportError(error);
    }
  }
}

/** @param {State} state */
function setState(state) {
  if (state === connection.state) return;
  connection = { ...connection, state, since: Date.now() };
  log("connection", state);
  notify("connection", connection);
}

/** @param {string} channel */
function forget(channel) {
  if (wanted.delete(channel)) notify("refused", { type: "refused", data: { channel } });
}

function bringUpToDate() {
  if (options.onReset) options.onReset(reload);
  else reload();
}

/** Load the page anew; false when that was done a moment ago, and it is tried again later. */
function reload() {
  const age = Date.now() - Number(sessionStorage.getItem(RELOADED_AT) ?? 0);
  if (age >= 0 && age < RELOAD_GUARD_MS) {
    clearTimeout(nextReload);
    // A page that stayed as it is would be wrong for ever.
    nextReload = setTimeout(bringUpToDate, RELOAD_GUARD_MS - age);
    return false;
  }
  sessionStorage.setItem(RELOADED_AT, String(Date.now()));
  location.reload();
  return true;
}

/** @param {unknown[]} words */
function log(...words) {
  if (options.debug) console.debug("[events]", ...words);
}
