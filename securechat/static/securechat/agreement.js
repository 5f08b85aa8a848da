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
  }

  get session() {
    return this.#session;
  }

  get phase() {
    return this.#phase;
  }

  get peerId() {
    return this.#role === "buyer" ? this.#session.sellerId : this.#session.buyerId;
  }

  /** Whether a message could go out now. */
  async maySend() {
    const person = await this.person();
    return this.#phase === "active" && !this.#session.blocked && !person?.candidate;
  }

  /**
   * Take in what the server says of the session, and do this browser's part: submit its key for a new
   * epoch, begin when both keys are there.
   * @param {Session} session
   * @returns {Promise<void>}
   */
  async adopt(session) {
    /** @type {Session | null} */
    let news = session;
    // A server that never shows the key that it took is not asked for ever.
    for (let turn = 0; news !== null && turn < MOST_TURNS; turn += 1) {
      const known = news;
      news = await this.#ledger.change((record) => this.#join(record, known));
    }
    if (news !== null) this.#phase = "refused";
  }

  /**
   * @param {ChannelRecord} record
   * @param {Session} session
   * @returns {Promise<Session | null>} what the server answered to our key, to be taken in as well
   */
  async #join(record, session) {
    if (session.version < this.#session.version) return null;
    if (session.epoch < record.epoch) {
      // Keys of an epoch that is over: nothing is begun with them.
      await this.#ledger.note(record, "old-epoch");
      return this.#stay("refused");
    }
    this.#session = session;
    record.epoch = session.epoch;
    if (session.status === "closed") return this.#stay("closed");
    const mine = session.keys[this.#role];
    let epoch = record.epochs[session.epoch];
    if (epoch === undefined) {
      if (mine !== null) return this.#stay("elsewhere");
      epoch = await this.#makeKeys(record);
    }
    if (mine === null) return this.#submit(epoch, session);
    if (mine !== encodeBase64url(epoch.own.bundle)) return this.#stay("elsewhere");
    const theirs = session.keys[peerOf(this.#role)];
    if (theirs === null) return this.#stay("waiting");
    return this.#meet(record, epoch, theirs);
  }

  /**
   * @param {ChannelRecord} record
   * @returns {Promise<Epoch>} with fresh keys, stored before anybody hears of them
   */
  async #makeKeys(record) {
    const identity = await this.#identity();
    const own = await makeBundle({ role: this.#role, identity });
    /** @type {Epoch} */
    const epoch = { own, peer: null, state: null, securedAt: null, isConfirmed: false };
    record.epochs[record.epoch] = epoch;
    for (const old of Object.keys(record.epochs)) {
      if (Number(old) <= record.epoch - KEPT_EPOCHS) delete record.epochs[Number(old)];
    }
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
    const person = await this.#meetPerson(readBundle(peer, peerOf(this.#role)).identity);
    const isNew = person.candidate !== null;
    const notices = isNew ? ["identity-changed", "secured"] : ["secured"];
    const entries = notices.map((kind) => this.#ledger.makeNotice(record, kind));
    await this.#ledger.database.save({ channel: record, person, entries });
  }

  /**
   * @param {Uint8Array} identity that came with the other one's bundle
   * @returns {Promise<Person>} to be stored
   */
  async #meetPerson(identity) {
    const known = await this.#ledger.database.person(this.peerId);
    if (known === undefined) {
      return { userId: this.peerId, identity, candidate: null, isCompared: false };
    }
    return { ...known, candidate: isEqual(known.identity, identity) ? null : identity };
  }

  async #identity() {
    const present = await this.#ledger.database.identity();
    return present ?? this.#ledger.database.keepIdentity(await generateExchangePair());
  }

  /** @returns {Promise<Person | undefined>} */
  person() {
    return this.#ledger.database.person(this.peerId);
  }

  /** @param {Session} session what the server says, without this browser's part being done */
  note(session) {
    this.#session = session;
  }

  /** Take the key that came for theirs. */
  async acceptIdentity() {
    await this.#ledger.change(async (record) => {
      const person = await this.person();
      if (!person?.candidate) return;
      const accepted = { ...person, identity: person.candidate, candidate: null, isCompared: false };
      const entries = [this.#ledger.makeNotice(record, "identity-accepted")];
      await this.#ledger.database.save({ channel: record, person: accepted, entries });
    });
  }

  /** @param {boolean} isCompared whether the safety numbers are the same on both sides */
  async noteComparison(isCompared) {
    const person = await this.person();
    if (person !== undefined) await this.#ledger.database.save({ person: { ...person, isCompared } });
  }

  /** @returns {Promise<{own: Uint8Array, peer: Uint8Array} | null>} whose safety number is shown */
  async identities() {
    const person = await this.person();
    const own = await this.#ledger.database.identity();
    if (person === undefined || own === undefined) return null;
    return { own: own.publicKey, peer: person.candidate ?? person.identity };
  }

  /** @returns {Promise<Epoch | undefined>} the present one, where this browser has its keys */
  async epoch() {
    const record = await this.#ledger.database.channel(this.#ledger.sessionId);
    return record?.epochs[this.#session.epoch];
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
