/**
 * One secure channel in this browser: its keys, what comes and what goes out, and what is shown of it.
 */

import { KeyAgreement } from "./agreement.js";
import { Incoming } from "./incoming.js";
import { Ledger } from "./ledger.js";
import { Outgoing } from "./outgoing.js";

/** @typedef {import("./api.js").ChatApi} ChatApi */
/** @typedef {import("./api.js").Session} Session */
/** @typedef {import("./api.js").WireMessage} WireMessage */
/** @typedef {import("./database.js").ChatDatabase} ChatDatabase */
/** @typedef {import("./database.js").Entry} Entry */

/** So long whoever began a new epoch has for submitting the first key. */
const FOLLOW_AFTER_MS = 2_000;

export class Channel {
  #ledger;
  #api;
  #agreement;
  #incoming;
  #outgoing;
  /** @type {(() => void)[]} */
  #listeners = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #following = undefined;

  /**
   * @param {{database: ChatDatabase, api: ChatApi, session: Session, userId: number,
   *   onChange: () => void}} parts onChange: something that is shown has changed
   */
  constructor({ database, api, session, userId, onChange }) {
    this.#ledger = new Ledger(database, session.sessionId);
    this.#api = api;
    this.#agreement = new KeyAgreement(this.#ledger, api, session, userId);
    this.#incoming = new Incoming(this.#ledger, api, this.#agreement, userId);
    this.#outgoing = new Outgoing(this.#ledger, api, this.#agreement, {
      catchUp: () => this.#incoming.catchUp(),
      onChange: () => this.#tell(),
    });
    this.addListener(onChange);
  }

  get session() {
    return this.#agreement.session;
  }

  get phase() {
    return this.#agreement.phase;
  }

  get peerId() {
    return this.#agreement.peerId;
  }

  /** @param {() => void} onChange something that is shown has changed */
  addListener(onChange) {
    this.#listeners.push(onChange);
  }

  #tell() {
    for (const onChange of this.#listeners) onChange();
  }

  /** Join with this browser's key, take in what the server has, and send what waits. */
  async open() {
    await this.#agreement.adopt(this.#agreement.session);
    await this.catchUp();
    await this.#outgoing.flush();
  }

  /** Do again what may have failed while there was no connection. */
  async comeBack() {
    await this.#agreement.adopt(await this.#api.session());
    await this.catchUp();
    await this.#outgoing.flush();
  }

  /** Take in what the server has and this browser has not, where it has the keys. */
  async catchUp() {
    if (this.phase !== "elsewhere") await this.#incoming.catchUp();
    this.#tell();
  }

  /** @param {Partial<Session> & {version: number}} told what the server, or an event, says now */
  async adopt(told) {
    clearTimeout(this.#following);
    await this.#agreement.adopt(told);
    this.#tell();
    await this.#outgoing.flush();
  }

  /**
   * Somebody began a new epoch: the other side, or this user in another browser, whose key it is to be
   * then. So whoever began has the first turn (see noteKey).
   * @param {Partial<Session> & {version: number}} told
   */
  async follow(told) {
    clearTimeout(this.#following);
    await this.#agreement.adopt(told, { joins: false });
    this.#tell();
    // It was this page that began.
    if ((await this.epoch()) !== undefined) return;
    const join = () => void this.adopt(this.session).catch(reportError);
    this.#following = setTimeout(join, FOLLOW_AFTER_MS);
  }

  /** @param {{role: string, epoch: number, version: number}} fact a key was submitted */
  async noteKey({ role, epoch, version }) {
    const { session } = this;
    if (epoch !== session.epoch || version <= session.version) return;
    clearTimeout(this.#following);
    // One of our own side, and not from here: the server shows it when it is asked.
    if (role !== this.#agreement.role) await this.adopt({ version });
    else if ((await this.epoch()) === undefined) await this.comeBack();
  }

  /** Ask for new keys of both sides. */
  async rekey() {
    await this.adopt(await this.#api.rekey(this.#agreement.session.epoch));
  }

  /** @param {Uint8Array} identity the key, as it was shown, that is taken for theirs from now on */
  async acceptIdentity(identity) {
    await this.#agreement.acceptIdentity(identity);
    this.#tell();
    await this.#outgoing.flush();
  }

  /**
   * @param {Uint8Array} identity whose safety number was compared
   * @param {boolean} isCompared
   */
  async noteComparison(identity, isCompared) {
    await this.#agreement.noteComparison(identity, isCompared);
    this.#tell();
  }

  /** @param {WireMessage} message that came by an event */
  async receive(message) {
    if (this.phase !== "elsewhere") await this.#incoming.receive(message);
    this.#tell();
  }

  /** @param {number} upToSeq what one of the two deleted for both */
  async forget(upToSeq) {
    await this.#incoming.forget(upToSeq);
    this.#tell();
  }

  /** @param {{kind: string, [field: string]: any}} content of a new message, without its id */
  write(content) {
    return this.#outgoing.write(content);
  }

  /** @param {Entry} entry that the server did not take */
  writeAgain(entry) {
    return this.#outgoing.writeAgain(entry);
  }

  /** Send what waits. */
  flush() {
    return this.#outgoing.flush();
  }

  /** @param {{tellsRead: boolean}} choice whether the other one learns what was read */
  acknowledge(choice) {
    return this.#outgoing.acknowledge(choice);
  }

  /** @param {Session} session what the server says of it, where nobody looks at it */
  note(session) {
    this.#agreement.note(session);
  }

  /** The present epoch, where this browser has its keys. */
  epoch() {
    return this.#agreement.epoch();
  }

  /** The keys in use, whose safety number is shown. */
  identities() {
    return this.#agreement.identities();
  }

  /** Whether this browser can read what is written now, without doing its part for that. */
  hasKeys() {
    return this.#agreement.recall();
  }

  /**
   * @param {Entry[]} entries
   * @returns {Promise<number>} how many of theirs were not read here
   */
  async countUnread(entries) {
    const record = await this.#ledger.database.channel(this.#ledger.sessionId);
    const readPlace = record?.readPlace ?? 0;
    return entries.filter(({ from, place }) => from === "them" && place > readPlace).length;
  }

  /** @returns {Promise<Entry[]>} what the conversation shows */
  async entries() {
    const entries = await this.#ledger.entries();
    return inServersOrder(entries.filter(({ kind }) => kind !== "receipt"));
  }

  /** @param {number} place up to which it is read now */
  async noteRead(place) {
    const isNews = await this.#ledger.change(async (record) => {
      if (place <= record.readPlace) return false;
      record.readPlace = place;
      await this.#ledger.database.save({ channel: record });
      return true;
    });
    if (isNews) this.#tell();
  }
}

/**
 * Both sides see messages that crossed in one order: that of the server's numbers. What has none stays
 * behind what it came after; what waits is last.
 * @param {Entry[]} entries by place
 * @returns {Entry[]}
 */
function inServersOrder(entries) {
  let last = 0;
  const keyed = entries.map((entry) => {
    if (entry.seq !== null) last = entry.seq;
    return { entry, key: entry.from === "me" && entry.seq === null ? Infinity : last };
  });
  // Infinity less itself is no number.
  keyed.sort((one, other) => (one.key === other.key ? 0 : one.key - other.key));
  return keyed.map(({ entry }) => entry);
}
