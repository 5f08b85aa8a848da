/**
 * One stream for all tabs of a browser. HTTP/1.1 allows six connections a host.
 *
 * A Web Lock elects the tab that holds the stream; it hands every event on through a
 * BroadcastChannel. A tab tells the holder where it stands when it joins, wakes or listens to
 * something else, and is served from the holder's last events, else the stream is opened anew.
 *
 * A browser may lose what is said to a tab while it stands still. Every event names the one before
 * it, so that the tab notices and asks again.
 */

import { Desk } from "./desk.js";
import { Stream } from "./stream.js";

/** @typedef {import("./transport-sse.js").WireEvent} WireEvent */
/** @typedef {import("./desk.js").Hello} Hello */
/** @typedef {import("./stream.js").State} State */
/** @typedef {import("./stream.js").StreamOptions} StreamOptions */

/**
 * What tabs say to one another. hello: a tab's position; welcome: the holder's answer to the hello of
 * that number, with what the tab missed until where the stream is, or null when another welcome
 * follows as soon as the stream is opened for it; roll-call: a new holder asks for everybody's hello;
 * event, reset, state: news from the holder, an event with how far the stream had come before it;
 * refused: a channel that may not be heard; bye: a tab leaves.
 * @typedef {({kind: "hello"} & Hello)
 *   | {kind: "welcome", to: string, number: number, state: State, reached: number | null,
 *      events: WireEvent[] | null}
 *   | {kind: "roll-call"}
 *   | {kind: "event", event: WireEvent, after: number | null}
 *   | {kind: "reset", to: string[], event: WireEvent}
 *   | {kind: "state", state: State}
 *   | {kind: "refused", channel: string}
 *   | {kind: "bye", from: string, wasHolder: boolean}} TabMessage
 */

/** How long the holder gathers tabs' positions before it opens one stream for all of them. */
const GATHER_MS = 100;
/** So long after a tab has left its channels are left, too. */
const NARROW_MS = 1_000;
/** The holder answers at once; one that does not is frozen or broken. */
const ANSWER_MS = 3_000;
/** After a holder has gone, the next one has the lock at once, unless it is frozen. */
const SUCCESSION_MS = 800;
/** The server speaks every 20 s, and the holder hands it on. */
const QUIET_MS = 25_000;

export class SharedStream {
  #tab = crypto.randomUUID();
  #name;
  #options;
  #stream;
  #desk = new Desk();
  /** @type {BroadcastChannel | null} */
  #channel = null;
  #holds = false;
  /** Until what we missed is on its way: later events must not overtake it. */
  #isJoining = false;
  /** How far the holder's stream had come when this tab last heard of it. @type {number | null} */
  #reached = null;
  /** How many hellos this tab has said. */
  #hellos = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #narrowing = undefined;
  /** While the holder gathers positions. @type {ReturnType<typeof setTimeout> | undefined} */
  #gathering = undefined;
  /** @type {State} */
  #state = "idle";
  /** @type {AbortController | null} */
  #waiting = null;
  /** @type {() => void} */
  #release = () => {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #patience = undefined;

  /**
   * @param {string} name of the lock and the channel: the same user and login only
   * @param {StreamOptions} options position() is this tab's own
   */
  constructor(name, options) {
    this.#name = name;
    this.#options = options;
    this.#stream = new Stream({
      ...options,
      position: () => this.#openDesk(),
      onEvent: (event) => this.#handOn(event),
      onState: (state) => this.#tellState(state),
      onRefused: (channel) => {
        this.#desk.refuse(channel);
        this.#say({ kind: "refused", channel });
        options.onRefused(channel);
      },
    });
  }

  /** Join the other tabs, or tell them that this one listens to something else now. */
  open() {
    if (this.#channel === null) {
      this.#channel = new BroadcastChannel(this.#name);
      this.#channel.onmessage = ({ data }) => this.#hear(data);
      document.addEventListener("visibilitychange", this.#wake);
      void this.#queue(false);
    }
    this.#greet();
  }

  /** Leave; the stream ends here and another tab takes over. */
  stop() {
    document.removeEventListener("visibilitychange", this.#wake);
    clearTimeout(this.#patience);
    this.#say({ kind: "bye", from: this.#tab, wasHolder: this.#holds });
    this.#waiting?.abort();
    this.#channel?.close();
    this.#channel = null;
    this.#resign();
  }

  #wake = () => {
    if (document.visibilityState === "visible") this.#greet();
  };

  // --- the election -------------------------------------------------------------------------

  /** @param {boolean} steal take the lock from a holder that does not answer */
  async #queue(steal) {
    this.#waiting?.abort();
    const waiting = new AbortController();
    this.#waiting = waiting;
    const options = steal ? { steal } : { signal: waiting.signal };
    try {
      await navigator.locks.request(this.#name, options, () => this.#hold());
    } catch (error) {
      // Given up by ourselves, or stolen from us: then this tab waits for its turn again.
      if (!(error instanceof DOMException) || error.name !== "AbortError") throw error;
      if (waiting.signal.aborted || this.#channel === null) return;
      this.#options.log("another tab took the stream over");
      this.#resign();
      void this.#queue(false);
      this.#greet();
    }
  }

  /** @returns {Promise<void>} settles when the lock is given back */
  async #hold() {
    if (this.#channel === null) return;
    this.#options.log("this tab holds the stream");
    clearTimeout(this.#patience);
    this.#holds = true;
    this.#desk = new Desk();
    const released = new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
      this.#release = resolve;
    });
    this.#say({ kind: "roll-call" });
    this.#gather();
    await released;
  }

  #resign() {
    this.#holds = false;
    this.#stopGathering();
    this.#stream.stop();
    this.#release();
  }

  // --- between the tabs ---------------------------------------------------------------------

  /** @param {TabMessage} message */
  #hear(message) {
    if (this.#holds) {
      if (message.kind === "hello") this.#welcome(message, this.#serve(message));
      if (message.kind === "bye") this.#forget(message.from);
      return;
    }
    if (message.kind === "hello" || (message.kind === "welcome" && message.to !== this.#tab)) return;
    if (message.kind === "bye") {
      if (message.wasHolder) this.#expectAnswer(SUCCESSION_MS);
      return;
    }
    // Events alone do not show that the holder has heard a hello: it or its answer may be lost.
    if (message.kind !== "event" || !this.#isJoining) this.#listenOn();
    if (message.kind === "roll-call") this.#sayHello();
    if (message.kind === "welcome" && message.events !== null && message.number === this.#hellos) {
      this.#isJoining = false;
      this.#reached = message.reached;
      for (const event of message.events) this.#take(event);
    }
    if (message.kind === "event") this.#follow(message.event, message.after);
    if (message.kind === "reset" && message.to.includes(this.#tab)) {
      this.#reached = message.event.id ?? null;
      this.#take(message.event);
    }
    if (message.kind === "welcome" || message.kind === "state") this.#setState(message.state);
    if (message.kind === "refused") this.#options.onRefused(message.channel);
  }

  /**
   * @param {WireEvent} event
   * @param {number | null} after how far the stream had come before it
   */
  #follow(event, after) {
    if (typeof event.id === "number" && !this.#isJoining) {
      if ((after ?? 0) > (this.#reached ?? 0)) this.#greet();
      else this.#reached = Math.max(this.#reached ?? 0, event.id);
    }
    this.#take(event);
  }

  /** @param {WireEvent} event */
  #take(event) {
    // What has no id moves no cursor, and does not come again.
    if (!this.#isJoining || event.id === undefined) this.#options.onEvent(event);
  }

  #greet() {
    if (this.#holds) {
      this.#isJoining = this.#serve(this.#makeHello()) === null;
    } else {
      this.#sayHello();
      this.#expectAnswer(ANSWER_MS);
    }
  }

  #sayHello() {
    this.#isJoining = true;
    this.#say({ kind: "hello", ...this.#makeHello() });
  }

  /** @returns {Hello} */
  #makeHello() {
    this.#hellos += 1;
    const position = this.#options.position() ?? { channels: [], cursor: null };
    return { from: this.#tab, number: this.#hellos, position };
  }

  /** The holder lives: look again when it has been quiet for long. */
  #listenOn() {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#greet(), QUIET_MS);
  }

  /** @param {number} milliseconds */
  #expectAnswer(milliseconds) {
    clearTimeout(this.#patience);
    // Not all at once: whoever is first is heard by the others.
    const spread = Math.random() * 500;
    this.#patience = setTimeout(() => {
      this.#options.log("the tab that holds the stream does not answer");
      void this.#queue(true);
    }, milliseconds + spread);
  }

  /** @param {TabMessage} message */
  #say(message) {
    this.#channel?.postMessage(message);
  }

  // --- what the holder does -----------------------------------------------------------------

  /**
   * @param {Hello} hello
   * @returns {WireEvent[] | null} what that tab missed; null: the stream is opened for it
   */
  #serve(hello) {
    const missed = this.#desk.join(hello);
    if (missed === null) this.#gather();
    return missed;
  }

  #welcome(/** @type {Hello} */ { from, number }, /** @type {WireEvent[] | null} */ events) {
    const { reached } = this.#desk;
    this.#say({ kind: "welcome", to: from, number, state: this.#state, reached, events });
  }

  /** @param {string} tab that has left */
  #forget(tab) {
    this.#desk.leave(tab);
    clearTimeout(this.#narrowing);
    // Who is loaded anew comes back at once. What nobody listens to any more makes others believe
    // that somebody does.
    this.#narrowing = setTimeout(() => this.#holds && this.#desk.hearsTooMuch && this.#stream.open(), NARROW_MS);
  }

  /** A browser restores its tabs all at once: open one stream for all who ask within a moment. */
  #gather() {
    this.#gathering ??= setTimeout(() => {
      this.#stopGathering();
      this.#stream.open();
    }, GATHER_MS);
  }

  #stopGathering() {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
  }

  /** What the stream that is about to be opened asks for; null for nothing. */
  #openDesk() {
    this.#stopGathering();
    this.#desk.join(this.#makeHello());
    const { waiting } = this.#desk;
    const position = this.#desk.open();
    // Nothing comes any more from the stream before: what comes now begins where they are.
    this.#isJoining = false;
    for (const hello of waiting) this.#welcome(hello, []);
    return position.channels.length === 0 && this.#options.position() === null ? null : position;
  }

  /** @param {WireEvent} event */
  #handOn(event) {
    if (event.type === "reset") return this.#handOnReset(event);
    this.#say({ kind: "event", event, after: this.#desk.reached });
    this.#desk.add(event);
    this.#take(event);
  }

  /** @param {WireEvent} event */
  #handOnReset(event) {
    const to = this.#desk.reset(event);
    this.#say({ kind: "reset", to, event });
    // At once: later events must not overtake what those miss who are further on.
    if (this.#desk.waiting.length > 0) this.#stream.open();
    if (to.includes(this.#tab)) this.#take(event);
  }

  /** @param {State} state */
  #tellState(state) {
    this.#say({ kind: "state", state });
    this.#setState(state);
  }

  /** @param {State} state */
  #setState(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState(state);
  }
}
