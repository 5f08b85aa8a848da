/**
 * One stream for all tabs of a browser. HTTP/1.1 allows six connections a host.
 *
 * A Web Lock elects the tab that holds the stream; it hands every event on through a
 * BroadcastChannel. A tab tells the holder where it stands when it joins, wakes or listens to
 * something else, and is served from the holder's last events, else the stream is opened anew.
 */

import { Desk } from "./desk.js";
import { Stream } from "./stream.js";

/** @typedef {import("./transport-sse.js").WireEvent} WireEvent */
/** @typedef {import("./stream.js").Position} Position */
/** @typedef {import("./stream.js").State} State */
/** @typedef {import("./stream.js").StreamOptions} StreamOptions */

/**
 * What tabs say to one another. hello: a tab's position; welcome: the holder's answer to it, not
 * complete where the stream is opened again for what it missed;
 * roll-call: a new holder asks for everybody's hello; events, state: news from the holder; refused:
 * a channel that may not be heard; bye: a tab leaves.
 * @typedef {{kind: "hello", from: string, position: Position}
 *   | {kind: "welcome", to: string, state: State, events: WireEvent[],
 *       isComplete: boolean}
 *   | {kind: "roll-call"}
 *   | {kind: "events", events: WireEvent[]}
 *   | {kind: "state", state: State}
 *   | {kind: "refused", channel: string}
 *   | {kind: "bye", from: string, wasHolder: boolean}} TabMessage
 */

/** How long a new holder waits for the other tabs' positions. */
const ROLL_CALL_MS = 100;
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
  /** From our hello until what we missed is on its way: later events must not overtake it. */
  #isJoining = false;
  /** While a new holder waits for the other tabs' positions. */
  #isGathering = false;
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
    }
  }

  /** @returns {Promise<void>} settles when the lock is given back */
  async #hold() {
    if (this.#channel === null) return;
    this.#options.log("this tab holds the stream");
    clearTimeout(this.#patience);
    this.#holds = true;
    this.#isJoining = false;
    this.#isGathering = true;
    this.#desk = new Desk();
    const released = new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
      this.#release = resolve;
    });
    this.#say({ kind: "roll-call" });
    setTimeout(() => {
      this.#isGathering = false;
      if (this.#holds) this.#stream.open();
    }, ROLL_CALL_MS);
    await released;
  }

  #resign() {
    this.#holds = false;
    this.#stream.stop();
    this.#release();
  }

  // --- between the tabs ---------------------------------------------------------------------

  /** @param {TabMessage} message */
  #hear(message) {
    if (this.#holds) {
      if (message.kind === "hello") this.#serve(message.from, message.position);
      if (message.kind === "bye") this.#desk.leave(message.from);
      return;
    }
    if (message.kind === "hello" || (message.kind === "welcome" && message.to !== this.#tab)) return;
    if (message.kind === "bye") {
      if (message.wasHolder) this.#expectAnswer(SUCCESSION_MS);
      return;
    }
    this.#listenOn();
    if (message.kind === "roll-call") this.#sayHello();
    if (message.kind === "welcome" && message.isComplete) this.#isJoining = false;
    if (message.kind === "events" || message.kind === "welcome") {
      for (const event of message.events) this.#take(event);
    }
    if (message.kind === "welcome" || message.kind === "state") this.#setState(message.state);
    if (message.kind === "refused") this.#options.onRefused(message.channel);
  }

  /** @param {WireEvent} event */
  #take(event) {
    const { cursor } = this.#ownPosition();
    // The stream was opened again for us: it begins at or before what we have seen.
    const reachesUs = cursor === null || (event.id ?? Infinity) <= cursor;
    if (event.type === "connected" && reachesUs) this.#isJoining = false;
    if (!this.#isJoining) this.#options.onEvent(event);
  }

  #greet() {
    if (this.#holds) {
      this.#serve(this.#tab, this.#ownPosition());
    } else {
      this.#sayHello();
      this.#expectAnswer(ANSWER_MS);
    }
  }

  #sayHello() {
    this.#isJoining = true;
    this.#say({ kind: "hello", from: this.#tab, position: this.#ownPosition() });
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
   * @param {string} tab
   * @param {Position} position
   */
  #serve(tab, position) {
    const missed = this.#desk.join(tab, position);
    this.#say({
      kind: "welcome",
      to: tab,
      state: this.#state,
      events: missed ?? [],
      isComplete: missed !== null,
    });
    if (missed === null && !this.#isGathering) this.#stream.open();
  }

  /** @returns {Position | null} */
  #openDesk() {
    this.#desk.join(this.#tab, this.#ownPosition());
    const position = this.#desk.open();
    return position.channels.length === 0 && this.#options.position() === null ? null : position;
  }

  /** @returns {Position} */
  #ownPosition() {
    return this.#options.position() ?? { channels: [], cursor: null };
  }

  /** @param {WireEvent} event */
  #handOn(event) {
    this.#desk.add(event);
    this.#say({ kind: "events", events: [event] });
    this.#options.onEvent(event);
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
