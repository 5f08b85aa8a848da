/**
 * What goes out: stored first, encrypted when there are keys, sent in its order, and sent again under
 * the same id when nobody knows whether it arrived.
 */

import { Refused } from "./api.js";
import { encodeContent, MAX_RECEIPTS, withConfirmation } from "./content.js";
import { encodeBase64url } from "./crypto/bytes.js";
import { seal } from "./crypto/ratchet.js";
import { furthest } from "./marks.js";

/** @typedef {import("./agreement.js").KeyAgreement} KeyAgreement */
/** @typedef {import("./api.js").ChatApi} ChatApi */
/** @typedef {import("./content.js").Content} Content */
/** @typedef {import("./database.js").ChannelRecord} ChannelRecord */
/** @typedef {import("./database.js").Entry} Entry */
/** @typedef {import("./ledger.js").Ledger} Ledger */

/** After these there are other keys, or none: the message waits for what comes. */
const SESSION_CHANGED = ["stale_epoch", "session_not_active", "session_closed", "blocked"];

export class Outgoing {
  #ledger;
  #api;
  #agreement;
  #onChange;

  /**
   * @param {Ledger} ledger
   * @param {ChatApi} api
   * @param {KeyAgreement} agreement
   * @param {() => void} onChange something that is shown has changed
   */
  constructor(ledger, api, agreement, onChange) {
    this.#ledger = ledger;
    this.#api = api;
    this.#agreement = agreement;
    this.#onChange = onChange;
  }

  /**
   * Write a message: it is stored at once, and sent as soon as it can be.
   * @param {{kind: string, [field: string]: any}} content without its id
   */
  async write(content) {
    await this.#ledger.change((record) => {
      const entry = this.#makeOwn(record, content);
      return this.#ledger.database.save({ channel: record, entries: [entry] });
    });
    this.#onChange();
    await this.flush();
  }

  /**
   * Tell the other one what arrived and what was read since it was last told.
   * @param {{tellsRead: boolean}} choice
   */
  async acknowledge({ tellsRead }) {
    if (!(await this.#agreement.maySend())) return;
    const isTold = await this.#ledger.change((record) => this.#writeReceipt(record, tellsRead));
    if (isTold) await this.flush();
  }

  /**
   * @param {ChannelRecord} record
   * @param {boolean} tellsRead
   * @returns {Promise<boolean>} whether there was anything to tell
   */
  async #writeReceipt(record, tellsRead) {
    const theirs = (await this.#ledger.entries()).filter(({ from }) => from === "them");
    const delivered = theirs.filter(({ place }) => place > record.deliveredPlace).slice(0, MAX_RECEIPTS);
    const isRead = (/** @type {Entry} */ { place }) => place > record.readToldPlace && place <= record.readPlace;
    const read = tellsRead ? theirs.filter(isRead).slice(0, MAX_RECEIPTS) : [];
    if (delivered.length === 0 && read.length === 0) return false;
    record.deliveredPlace = delivered.at(-1)?.place ?? record.deliveredPlace;
    record.readToldPlace = read.at(-1)?.place ?? record.readToldPlace;
    const ids = { delivered: delivered.map(({ id }) => id), read: read.map(({ id }) => id) };
    const entry = this.#makeOwn(record, { kind: "receipt", ...ids });
    await this.#ledger.database.save({ channel: record, entries: [entry] });
    return true;
  }

  /** Send what waits, in its order: stored before and sent twice at worst, it arrives once. */
  async flush() {
    await this.#ledger.sendInTurn(async () => {
      for (;;) {
        const next = await this.#ledger.change((record) => this.#sealNext(record));
        if (next === null || !(await this.#post(next))) break;
        this.#onChange();
      }
    });
    this.#onChange();
  }

  /**
   * @param {ChannelRecord} record
   * @param {{kind: string, [field: string]: any}} content
   * @returns {Entry} that waits to be sent
   */
  #makeOwn(record, content) {
    const facts = { from: /** @type {const} */ ("me"), epoch: record.epoch, seq: null };
    const said = { ...content, id: crypto.randomUUID() };
    const entry = this.#ledger.makeEntry(record, { ...facts, at: new Date().toISOString(), content: said });
    return { ...entry, mark: "waiting" };
  }

  /**
   * The first message that waits, encrypted and stored for the present epoch.
   * @param {ChannelRecord} record
   * @returns {Promise<Entry | null>}
   */
  async #sealNext(record) {
    const epoch = record.epochs[record.epoch];
    if (!epoch?.state || !(await this.#agreement.maySend())) return null;
    const entries = await this.#ledger.entries();
    const entry = entries.find(({ mark }) => mark === "waiting");
    if (entry === undefined) return null;
    if (entry.envelope && entry.epoch === record.epoch) return entry;
    const content = /** @type {Content} */ (entry.content);
    const { confirm, isFirstChain } = epoch.state;
    const said = isFirstChain ? withConfirmation(content, confirm) : content;
    const { state, envelope } = await seal(epoch.state, encodeContent(said));
    epoch.state = state;
    const sealed = { ...entry, envelope, epoch: record.epoch };
    await this.#ledger.database.save({ channel: record, entries: [sealed] });
    return sealed;
  }

  /**
   * @param {Entry} entry
   * @returns {Promise<boolean>} whether the next one may follow
   */
  async #post(entry) {
    const { id, epoch, envelope } = entry;
    const bytes = /** @type {Uint8Array} */ (envelope);
    try {
      const message = { clientMessageId: id, epoch, envelope: encodeBase64url(bytes) };
      const { seq, sentAt } = await this.#api.send(message);
      await this.#noteSent(entry, { seq, at: sentAt });
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) return false; // no answer: it waits, and is sent again
      if (SESSION_CHANGED.includes(error.code)) {
        void this.#api.session().then((session) => this.#agreement.adopt(session)).then(this.#onChange);
        return false;
      }
      if (error.status >= 500 || error.status === 429) return false;
      await this.#noteSent(entry, {}, "failed");
      return true;
    }
  }

  /**
   * @param {Entry} entry
   * @param {{seq?: number, at?: string}} facts
   * @param {"sent" | "failed"} [mark]
   */
  async #noteSent(entry, facts, mark = "sent") {
    await this.#ledger.change(async () => {
      const now = (await this.#ledger.entry(entry.id)) ?? entry;
      const entries = [{ ...now, ...facts, envelope: null, mark: furthest(now.mark, mark) }];
      await this.#ledger.database.save({ entries });
    });
  }
}
