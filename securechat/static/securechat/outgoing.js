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
/** The server takes it neither now nor later. */
const HOPELESS = new Set([400, 409, 413]);
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

export class Outgoing {
  #ledger;
  #api;
  #agreement;
  #catchUp;
  #onChange;
  #pause = FIRST_PAUSE_MS;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry = undefined;

  /**
   * @param {Ledger} ledger
   * @param {ChatApi} api
   * @param {KeyAgreement} agreement
   * @param {{catchUp: () => Promise<void>, onChange: () => void}} callbacks catchUp: take in what the
   *   server has; onChange: something that is shown has changed
   */
  constructor(ledger, api, agreement, { catchUp, onChange }) {
    this.#ledger = ledger;
    this.#api = api;
    this.#agreement = agreement;
    this.#catchUp = catchUp;
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
    const isNews = delivered.length > 0 || read.length > 0;
    record.deliveredPlace = delivered.at(-1)?.place ?? record.deliveredPlace;
    // What was read while it was not to be told is not told later.
    record.readToldPlace = tellsRead ? (read.at(-1)?.place ?? record.readToldPlace) : record.readPlace;
    const ids = { delivered: delivered.map(({ id }) => id), read: read.map(({ id }) => id) };
    const entries = isNews ? [this.#makeOwn(record, { kind: "receipt", ...ids })] : [];
    await this.#ledger.database.save({ channel: record, entries });
    return isNews;
  }

  /**
   * Write again what the server did not take.
   * @param {Entry} entry that failed
   */
  async writeAgain(entry) {
    const content = { ...entry.content, id: crypto.randomUUID() };
    const again = { ...entry, id: content.id, content, mark: /** @type {const} */ ("waiting") };
    await this.#ledger.change(() => this.#ledger.database.save({ entries: [again] }));
    await this.flush();
  }

  /** Send what waits, in its order: stored before and sent twice at worst, it arrives once. */
  async flush() {
    clearTimeout(this.#retry);
    await this.#ledger.sendInTurn(async () => {
      let isCaughtUp = false;
      for (;;) {
        const next = await this.#ledger.change((record) => this.#sealNext(record, isCaughtUp));
        if (next === null) break;
        if (next === "behind") {
          await this.#catchUp();
          isCaughtUp = true;
        } else if (!(await this.#post(next))) break;
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
   * @param {boolean} isCaughtUp
   * @returns {Promise<Entry | "behind" | null>} behind: the server may have it with older keys
   */
  async #sealNext(record, isCaughtUp) {
    const epoch = record.epochs[record.epoch];
    if (!epoch?.state || !(await this.#agreement.maySend())) return null;
    const entry = await this.#ledger.firstWaiting();
    if (entry === undefined) return null;
    if (entry.envelope && entry.epoch === record.epoch) return entry;
    if (entry.envelope && !isCaughtUp) return "behind";
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
      await this.#noteSent(entry, "sent", { seq, at: sentAt });
      this.#pause = FIRST_PAUSE_MS;
      return true;
    } catch (error) {
      if (error instanceof Refused && SESSION_CHANGED.includes(error.code)) {
        void this.#adoptNews();
        return false;
      }
      if (error instanceof Refused && HOPELESS.has(error.status)) {
        await this.#noteSent(entry, "failed", {});
        return true;
      }
      this.#retryLater();
      return false;
    }
  }

  /** See what the session is now, and send what it lets through. */
  async #adoptNews() {
    try {
      await this.#agreement.adopt(await this.#api.session());
      await this.flush();
    } catch {
      this.#retryLater();
    }
  }

  #retryLater() {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.flush().catch(() => this.#retryLater()), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  /**
   * @param {Entry} entry
   * @param {"sent" | "failed"} mark
   * @param {{seq?: number, at?: string}} facts
   */
  async #noteSent(entry, mark, facts) {
    await this.#ledger.change(async () => {
      const now = await this.#ledger.entry(entry.id);
      // One of the two may have deleted it meanwhile.
      if (now === undefined) return;
      // Nobody looks at a receipt again.
      const content = now.kind === "receipt" ? { kind: now.kind, id: now.id } : now.content;
      const sent = { ...now, ...facts, content, envelope: null, mark: furthest(now.mark, mark) };
      await this.#ledger.database.save({ entries: [sent] });
    });
  }
}
