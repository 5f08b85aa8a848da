/**
 * What the tab that holds the shared stream knows of the others: who listens to what, and the last
 * events, from which a tab that joins or wakes is served. No I/O.
 */

/** @typedef {import("./transport-sse.js").WireEvent} WireEvent */
/** @typedef {import("./stream.js").Position} Position */

export const KEPT_EVENTS = 1_000;

export class Desk {
  /** @type {Map<string, Position>} */
  #tabs = new Map();
  /** @type {WireEvent[]} */
  #kept = [];
  /** Every later event of #covered is kept. @type {number | null} */
  #floor = null;
  /** How far the stream has come; null before its first id. @type {number | null} */
  #last = null;
  /** @type {Set<string>} */
  #covered = new Set();

  /**
   * A tab joins, wakes, or listens to something else.
   * @param {string} tab
   * @param {Position} position
   * @returns {WireEvent[] | null} what it has missed; null when only a new stream can tell
   */
  join(tab, position) {
    const missed = this.#missedBy(position);
    // A tab that is served goes along with the stream; the others' cursors wait for open().
    this.#tabs.set(tab, { ...position, cursor: missed === null ? position.cursor : null });
    return missed;
  }

  /**
   * @param {Position} position
   * @returns {WireEvent[] | null}
   */
  #missedBy({ channels, cursor }) {
    if (channels.some((channel) => !this.#covered.has(channel))) return null;
    if (cursor === null || (this.#last !== null && cursor >= this.#last)) return [];
    if (this.#floor === null || cursor < this.#floor) return null;
    return this.#kept.filter((event) => /** @type {number} */ (event.id) > cursor);
  }

  /** @param {string} tab */
  leave(tab) {
    this.#tabs.delete(tab);
  }

  /** @param {string} channel that may not be heard */
  refuse(channel) {
    for (const position of this.#tabs.values()) {
      position.channels = position.channels.filter((name) => name !== channel);
    }
  }

  /**
   * A stream is about to be opened.
   * @returns {Position} what it must ask for: all channels, from the lowest cursor on
   */
  open() {
    const tabs = [...this.#tabs.values()];
    const channels = new Set(tabs.flatMap((tab) => tab.channels));
    const cursors = [this.#last, ...tabs.map((tab) => tab.cursor)].filter((at) => at !== null);
    const cursor = cursors.length > 0 ? Math.min(...cursors) : null;
    const hasGrown = [...channels].some((channel) => !this.#covered.has(channel));
    if (hasGrown || cursor !== this.#last) {
      // What was kept lacks the new channels, or what came before: the replay brings all of it.
      this.#kept = [];
      this.#floor = cursor;
      this.#last = cursor;
    }
    for (const tab of tabs) tab.cursor = null;
    this.#covered = channels;
    return { channels: [...channels].sort(), cursor };
  }

  /**
   * The stream brought this.
   * @param {WireEvent} event
   */
  add(event) {
    if (typeof event.id !== "number") return;
    if (event.type === "reset") {
      this.#kept = [];
      this.#floor = event.id;
      this.#last = event.id;
      return;
    }
    if (this.#last !== null && event.id <= this.#last) return;
    this.#floor ??= event.id;
    this.#last = event.id;
    if (event.type === "connected" || event.type === "heartbeat") return;
    this.#kept.push(event);
    if (this.#kept.length > KEPT_EVENTS) {
      this.#floor = /** @type {number} */ (this.#kept.shift()?.id);
    }
  }
}
