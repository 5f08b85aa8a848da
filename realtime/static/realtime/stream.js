/**
 * One stream that is kept open: it comes back by itself, without end, as often as it is cut.
 */

import { nextStep } from "./comeback.js";

/** @typedef {import("./comeback.js").Ending} Ending */
/** @typedef {import("./transport-sse.js").Attempt} Attempt */
/** @typedef {import("./transport-sse.js").WireEvent} WireEvent */

/**
 * live: frames come; connecting: the first attempt is under way; lost: it will come back by itself;
 * offline: the browser has no network; logged-out, refused: it will not come back by itself.
 * @typedef {"connecting" | "live" | "lost" | "offline" | "logged-out" | "refused"} State
 */

/**
 * @typedef {object} StreamOptions
 * @property {(attempt: Attempt) => Promise<Ending>} transport
 * @property {string} url
 * @property {(() => Promise<string>) | undefined} ticket asked for before every attempt
 * @property {() => {channels: string[], cursor: number | null}} position what to ask for, read
 *   anew before every attempt
 * @property {(event: WireEvent) => void} onEvent
 * @property {(state: State) => void} onState
 * @property {(channel: string) => void} onRefused a channel that may not be heard; position() must
 *   not name it again
 * @property {(...words: unknown[]) => void} log
 */

/** A stream that is silent for so long is dead: the server speaks every 20 seconds. */
export const SILENCE_MS = 45_000;
/** Only a stream that has lived so long ends a row of failures. */
const STABLE_MS = 10_000;

export class Stream {
  #options;
  /** @type {AbortController | null} */
  #run = null;
  #failures = 0;
  #heardAt = 0;
  #wasLive = false;

  /** @param {StreamOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /** Open the stream, or open it again at once with what position() says now. */
  open() {
    this.#run?.abort();
    this.#run = new AbortController();
    void this.#keepOpen(this.#run.signal);
  }

  /** End it and stay away. */
  stop() {
    this.#run?.abort();
    this.#run = null;
    this.#wasLive = false;
    this.#failures = 0;
  }

  /** @param {AbortSignal} signal aborts this run; a later open() has its own */
  async #keepOpen(signal) {
    const { onState, onRefused, log, ticket } = this.#options;
    while (!signal.aborted) {
      await this.#untilOnline(signal);
      if (signal.aborted) return;
      if (!this.#wasLive) onState("connecting");
      const openedAt = Date.now();
      const { channels, cursor } = this.#options.position();
      const ending = await this.#attempt(channels, cursor, signal, () => {
        this.#wasLive = true;
        onState("live");
      });
      if (signal.aborted) return;
      if (Date.now() - openedAt >= STABLE_MS) this.#failures = 0;
      const step = nextStep(ending, { failures: this.#failures, hasTicket: ticket !== undefined });
      this.#failures += 1;
      log("ended", ending, step);
      if (step.step === "stop") {
        onState(step.reason === "forbidden" ? "refused" : "logged-out");
        return;
      }
      onState(navigator.onLine === false ? "offline" : "lost");
      await pause(step.after, signal);
      if (step.step === "probe" && !signal.aborted) {
        const left = await this.#dropRefused(channels, signal);
        if (left === 0 && channels.length > 0 && this.#options.position().channels.length > 0) {
          log("every channel is refused");
        }
        for (const channel of this.#refusedLast.splice(0)) onRefused(channel);
      }
    }
  }
}
