/**
 * The record of one channel in this browser, and what its conversation shows.
 *
 * All changes happen under a lock of the browser, so that its tabs share one state.
 */

/** @typedef {import("./database.js").ChannelRecord} ChannelRecord */
/** @typedef {import("./database.js").ChatDatabase} ChatDatabase */
/** @typedef {import("./database.js").Entry} Entry */

export class Ledger {
  /**
   * @param {ChatDatabase} database
   * @param {string} sessionId
   */
  constructor(database, sessionId) {
    this.database = database;
    this.sessionId = sessionId;
  }

  /**
   * @template T
   * @param {(record: ChannelRecord) => Promise<T>} work on the stored record, which nobody else changes
   *   meanwhile; it stores what it changed
   * @returns {Promise<T>}
   */
  change(work) {
    return navigator.locks.request(`secure-chat ${this.sessionId}`, async () => work(await this.#read()));
  }

  /**
   * One at a time, and not in the way of what comes.
   * @param {() => Promise<void>} work
   */
  sendInTurn(work) {
    return navigator.locks.request(`secure-chat out ${this.sessionId}`, work);
  }

  /** @returns {Promise<Entry[]>} */
  entries() {
    return this.database.entries(this.sessionId);
  }

  /**
   * @param {string} id a message's
   * @returns {Promise<Entry | undefined>}
   */
  entry(id) {
    return this.database.entry(this.sessionId, id);
  }

  /** @returns {Promise<Entry | undefined>} the first message that waits to be sent */
  firstWaiting() {
    return this.database.firstWaiting(this.sessionId);
  }

  /**
   * The next entry, still to be stored with the record.
   * @param {ChannelRecord} record
   * @param {Pick<Entry, "from" | "epoch" | "seq" | "at"> & {content: Record<string, any>}} facts
   * @returns {Entry}
   */
  makeEntry(record, { content, ...facts }) {
    const place = record.nextPlace;
    record.nextPlace += 1;
    const { kind, id } = content;
    return { sessionId: this.sessionId, place, id, kind, content, ...facts };
  }

  /**
   * What the browser itself has to say, still to be stored with the record.
   * @param {ChannelRecord} record
   * @param {string} kind
   * @param {Record<string, any>} [content]
   * @param {{seq: number | null, at: string}} [about] the message that it stands for
   * @returns {Entry}
   */
  makeNotice(record, kind, content = {}, about = { seq: null, at: new Date().toISOString() }) {
    const facts = { from: /** @type {const} */ ("notice"), epoch: record.epoch, ...about };
    return this.makeEntry(record, { ...facts, content: { ...content, kind, id: crypto.randomUUID() } });
  }

  /**
   * Store the record, and a notice unless it was the last thing said.
   * @param {ChannelRecord} record
   * @param {string} kind
   */
  async note(record, kind) {
    const last = (await this.entries()).at(-1);
    const isSaid = last?.kind === kind && last.epoch === record.epoch;
    const entries = isSaid ? [] : [this.makeNotice(record, kind)];
    await this.database.save({ channel: record, entries });
  }

  /** @returns {Promise<ChannelRecord>} */
  async #read() {
    const present = await this.database.channel(this.sessionId);
    if (present !== undefined) return present;
    const { sessionId } = this;
    const places = { nextPlace: 1, readPlace: 0, readToldPlace: 0, deliveredPlace: 0 };
    const newest = { bound: null, version: 0, epoch: 0, messageEpoch: 0, lastSeq: 0 };
    return { sessionId, ...newest, epochs: {}, ...places };
  }
}
