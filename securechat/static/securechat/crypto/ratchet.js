/**
 * The state machine: a Double Ratchet with X25519 and ML-KEM-768 side by side in every turn.
 *
 * A state is never changed. Who stores the next one before anything is sent or shown can begin again
 * at any moment, and a message that is refused leaves nothing behind.
 */

import { EXCHANGE_AT, peerOf, readBundle } from "./bundle.js";
import { concat, isEqual } from "./bytes.js";
import { ChatError } from "./chat-error.js";
import { decapsulate } from "./kem.js";
import { CIPHERTEXT_AT, KEYS_AT, openMessage, readMessage, SALT_LENGTH, sealMessage } from "./message.js";
import { exchange } from "./primitives.js";
import { findSkipped, keepSkipped, skipTo, takeKey } from "./receiving.js";
import { confirmation, initialChainKey, rootKeys, stepChain, transcriptHash, turnRoot } from "./schedule.js";
import { beginInitialChain, beginTurn } from "./sending.js";
import { browserSource } from "./source.js";

/** @typedef {import("./bundle.js").OwnBundle} OwnBundle */
/** @typedef {import("./bundle.js").Role} Role */
/** @typedef {import("./kem.js").KemPrivateKey} KemPrivateKey */
/** @typedef {import("./message.js").Message} Message */
/** @typedef {import("./primitives.js").ExchangePair} ExchangePair */
/** @typedef {import("./receiving.js").ReceivingChain} ReceivingChain */
/** @typedef {import("./receiving.js").SkippedKey} SkippedKey */
/** @typedef {import("./schedule.js").Context} Context */
/** @typedef {import("./sending.js").SendingChain} SendingChain */
/** @typedef {import("./source.js").Source} Source */

/**
 * The buyer's place for the seller's initial chain. start: what its key is made of, until it has
 * come; end: how many messages it carried, once the seller has said so.
 * @typedef {{start: {initSeed: Uint8Array, kemKey: KemPrivateKey} | null,
 *   chain: ReceivingChain | null, end: number | null}} InitialSlot
 */

/**
 * All that a party knows of a conversation in one epoch; structured-cloneable. confirm: what shows
 * the peer that we have the same keys; peerConfirm: what must come from it; isFirstChain: whether the
 * present sending chain is our first, whose messages carry confirm.
 * @typedef {{role: Role, transcript: Uint8Array, peerBundle: Uint8Array, confirm: Uint8Array,
 *   peerConfirm: Uint8Array, isFirstChain: boolean, rootKey: Uint8Array, sending: SendingChain,
 *   receiving: ReceivingChain | null, initial: InitialSlot | null, skipped: SkippedKey[]}} State
 */

/**
 * missed: how many messages are missing before this one that were not known to be; isLate: whether it
 * was one of those.
 * @typedef {{state: State, plaintext: Uint8Array, missed: number, isLate: boolean}} Opened
 */

/**
 * @param {{role: Role, identity: ExchangePair, own: OwnBundle, peerBundle: Uint8Array,
 *   context: Context}} party
 * @param {Source} [source]
 * @returns {Promise<State>}
 * @throws {ChatError} malformed or invalid-key
 */
export async function begin({ role, identity, own, peerBundle, context }, source = browserSource) {
  const peer = readBundle(peerBundle, peerOf(role));
  const bundles = /** @type {const} */ ([own.bundle, peerBundle]);
  const [buyers, sellers] = role === "buyer" ? bundles : bundles.toReversed();
  const transcript = await transcriptHash(context, buyers, sellers);
  const privateKeys = { identity: identity.privateKey, exchange: own.exchange.privateKey };
  const { rootKey, initSeed, confirmKey } = await rootKeys(role, privateKeys, peer, transcript);
  const common = {
    role,
    transcript,
    peerBundle: peerBundle.slice(),
    confirm: await confirmation(confirmKey, role, transcript),
    peerConfirm: await confirmation(confirmKey, peerOf(role), transcript),
    isFirstChain: true,
    receiving: null,
    skipped: [],
  };
  if (role === "seller") {
    const sending = await beginInitialChain(own, peer.kem, initSeed, transcript, source);
    return { ...common, rootKey, sending, initial: null };
  }
  const start = { initSeed, kemKey: own.kem.privateKey };
  const toPeer = { publicKey: peer.exchange, encapsulationKey: peer.kem };
  const turned = await beginTurn({ rootKey, transcript }, toPeer, 0, source);
  return { ...common, ...turned, initial: { start, chain: null, end: null } };
}

/**
 * @param {State} state
 * @param {Uint8Array} plaintext
 * @param {Source} [source]
 * @returns {Promise<{state: State, envelope: Uint8Array}>} to be sent once the state is stored
 */
export async function seal(state, plaintext, source = browserSource) {
  const { role, transcript, sending } = state;
  const { messageKey, chainKey } = await stepChain(sending.key);
  const head = { role, chain: sending, number: sending.next, salt: source.randomBytes(SALT_LENGTH) };
  const envelope = await sealMessage(messageKey, transcript, head, plaintext);
  return { state: { ...state, sending: { ...sending, key: chainKey, next: sending.next + 1 } }, envelope };
}

/**
 * @param {State} state
 * @param {Uint8Array} envelope
 * @param {Source} [source]
 * @returns {Promise<Opened>} to be shown once the state is stored
 * @throws {ChatError} of any reason; nothing has changed then
 */
export async function open(state, envelope, source = browserSource) {
  const message = await readMessage(envelope);
  if (message.role === state.role) throw new ChatError("reflected");
  if (message.isInitial && !isInitialOf(state, envelope)) throw new ChatError("malformed");
  const skipped = findSkipped(state.skipped, message);
  if (skipped !== undefined) return openSkipped(state, message, skipped);
  if (message.isInitial) return openInitial(state, message);
  if (state.receiving !== null && isEqual(state.receiving.id, message.chainId)) {
    return openNext(state, message, state.receiving);
  }
  return openTurn(state, message, source);
}

/**
 * Whether it has the keys of the seller's bundle, as all of the initial chain.
 * @param {State} state
 * @param {Uint8Array} envelope
 */
function isInitialOf({ role, peerBundle }, envelope) {
  const keys = envelope.subarray(KEYS_AT, CIPHERTEXT_AT);
  return role === "buyer" && isEqual(keys, peerBundle.subarray(EXCHANGE_AT));
}

/**
 * @param {State} state
 * @param {Message} message
 * @param {SkippedKey} skipped its key
 * @returns {Promise<Opened>}
 */
async function openSkipped(state, message, skipped) {
  const plaintext = await openMessage(skipped.key, state.transcript, message);
  const rest = state.skipped.filter((each) => each !== skipped);
  return { state: { ...state, skipped: rest }, plaintext, missed: 0, isLate: true };
}

/**
 * @param {State} state the buyer's
 * @param {Message} message of the initial chain
 * @returns {Promise<Opened>}
 */
async function openInitial(state, message) {
  const chain = await findInitialChain(state, message);
  const taken = await takeKey(chain, message.number);
  const plaintext = await openMessage(taken.messageKey, state.transcript, message);
  const end = state.initial?.end ?? null;
  const initial = { start: null, chain: taken.chain, end };
  const skipped = keepSkipped(state.skipped, taken.skipped);
  // Once its end was known, all that had not come was told to be missing.
  const isLate = end !== null;
  const missed = isLate ? 0 : taken.skipped.length;
  return { state: { ...state, initial, skipped }, plaintext, missed, isLate };
}

/**
 * @param {State} state
 * @param {Message} message
 * @returns {Promise<ReceivingChain>}
 */
async function findInitialChain({ initial, transcript }, { chainId, ciphertext, number }) {
  if (initial === null || number >= (initial.end ?? Infinity)) throw new ChatError("retired");
  if (initial.start !== null) {
    const { initSeed, kemKey } = initial.start;
    const secret = await decapsulate(kemKey, ciphertext);
    return { id: chainId, key: await initialChainKey(initSeed, secret, ciphertext, transcript), next: 0 };
  }
  const chain = /** @type {ReceivingChain} */ (initial.chain);
  // Its other keys are those of the bundle: another id is another ciphertext.
  if (!isEqual(chain.id, chainId)) throw new ChatError("retired");
  return chain;
}

/**
 * @param {State} state
 * @param {Message} message
 * @param {ReceivingChain} chain the present one, which it is in
 * @returns {Promise<Opened>}
 */
async function openNext(state, message, chain) {
  const taken = await takeKey(chain, message.number);
  const plaintext = await openMessage(taken.messageKey, state.transcript, message);
  const skipped = keepSkipped(state.skipped, taken.skipped);
  const next = { ...state, receiving: taken.chain, skipped };
  return { state: next, plaintext, missed: taken.skipped.length, isLate: false };
}

/**
 * @param {State} state
 * @param {Message} message the first that comes of the peer's next chain
 * @param {Source} source
 * @returns {Promise<Opened>}
 */
async function openTurn(state, message, source) {
  const { transcript, sending } = state;
  const ended = await endChainBefore(state, message.previous);
  const byExchange = await exchange(sending.exchangeKey, message.publicKey);
  const shared = concat(byExchange, await decapsulate(sending.kemKey, message.ciphertext));
  const { rootKey, chainKey } = await turnRoot(state.rootKey, shared, message.chainId, transcript);
  const begun = { id: message.chainId, key: chainKey, next: 0 };
  const { chain: receiving, skipped, messageKey } = await takeKey(begun, message.number);
  const plaintext = await openMessage(messageKey, transcript, message);
  // Only now: a forgery must not cost new keys.
  const turned = await beginTurn({ rootKey, transcript }, message, sending.next, source);
  const next = {
    ...state,
    ...turned,
    isFirstChain: false,
    receiving,
    initial: ended.initial,
    skipped: keepSkipped(state.skipped, [...ended.skipped, ...skipped]),
  };
  return { state: next, plaintext, missed: ended.missed + skipped.length, isLate: false };
}

/**
 * The peer's chain before the one that begins takes no more but what was skipped; the initial chain
 * stays for one turn, since it may be that nothing of it has come yet.
 * @param {State} state
 * @param {number} length how many messages that chain carried
 * @returns {Promise<{initial: InitialSlot | null, skipped: SkippedKey[], missed: number}>}
 */
async function endChainBefore({ receiving, initial }, length) {
  if (receiving !== null) {
    const { skipped } = await skipTo(receiving, length);
    return { initial: null, skipped, missed: skipped.length };
  }
  if (initial === null) return { initial, skipped: [], missed: 0 };
  if (initial.chain === null) return { initial: { ...initial, end: length }, skipped: [], missed: length };
  const { chain, skipped } = await skipTo(initial.chain, length);
  return { initial: { start: null, chain, end: length }, skipped, missed: skipped.length };
}
