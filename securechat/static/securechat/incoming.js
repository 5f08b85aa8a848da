/**
 * What comes: messages in the order of the server's numbers, each once, whichever way it came.
 *
 * A message that cannot be shown as genuine leaves a notice in its place, and changes nothing else.
 */

import { isMessage } from "./api.js";
import { confirms, decodeContent } from "./content.js";
import { decodeBase64url, encodeBase64url } from "./crypto/bytes.js";
import { ChatError } from "./crypto/chat-error.js";
import { open } from "./crypto/ratchet.js";
import { furthest } from "./marks.js";

/** @typedef {import("./agreement.js").KeyAgreement} KeyAgreement */
/** @typedef {import("./api.js").ChatApi} ChatApi */
/** @typedef {import("./api.js").WireMessage} WireMessage */
/** @typedef {import("./content.js").Content} Content */
/** @typedef {import("./database.js").ChannelRecord} ChannelRecord */
/** @typedef {import("./database.js").Entry} Entry */
/** @typedef {import("./ledger.js").Ledger} Ledger */

export class Incoming {
  #ledger;
  #api;
  #agreement;
  #userId;

  /**
   * @param {Ledger} ledger
   * @param {ChatApi} api
   * @param {KeyAgreement} agreement
   * @param {number} userId
   */
  constructor(ledger, api, agreement, userId) {
    this.#ledger = ledger;
    this.#api = api;
    this.#agreement = agreement;
    this.#userId = userId;
  }

  /** Take in all that the server has and this browser has not. */
  async catchUp() {
    await this.#ledger.change((record) => this.#catchUp(record));
  }

  /**
   * A message came by an event.
   * @param {WireMessage} message
   */
  async receive(message) {
    if (!isMessage(message)) return;
    await this.#ledger.change(async (record) => {
      if (message.seq === record.lastSeq + 1) await this.#take(record, message);
      else if (message.seq > record.lastSeq) await this.#catchUp(record);
    });
  }

  /** @param {number} upToSeq what one of the two deleted for both */
  async forget(upToSeq) {
    await this.#ledger.change(async (record) => {
      // What has not come yet cannot have been deleted by anybody who read it.
      const known = Math.min(upToSeq, record.lastSeq);
      await this.#ledger.database.forget(record, known, this.#ledger.makeNotice(record, "deleted"));
    });
  }

  /** @param {ChannelRecord} record */
  async #catchUp(record) {
    for await (const messages of this.#api.messagesAfter(record.lastSeq)) {
      for (const message of messages) {
        if (isMessage(message) && message.seq > record.lastSeq) await this.#take(record, message);
      }
    }
  }

  /**
   * @param {ChannelRecord} record
   * @param {WireMessage} message
   */
  async #take(record, message) {
    const isOwn = message.senderId === this.#userId;
    const entries = isOwn ? await this.#takeOwn(record, message) : await this.#takeTheirs(record, message);
    record.lastSeq = message.seq;
    await this.#ledger.database.save({ channel: record, entries });
  }

  /**
   * @param {ChannelRecord} record
   * @param {WireMessage} message
   * @returns {Promise<Entry[]>}
   */
  async #takeOwn(record, { clientMessageId, seq, sentAt, envelope, epoch }) {
    const own = await this.#ledger.entry(clientMessageId);
    const about = { seq, at: sentAt };
    if (own === undefined) return [this.#ledger.makeNotice(record, "not-from-here", {}, about)];
    const isWhatWeSent = own.envelope == null || encodeBase64url(own.envelope) === envelope;
    if (own.from !== "me" || !isWhatWeSent || (own.seq !== null && own.seq !== seq)) {
      return [this.#ledger.makeNotice(record, "not-ours", {}, about)];
    }
    return [{ ...own, seq, epoch, at: sentAt, envelope: null, mark: furthest(own.mark, "sent") }];
  }

  /**
   * @param {ChannelRecord} record
   * @param {WireMessage} message
   * @returns {Promise<Entry[]>}
   */
  async #takeTheirs(record, message) {
    const { seq, sentAt, epoch: number } = message;
    const about = { seq, at: sentAt };
    const epoch = record.epochs[number];
    if (!epoch?.state) return [this.#ledger.makeNotice(record, "no-key", {}, about)];
    try {
      // The server takes messages of the present epoch alone: none of an older one comes after.
      if (number < record.messageEpoch) throw new ChatError("retired");
      const { content, missed, isLate } = await this.#open(epoch, message);
      record.messageEpoch = number;
      if (content.kind === "receipt") return this.#markReceived(content, missed, record, about);
      // Sent again with newer keys, because its sender could not know that it had arrived.
      if ((await this.#ledger.entry(content.id)) !== undefined) return [];
      const entry = this.#ledger.makeEntry(record, { from: "them", content, epoch: number, ...about });
      return [{ ...entry, missing: missed, isLate, isUntrusted: !(await this.#agreement.trusts(epoch)) }];
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      return [this.#ledger.makeNotice(record, "refused", { reason: error.reason }, about)];
    }
  }

  /**
   * @param {import("./database.js").Epoch} epoch whose state moves on if the message is genuine
   * @param {WireMessage} message
   * @returns {Promise<{content: Content, missed: number, isLate: boolean}>}
   */
  async #open(epoch, { envelope, clientMessageId }) {
    const before = /** @type {import("./crypto/ratchet.js").State} */ (epoch.state);
    const { state, plaintext, missed, isLate } = await open(before, decodeBase64url(envelope));
    const content = decodeContent(plaintext, clientMessageId);
    const isConfirmed = confirms(content, before.peerConfirm);
    if (isConfirmed === false) throw new ChatError("unverified");
    epoch.isConfirmed ||= isConfirmed === true;
    epoch.state = state;
    return { content, missed, isLate };
  }

  /**
   * @param {Content} receipt
   * @param {number} missed how many messages are missing before it
   * @param {ChannelRecord} record
   * @param {{seq: number, at: string}} about
   * @returns {Promise<Entry[]>} own messages with their new marks
   */
  async #markReceived({ delivered, read }, missed, record, about) {
    /** @type {Map<string, Entry>} */
    const marked = new Map();
    for (const [ids, mark] of /** @type {const} */ ([[delivered, "delivered"], [read, "read"]])) {
      for (const id of ids) {
        const entry = marked.get(id) ?? (await this.#ledger.entry(id));
        if (entry?.from === "me") marked.set(id, { ...entry, mark: furthest(entry.mark, mark) });
      }
    }
    const notices = missed > 0 ? [this.#ledger.makeNotice(record, "missing", { count: missed }, about)] : [];
    return [...marked.values(), ...notices];
  }
}
