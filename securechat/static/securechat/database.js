/**
 * What this browser keeps of secure conversations, in IndexedDB: keys that never leave it, and its own
 * copies of messages. Each user of the browser has a database.
 *
 * What belongs together is written in one transaction, durably: a key that was used and a message
 * that was read must not come back after a crash.
 */

/** @typedef {import("./crypto/primitives.js").ExchangePair} ExchangePair */
/** @typedef {import("./crypto/bundle.js").OwnBundle} OwnBundle */
/** @typedef {import("./crypto/ratchet.js").State} State */

/**
 * One epoch of a channel. own: the keys that this browser submitted; peer: the other one's bundle;
 * state: once both are there; isConfirmed: a message showed that both have the same keys.
 * @typedef {{own: OwnBundle, peer: Uint8Array | null, state: State | null, securedAt: string | null,
 *   isConfirmed: boolean}} Epoch
 */

/**
 * Between whom and about what the channel is: what it was at first, it stays.
 * @typedef {{productId: number, buyerId: number, sellerId: number}} Bound
 */

/**
 * version: of the newest session that was seen, and epoch its epoch; messageEpoch: the newest of which
 * a message came; lastSeq: up to which message the conversation was taken in;
 * nextPlace: of the next entry; readPlace: up to which entry it was read here; readToldPlace,
 * deliveredPlace: up to which the other one was told so, and that it arrived.
 * @typedef {{sessionId: string, bound: Bound | null, version: number, epoch: number,
 *   epochs: Record<number, Epoch>, messageEpoch: number, lastSeq: number, nextPlace: number, readPlace: number, readToldPlace: number, deliveredPlace: number}} ChannelRecord
 */

/**
 * What a conversation shows at one place. from: "notice" for what the browser itself says. envelope:
 * of an own message until the server has it. missing: how many messages are missing before it; isLate:
 * it was missing before; isUntrusted: from a key that was not accepted.
 * @typedef {{sessionId: string, place: number, id: string, from: "me" | "them" | "notice",
 *   kind: string, content: Record<string, any>, epoch: number, seq: number | null, at: string,
 *   mark?: Mark, envelope?: Uint8Array | null, missing?: number, isLate?: boolean,
 *   isUntrusted?: boolean}} Entry
 */

/** What has become of an own message. @typedef {"waiting" | "sent" | "delivered" | "read" | "failed"} Mark */

/**
 * Somebody else. identity: the key that is taken for theirs; isCompared: its safety number was compared.
 * @typedef {{userId: number, identity: Uint8Array, isCompared: boolean}} Person
 */

const VERSION = 1;
const IDENTITY = "identity";

/**
 * @param {string} userId
 * @returns {Promise<ChatDatabase>} rejects where the browser keeps nothing for this page
 */
export async function openDatabase(userId) {
  const request = indexedDB.open(`secure-chat ${userId}`, VERSION);
  request.onupgradeneeded = () => {
    const { result: database } = request;
    database.createObjectStore("keys");
    database.createObjectStore("people", { keyPath: "userId" });
    database.createObjectStore("channels", { keyPath: "sessionId" });
    const entries = database.createObjectStore("entries", { keyPath: ["sessionId", "place"] });
    entries.createIndex("id", ["sessionId", "id"]);
    entries.createIndex("mark", ["sessionId", "mark"]);
  };
  return new ChatDatabase(await settled(request));
}

export class ChatDatabase {
  #database;

  /** @param {IDBDatabase} database */
  constructor(database) {
    this.#database = database;
    // A newer version of the page is being opened in another tab.
    database.onversionchange = () => database.close();
  }

  /** @returns {Promise<ExchangePair | undefined>} this browser's long-lived key */
  identity() {
    return this.#get("keys", IDENTITY);
  }

  /**
   * Keep the key unless there is one already.
   * @param {ExchangePair} pair
   * @returns {Promise<ExchangePair>} the one that is kept
   */
  async keepIdentity(pair) {
    const transaction = this.#write(["keys"]);
    const keys = transaction.objectStore("keys");
    const present = await settled(keys.get(IDENTITY));
    if (present === undefined) keys.put(pair, IDENTITY);
    await completed(transaction);
    return present ?? pair;
  }

  /**
   * @param {string} sessionId
   * @returns {Promise<ChannelRecord | undefined>}
   */
  channel(sessionId) {
    return this.#get("channels", sessionId);
  }

  /** @returns {Promise<ChannelRecord[]>} */
  channels() {
    return settled(this.#read("channels").getAll());
  }

  /**
   * @param {number} userId
   * @returns {Promise<Person | undefined>}
   */
  person(userId) {
    return this.#get("people", userId);
  }

  /**
   * @param {string} sessionId
   * @returns {Promise<Entry[]>} in their order
   */
  entries(sessionId) {
    return settled(this.#read("entries").getAll(range(sessionId)));
  }

  /**
   * @param {string} sessionId
   * @param {string} id the message's
   * @returns {Promise<Entry | undefined>}
   */
  entry(sessionId, id) {
    return settled(this.#read("entries").index("id").get([sessionId, id]));
  }

  /**
   * @param {string} sessionId
   * @returns {Promise<Entry | undefined>} the first that waits to be sent
   */
  firstWaiting(sessionId) {
    return settled(this.#read("entries").index("mark").get([sessionId, "waiting"]));
  }

  /**
   * Change what is known of somebody, in all conversations at once.
   * @param {number} userId
   * @param {(known: Person | undefined) => Person | undefined} change undefined leaves it as it is
   */
  async changePerson(userId, change) {
    const transaction = this.#write(["people"]);
    const people = transaction.objectStore("people");
    const changed = change(await settled(people.get(userId)));
    if (changed !== undefined) people.put(changed);
    await completed(transaction);
  }

  /**
   * Write all of it, or nothing.
   * @param {{channel?: ChannelRecord, entries?: Entry[]}} parts
   */
  async save({ channel, entries = [] }) {
    const transaction = this.#write(["channels", "entries"]);
    try {
      if (channel !== undefined) transaction.objectStore("channels").put(channel);
      for (const entry of entries) transaction.objectStore("entries").put(entry);
    } catch (error) {
      // Something that cannot be stored; what was put before it must not stay.
      transaction.abort();
      throw error;
    }
    await completed(transaction);
  }

  /**
   * Forget every entry of a conversation up to a message.
   * @param {ChannelRecord} channel stored with it
   * @param {number} upToSeq
   * @param {Entry} notice what stands there instead
   */
  async forget(channel, upToSeq, notice) {
    const transaction = this.#write(["channels", "entries"]);
    const store = transaction.objectStore("entries");
    const entries = await settled(store.getAll(range(channel.sessionId)));
    for (const { seq, place } of entries) {
      if (seq !== null && seq <= upToSeq) store.delete([channel.sessionId, place]);
    }
    store.put(notice);
    transaction.objectStore("channels").put(channel);
    await completed(transaction);
  }

  /**
   * @param {string} store
   * @param {IDBValidKey} key
   */
  #get(store, key) {
    return settled(this.#read(store).get(key));
  }

  /** @param {string} store */
  #read(store) {
    return this.#database.transaction(store).objectStore(store);
  }

  /** @param {string[]} stores */
  #write(stores) {
    return this.#database.transaction(stores, "readwrite", { durability: "strict" });
  }
}

/** @param {string} sessionId */
function range(sessionId) {
  return IDBKeyRange.bound([sessionId, 0], [sessionId, Infinity]);
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @param {IDBTransaction} transaction
 * @returns {Promise<void>}
 */
function completed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}
