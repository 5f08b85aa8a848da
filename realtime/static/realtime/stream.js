/**
 * One stream that is kept open: it comes back by itself, without end, as often as it is cut.
 */

import { nextStep } from "./comeback.js";

/** @typedef {import("./comeback.js").Ending} Ending */
/** @typedef {import("./transport-sse.js").Attempt} Attempt */
/** @typedef {import("./transport-sse.js").WireEvent} WireEvent */

/**
 * idle: nothing has come yet, or there is nothing to listen to; live: events come; lost: it comes
 * back by itself; offline: the browser has no network; logged-out: it does not come back by itself.
 * @typedef {"idle" | "live" | "lost" | "offline" | "logged-out"} State
 */

/** What to ask for. @typedef {{channels: string[], cursor: number | null}} Position */

/**
 * @typedef {object} StreamOptions
 * @property {(attempt: Attempt) => Promise<Ending>} transport
 * @property {string} url
 * @property {((signal: AbortSignal) => Promise<string>) | undefined} ticket asked for before every
 *   attempt; the signal ends the attempt
 * @property {() => Position | null} position read before every attempt; null for nothing
 * @property {(event: WireEvent) => void} onEvent
 * @property {(state: State) => void} onState
 * @property {(channel: string) => void} onRefused a channel that may not be heard: position() must
 *   not name it again
 * @property {(...words: unknown[]) => void} log
 */

/** A stream that is silent for so long is dead: the server speaks every 20 seconds. */
export const SILENCE_MS = 45_000;
/** Only a stream that lived so long ends a row of failures. */
const STABLE_MS = 10_000;

export class Stream {
  #options;
  /** @type {AbortController | null} */
  #run = null;
  /**
   * over: it does not come back by itself; waiting: for its time or the network; trying: an attempt
   * is under way; live: events come.
   * @type {"over" | "waiting" | "trying" | "live"}
   */
  #phase = "over";
  /** Whether something else is asked for than what the attempt under way asked. */
  #isOutdated = false;
  #failures = 0;
  #heardAt = 0;

  /** @param {StreamOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /** Open the stream, or open it anew with what position() says now. */
  open() {
    // Whoever asks often must neither cut every attempt short nor spare the server the pauses.
    this.#isOutdated = this.#phase === "trying";
    if (this.#phase === "trying" || this.#phase === "waiting") return;
    this.#run?.abort();
    this.#phase = "waiting";
    this.#run = new AbortController();
    void this.#keepOpen(this.#run.signal);
  }

  /** End it and stay away. */
  stop() {
    this.#run?.abort();
    this.#run = null;
    this.#phase = "over";
    this.#failures = 0;
  }

  /** @param {AbortSignal} run aborts when the stream is stopped or opened anew */
  async #keepOpen(run) {
    const { onState, log, ticket } = this.#options;
    while (!run.aborted) {
      await untilOnline(run, () => onState("offline"));
      const position = this.#options.position();
      if (run.aborted) return;
      if (position === null) return this.#end("idle");
      this.#phase = "trying";
      this.#isOutdated = false;
      const openedAt = Date.now();
      const ending = await this.#attempt(position, run, () => this.#goLive());
      if (run.aborted) return;
      this.#phase = "waiting";
      if (Date.now() - openedAt >= STABLE_MS) this.#failures = 0;
      const step = nextStep(ending, { failures: this.#failures, hasTicket: ticket !== undefined });
      this.#failures += 1;
      log("ended", ending, step);
      if (step.step === "stop") return this.#end("logged-out");
      onState("lost");
      await pause(step.after, run);
      if (step.step === "probe") await this.#dropRefused(position.channels, run);
    }
  }

  #goLive() {
    this.#phase = "live";
    if (this.#isOutdated) this.open();
    else this.#options.onState("live");
  }

  /** @param {State} state */
  #end(state) {
    this.#phase = "over";
    this.#options.onState(state);
  }

  /**
   * One attempt, from the request to the end of what it opened.
   * @param {Position} position
   * @param {AbortSignal} run
   * @param {() => void} onLive
   * @param {(event: WireEvent) => void} onEvent
   * @returns {Promise<Ending>}
   */
  async #attempt(position, run, onLive, onEvent = this.#options.onEvent) {
    const { transport, url, ticket, log } = this.#options;
    const attempt = new AbortController();
    const signal = AbortSignal.any([run, attempt.signal]);
    this.#heardAt = Date.now();
    const watch = setInterval(() => {
      if (Date.now() - this.#heardAt >= SILENCE_MS) attempt.abort();
    }, 1_000);
    addEventListener("offline", () => attempt.abort(), { signal });
    try {
      const address = streamUrl(url, position, await unlessAborted(signal, ticket));
      log("attempt", this.#failures, position);
      return await transport({
        url: address,
        signal,
        onHeard: () => {
          this.#heardAt = Date.now();
        },
        onEvent: (event) => {
          if (event.type === "connected" && !signal.aborted) onLive();
          if (!signal.aborted) onEvent(event);
        },
      });
    } catch (error) {
      log("no ticket", error);
      return { why: "lost" };
    } finally {
      clearInterval(watch);
      attempt.abort();
    }
  }

  /**
   * The server does not say which of several channels it refuses: ask for each alone.
   * @param {string[]} channels
   * @param {AbortSignal} run
   */
  async #dropRefused(channels, run) {
    for (const channel of channels) {
      if (run.aborted) return;
      const probe = new AbortController();
      const signal = AbortSignal.any([run, probe.signal]);
      const position = { channels: [channel], cursor: null };
      const ending = await this.#attempt(position, signal, () => probe.abort(), () => {});
      const step = nextStep(ending, { failures: 0, hasTicket: true });
      if (step.step === "probe") this.#options.onRefused(channel);
    }
  }
}

/**
 * @param {string} base
 * @param {Position} position
 * @param {string} [ticket]
 * @returns {URL}
 */
export function streamUrl(base, { channels, cursor }, ticket) {
  const url = new URL(base, globalThis.location?.href);
  if (channels.length > 0) url.searchParams.set("channels", channels.join(","));
  if (cursor !== null) url.searchParams.set("lastEventId", String(cursor));
  if (ticket !== undefined) url.searchParams.set("ticket", ticket);
  return url;
}

/**
 * What is asked for; rejects when the signal aborts first, whether the work heeds it or not.
 * @template T
 * @param {AbortSignal} signal
 * @param {((signal: AbortSignal) => Promise<T>) | undefined} work
 * @returns {Promise<T | undefined>}
 */
function unlessAborted(signal, work) {
  const aborted = new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return Promise.race([work?.(signal), aborted]);
}

/**
 * @param {number} milliseconds cut short when the network comes back
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const over = new AbortController();
    const finish = () => {
      clearTimeout(timer);
      over.abort();
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    signal.addEventListener("abort", finish, { signal: over.signal });
    addEventListener("online", finish, { signal: over.signal });
    if (signal.aborted) finish();
  });
}

/**
 * @param {AbortSignal} signal
 * @param {() => void} onOffline called when it has to wait
 */
async function untilOnline(signal, onOffline) {
  while (navigator.onLine === false && !signal.aborted) {
    onOffline();
    // "online" ends the pause; the hour only bounds it.
    await pause(3_600_000, signal);
  }
}
