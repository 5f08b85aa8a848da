/**
 * How the two of a channel come by their keys: each submits a bundle for the epoch, and begins when the
 * other one's is there. Neither waits for the other to begin.
 */

import { Refused } from "./api.js";
import { makeBundle, peerOf, readBundle } from "./crypto/bundle.js";
import { decodeBase64url, encodeBase64url, isEqual } from "./crypto/bytes.js";
import { ChatError } from "./crypto/chat-error.js";
import { generateExchangePair } from "./crypto/primitives.js";
import { begin } from "./crypto/ratchet.js";

/** @typedef {import("./api.js").ChatApi} ChatApi */
/** @typedef {import("./api.js").Session} Session */
/** @typedef {import("./crypto/bundle.js").Role} Role */
/** @typedef {import("./database.js").Bound} Bound */
/** @typedef {import("./database.js").ChannelRecord} ChannelRecord */
/** @typedef {import("./database.js").Epoch} Epoch */
/** @typedef {import("./database.js").Person} Person */
/** @typedef {import("./ledger.js").Ledger} Ledger */

/**
 * waiting: for the other one's key; active; closed; elsewhere: another browser of this user has the
 * keys of this epoch; refused: the server showed what an honest one does not.
 * @typedef {"waiting" | "active" | "closed" | "elsewhere" | "refused"} Phase
 */

/** Messages of older epochs may still be on the way: so many of them keep their keys. */
const KEPT_EPOCHS = 3;
const MOST_TURNS = 4;
const MAX_EPOCH = 2 ** 31 - 1;

export class KeyAgreement {
  #ledger;
  #api;
  #session;
  #role;
  /** @type {Phase} */
  #phase = "waiting";

  /**
   * @param {Ledger} ledger
   * @param {ChatApi} api
   * @param {Session} session
   * @param {number} userId
   */
  constructor(ledger, api, session, userId) {
    this.#ledger = ledger;
    this.#api = api;
    this.#session = session;
    /** @type {Role} */
    this.#role = userId === session.buyerId ? "buyer" : "seller";
    this.peerId = userId === session.buyerId ? session.sellerId : session.buyerId;
  }

  get session() {
    return this.#session;
  }

  get phase() {
    return this.#phase;
  }

  get role() {
    return this.#role;
  }

  /** Whether a message could go out now. */
  async maySend() {
    if (this.#phase !== "active" || this.#session.blocked) return false;
    const epoch = await this.epoch();
    return epoch !== undefined && this.trusts(epoch);
  }

  /**
   * Take in what the server says of the session, and do this browser's part: submit its key for a new
   * epoch, begin when both keys are there.
   * @param {Partial<Session> & {version: number}} told all of the session, or what an event says of it
   * @param {{joins?: boolean}} [choice] joins: whether this browser makes keys for a new epoch
   * @returns {Promise<void>}
   */
  async adopt(told, { joins = true } = {}) {
    /** @type {(Partial<Session> & {version: number}) | null} */
    let news = told;
    // A server that never shows the key that it took is not asked for ever.
    for (let turn = 0; news !== null && turn < MOST_TURNS; turn += 1) {
      const known = news;
      // An event says a part: the rest is as it is when its turn has come.
      const join = (/** @type {ChannelRecord} */ record) =>
        this.#join(record, { ...this.#session, ...known }, joins);
      news = await this.#ledger.change(join);
    }
    if (news !== null) this.#phase = "refused";
  }

  /** @param {Session} session what the server says, without this browser's part being done */
  note(session) {
    this.#session = session;
    this.#phase = session.status === "closed" ? "closed" : "waiting";
  }

  /** @returns {Promise<boolean>} whether this browser began with the keys that the server shows */
  async recall() {
    const { status, keys } = this.#session;
    const epoch = await this.epoch();
    if (!epoch?.peer || status !== "active") return false;
    const [mine, theirs] = [epoch.own.bundle, epoch.peer].map(encodeBase64url);
    const isOurs = keys[this.#role] === mine && keys[peerOf(this.#role)] === theirs;
    if (isOurs) this.#phase = "active";
    return isOurs;
  }

  /**
   * @param {ChannelRecord} record
   * @param {Session} session
   * @param {boolean} joins
   * @returns {Promise<Session | null>} what the server answered to our key, to be taken in as well
   */
  async #join(record, session, joins) {
    // Another tab has seen newer: what this one lacks comes to it, too.
    if (session.version < Math.max(record.version, this.#session.version)) return null;
    const problem = this.#problemOf(record, session);
    if (problem !== null) {
      await this.#ledger.note(record, problem);
      return this.#stay("refused");
    }
    this.#session = session;
    const { productId, buyerId, sellerId, version, epoch: number } = session;
    Object.assign(record, { bound: { productId, buyerId, sellerId }, version, epoch: number });
    await this.#ledger.database.save({ channel: record });
    if (session.status === "closed") return this.#stay("closed");
    const mine = session.keys[this.#role];
    let epoch = record.epochs[number];
    if (epoch === undefined) {
      if (mine !== null) return this.#stay("elsewhere");
      if (!joins) return this.#stay("waiting");
      epoch = await this.#makeKeys(record, session);
    }
    if (mine === null) return this.#submit(epoch, session);
    if (mine !== encodeBase64url(epoch.own.bundle)) return this.#stay("elsewhere");
    const theirs = session.keys[peerOf(this.#role)];
    if (theirs === null) return this.#stay("waiting");
    return this.#meet(record, epoch, theirs);
  }

  /**
   * What an honest server does not show: the channel with somebody else, or an epoch that is over.
   * @param {ChannelRecord} record
   * @param {Session} session
   * @returns {string | null} the notice that says so
   */
  #problemOf({ bound, epoch }, session) {
    const { sessionId, productId, buyerId, sellerId } = session;
    const isOurs = sessionId === this.#ledger.sessionId;
    const first = bound ?? this.#session;
    const isSame = first.productId === productId && first.buyerId === buyerId && first.sellerId === sellerId;
    if (!isOurs || !isSame) return "other-people";
    const isEpoch = Number.isInteger(session.epoch) && session.epoch >= 1 && session.epoch <= MAX_EPOCH;
    return isEpoch && session.epoch >= epoch ? null : "old-epoch";
  }

  /**
   * @param {ChannelRecord} record
   * @param {Session} session
   * @returns {Promise<Epoch>} with fresh keys, stored before anybody hears of them
   */
  async #makeKeys(record, { lastSeq }) {
    const identity = await this.#identity();
    const own = await makeBundle({ role: this.#role, identity });
    // What was written before this browser had keys is not for it.
    if (Object.keys(record.epochs).length === 0) record.lastSeq = lastSeq;
    /** @type {Epoch} */
    const epoch = { own, peer: null, state: null, securedAt: null, isConfirmed: false };
    record.epochs[record.epoch] = epoch;
    const newestFirst = Object.keys(record.epochs).map(Number).sort((one, other) => other - one);
    for (const old of newestFirst.slice(KEPT_EPOCHS)) delete record.epochs[old];
    await this.#ledger.database.save({ channel: record });
    return epoch;
  }

  /**
   * @param {Epoch} epoch
   * @param {Session} session
   * @returns {Promise<Session | null>}
   */
  async #submit({ own }, session) {
    if (session.blocked) return this.#stay("waiting");
    try {
      return await this.#api.submitKey(encodeBase64url(own.bundle), session.epoch);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.code === "blocked") return this.#stay("waiting");
      // Another browser was faster, or another epoch has begun.
      if (["key_conflict", "stale_epoch", "session_closed"].includes(error.code)) {
        return this.#api.session();
      }
      throw error;
    }
  }

  /**
   * Begin with the other one's key, or see that it is the one with which we began.
   * @param {ChannelRecord} record
   * @param {Epoch} epoch
   * @param {string} theirs
   */
  async #meet(record, epoch, theirs) {
    try {
      const peer = decodeBase64url(theirs);
      if (epoch.peer === null) await this.#begin(record, epoch, peer);
      else if (!isEqual(epoch.peer, peer)) throw new ChatError("invalid-key");
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      await this.#ledger.note(record, "bad-key");
      return this.#stay("refused");
    }
    return this.#stay("active");
  }

  /**
   * @param {ChannelRecord} record
   * @param {Epoch} epoch
   * @param {Uint8Array} peer
   */
  async #begin(record, epoch, peer) {
    const { context, sessionId, productId, buyerId, sellerId } = this.#session;
    const identity = await this.#identity();
    const bound = { context, sessionId, productId, buyerId, sellerId, epoch: record.epoch };
    const party = { role: this.#role, identity, own: epoch.own, peerBundle: peer, context: bound };
    epoch.state = await begin(party);
    epoch.peer = peer;
    epoch.securedAt = new Date().toISOString();
    const first = { userId: this.peerId, identity: this.#identityOf(peer), isCompared: false };
    await this.#ledger.database.changePerson(this.peerId, (known) => (known === undefined ? first : undefined));
    const notices = (await this.trusts(epoch)) ? ["secured"] : ["identity-changed", "secured"];
    const entries = notices.map((kind) => this.#ledger.makeNotice(record, kind));
    await this.#ledger.database.save({ channel: record, entries });
  }

  // --- who the other one is -----------------------------------------------------------------

  /**
   * Whether the key with which this epoch began is the one that is taken for theirs.
   * @param {Epoch} epoch
   */
  async trusts({ peer }) {
    const person = await this.person();
    return peer !== null && person !== undefined && isEqual(this.#identityOf(peer), person.identity);
  }

  /**
   * Take a key for theirs.
   * @param {Uint8Array} identity as it was shown; where another one has come since, nothing happens
   */
  async acceptIdentity(identity) {
    await this.#ledger.change(async (record) => {
      const { peer } = record.epochs[record.epoch] ?? { peer: null };
      if (peer === null || !isEqual(this.#identityOf(peer), identity)) return;
      const person = { userId: this.peerId, identity, isCompared: false };
      await this.#ledger.database.changePerson(this.peerId, () => person);
      const entries = [this.#ledger.makeNotice(record, "identity-accepted")];
      await this.#ledger.database.save({ channel: record, entries });
    });
  }

  /**
   * Whether the safety numbers are the same on both sides, of the key that is taken for theirs.
   * @param {Uint8Array} identity whose number was compared
   * @param {boolean} isCompared
   */
  async noteComparison(identity, isCompared) {
    await this.#ledger.database.changePerson(this.peerId, (known) =>
      known !== undefined && isEqual(known.identity, identity) ? { ...known, isCompared } : undefined,
    );
  }

  /**
   * The keys in use here. isCompared: their safety number was compared, and theirs is accepted.
   * @returns {Promise<{own: Uint8Array, peer: Uint8Array, isTrusted: boolean, isCompared: boolean} | null>}
   */
  async identities() {
    const epoch = await this.epoch();
    const own = await this.#ledger.database.identity();
    if (!epoch?.peer || own === undefined) return null;
    const isTrusted = await this.trusts(epoch);
    const isCompared = isTrusted && ((await this.person())?.isCompared ?? false);
    return { own: own.publicKey, peer: this.#identityOf(epoch.peer), isTrusted, isCompared };
  }

  /** @returns {Promise<Epoch | undefined>} the present one, where this browser has its keys */
  async epoch() {
    const record = await this.#ledger.database.channel(this.#ledger.sessionId);
    return record?.epochs[this.#session.epoch];
  }

  /** @returns {Promise<Person | undefined>} */
  person() {
    return this.#ledger.database.person(this.peerId);
  }

  /** @param {Uint8Array} peer the other one's bundle */
  #identityOf(peer) {
    return readBundle(peer, peerOf(this.#role)).identity;
  }

  async #identity() {
    const present = await this.#ledger.database.identity();
    return present ?? this.#ledger.database.keepIdentity(await generateExchangePair());
  }

  /**
   * @param {Phase} phase
   * @returns {null}
   */
  #stay(phase) {
    this.#phase = phase;
    return null;
  }
}
