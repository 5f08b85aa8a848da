/**
 * What the tab that holds the shared stream knows of the others: who listens to what, and the last
 * events, from which a tab that joins or wakes is served. No I/O.
 */

/** @typedef {import("./transport-sse.js").WireEvent} WireEvent */
/** @typedef {import("./stream.js").Position} Position */

export const KEPT_EVENTS = 1_000;

/**
 * A tab joins, wakes, or listens to something else; number: how many times it has said so.
 * @typedef {{from: string, number: number, position: Position}} Hello
 */

/**
 * What is known of a tab. cursor: where it was when the stream was last opened, or when it joined
 * after that; isWaiting: only a stream that is opened anew can tell it what it missed.
 * @typedef {Position & {hello: Hello, isWaiting: boolean}} Seat
 */

export class Desk {
  /** @type {Map<string, Seat>} */
  #tabs = new Map();
  /** @type {WireEvent[]} */
  #kept = [];
  /** Every later event of #covered is kept. @type {number | null} */
  #floor = null;
  /** @type {number | null} */
  #reached = null;
  /** @type {Set<string>} */
  #covered = new Set();
  /** What the stream last said of who is where: it has no id, and is said once. @type {Map<string, WireEvent>} */
  #presence = new Map();

  /**
   * @param {Hello} hello
   * @returns {WireEvent[] | null} what the tab has missed; null when only a new stream can tell
   */
  join(hello) {
    const missed = this.#missedBy(hello.position);
    this.#tabs.set(hello.from, { ...hello.position, hello, isWaiting: missed === null });
    return missed && [...missed, ...this.#presence.values()];
  }

  /** How far the stream has come; null before its first id. */
  get reached() {
    return this.#reached;
  }

  /** The last words of the tabs that wait for a stream that is opened anew. */
  get waiting() {
    return [...this.#tabs.values()].filter((seat) => seat.isWaiting).map((seat) => seat.hello);
  }

  /**
   * @param {Position} position
   * @returns {WireEvent[] | null}
   */
  #missedBy({ channels, cursor }) {
    if (channels.some((channel) => !this.#covered.has(channel))) return null;
    if (cursor === null || (this.#reached !== null && cursor >= this.#reached)) return [];
    if (this.#floor === null || cursor < this.#floor) return null;
    return this.#kept.filter((event) => /** @type {number} */ (event.id) > cursor);
  }

  /** @param {string} tab */
  leave(tab) {
    this.#tabs.delete(tab);
  }

  /** Whether the stream hears channels that no tab wants any more. */
  get hearsTooMuch() {
    const wanted = new Set([...this.#tabs.values()].flatMap((seat) => seat.channels));
    return [...this.#covered].some((channel) => !wanted.has(channel));
  }

  /** @param {string} channel that may not be heard */
  refuse(channel) {
    for (const seat of this.#tabs.values()) {
      seat.channels = seat.channels.filter((name) => name !== channel);
    }
  }

  /**
   * A stream is about to be opened.
   * @returns {Position} what it must ask for: all channels, from the lowest cursor on
   */
  open() {
    const seats = [...this.#tabs.values()];
    const channels = new Set(seats.flatMap((seat) => seat.channels));
    const waiting = seats.filter((seat) => seat.isWaiting).map((seat) => seat.cursor);
    const cursors = [this.#reached, ...waiting].filter((at) => at !== null);
    const cursor = cursors.length > 0 ? Math.min(...cursors) : null;
    for (const seat of seats) {
      // The others came along with the stream.
      if (!seat.isWaiting && this.#reached !== null) seat.cursor = Math.max(seat.cursor ?? 0, this.#reached);
      seat.isWaiting = false;
    }
    const hasGrown = [...channels].some((channel) => !this.#covered.has(channel));
    if (hasGrown || cursor !== this.#reached) {
      // What was kept lacks the new channels, or what came before: the replay brings all of it.
      this.#kept = [];
      this.#floor = cursor;
      this.#reached = cursor;
    }
    this.#covered = channels;
    // A new stream begins with who is there.
    this.#presence.clear();
    return { channels: [...channels].sort(), cursor };
  }

  /**
   * The stream brought this.
   * @param {WireEvent} event
   */
  add(event) {
    if (event.type === "presence") this.#presence.set(`${event.data.channel} ${event.data.userId}`, event);
    if (typeof event.id !== "number") return;
    if (this.#reached !== null && event.id <= this.#reached) return;
    this.#floor ??= event.id;
    this.#reached = event.id;
    if (event.type === "connected" || event.type === "heartbeat") return;
    this.#kept.push(event);
    if (this.#kept.length > KEPT_EVENTS) {
      this.#floor = /** @type {number} */ (this.#kept.shift()?.id);
    }
  }

  /**
   * The stream goes on at the head of the log, without what came after the place where it was. A tab
   * that has seen more than the stream so far may well be served from its own place: it waits.
   * @param {WireEvent} event the `reset`
   * @returns {string[]} the tabs that missed what there is no more
   */
  reset(event) {
    const head = event.id ?? null;
    const place = this.#reached ?? Infinity;
    const missed = [];
    for (const [tab, seat] of this.#tabs) {
      // Where the log never had the lowest cursor, it never had the others.
      const isAhead = event.data.reason === "cursor-too-old" && (seat.cursor ?? 0) > place;
      seat.isWaiting ||= isAhead;
      if (seat.isWaiting) continue;
      seat.cursor = head;
      missed.push(tab);
    }
    this.#kept = [];
    this.#floor = head;
    this.#reached = head;
    return missed;
  }
}
