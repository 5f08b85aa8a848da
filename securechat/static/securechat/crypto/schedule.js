/** The key schedule: which secret is made of which, each bound to the transcript. */

import { ROLE } from "./bundle.js";
import { concat, encodeNumber, encodeText, lengthPrefixed } from "./bytes.js";
import { exchange, hkdf, hmac, sha256 } from "./primitives.js";

/** @typedef {import("./bundle.js").PublicKeys} PublicKeys */
/** @typedef {import("./bundle.js").Role} Role */

/**
 * Which conversation it is. context: the host that the session names; epoch: how many times the
 * parties have agreed on keys in this session.
 * @typedef {{context: string, sessionId: string, productId: string | number,
 *   buyerId: string | number, sellerId: string | number, epoch: number}} Context
 */

/**
 * rootKey: what the first turn starts from; initSeed: for the seller's initial chain; confirmKey: by
 * which each shows that it has the same keys.
 * @typedef {{rootKey: Uint8Array, initSeed: Uint8Array, confirmKey: Uint8Array}} RootKeys
 */

const KEY_LENGTH = 32;
const TRANSCRIPT = encodeText("mkt-chat/1 transcript");
const ROOT = encodeText("mkt-chat/1 root");
const INITIAL = encodeText("mkt-chat/1 init s->b");
const TURN = encodeText("mkt-chat/1 rk");
const MESSAGE = encodeText("mkt-chat/1 msg");
const MESSAGE_KEY = Uint8Array.of(1);
const NEXT_CHAIN_KEY = Uint8Array.of(2);
const IV_LENGTH = 12;
/** Before the secrets, as in X3DH, where it keeps them apart from what XEdDSA hashes. */
const SEPARATOR = new Uint8Array(32).fill(0xff);

/**
 * @param {Context} context
 * @param {Uint8Array} buyerBundle
 * @param {Uint8Array} sellerBundle
 */
export async function transcriptHash(context, buyerBundle, sellerBundle) {
  const { sessionId, productId, buyerId, sellerId } = context;
  const texts = [context.context, sessionId, productId, buyerId, sellerId];
  const prefixed = texts.map((text) => lengthPrefixed(encodeText(String(text))));
  const conversation = concat(...prefixed, encodeNumber(context.epoch));
  const parts = [conversation, buyerBundle, sellerBundle].map(lengthPrefixed);
  return sha256(concat(TRANSCRIPT, ...parts));
}

/**
 * Triple Diffie-Hellman.
 * @param {Role} role ours
 * @param {{identity: CryptoKey, exchange: CryptoKey}} own private keys
 * @param {PublicKeys} peer
 * @param {Uint8Array} transcript its hash
 * @returns {Promise<RootKeys>}
 */
export async function rootKeys(role, own, peer, transcript) {
  const byIdentity = await exchange(own.identity, peer.exchange);
  const byPeerIdentity = await exchange(own.exchange, peer.identity);
  const byEpoch = await exchange(own.exchange, peer.exchange);
  // The buyer's identity comes first on both sides.
  const [first, second] = role === "buyer" ? [byIdentity, byPeerIdentity] : [byPeerIdentity, byIdentity];
  const ikm = concat(SEPARATOR, first, second, byEpoch);
  const [rootKey, initSeed, confirmKey] = await derive(transcript, ikm, concat(ROOT, transcript), 3);
  return { rootKey, initSeed, confirmKey };
}

/**
 * @param {Uint8Array} salt
 * @param {Uint8Array} ikm
 * @param {Uint8Array} info
 * @param {number} count of keys
 */
async function derive(salt, ikm, info, count) {
  const keys = await hkdf(salt, ikm, info, count * KEY_LENGTH);
  // Copies: what shares its memory is stored, and kept, together.
  return Array.from({ length: count }, (_, at) => keys.slice(at * KEY_LENGTH, (at + 1) * KEY_LENGTH));
}

/**
 * @param {Uint8Array} confirmKey
 * @param {Role} role whose it is
 * @param {Uint8Array} transcript
 * @returns {Promise<Uint8Array>} what shows that this party has the same keys
 */
export async function confirmation(confirmKey, role, transcript) {
  return hmac(confirmKey, concat(Uint8Array.of(ROLE[role]), transcript));
}

/**
 * The first chain key of the seller's initial chain.
 * @param {Uint8Array} initSeed
 * @param {Uint8Array} secret that the seller encapsulated for the buyer's bundle
 * @param {Uint8Array} ciphertext in which it did
 * @param {Uint8Array} transcript
 */
export async function initialChainKey(initSeed, secret, ciphertext, transcript) {
  const info = concat(INITIAL, transcript, await sha256(ciphertext));
  return hkdf(initSeed, secret, info, KEY_LENGTH);
}

/**
 * @param {Uint8Array} rootKey
 * @param {Uint8Array} secret of X25519, then of ML-KEM
 * @param {Uint8Array} chainId of the chain that begins
 * @param {Uint8Array} transcript
 */
export async function turnRoot(rootKey, secret, chainId, transcript) {
  const [next, chainKey] = await derive(rootKey, secret, concat(TURN, transcript, chainId), 2);
  return { rootKey: next, chainKey };
}

/** @param {Uint8Array} chainKey */
export async function stepChain(chainKey) {
  return { messageKey: await hmac(chainKey, MESSAGE_KEY), chainKey: await hmac(chainKey, NEXT_CHAIN_KEY) };
}

/**
 * @param {Uint8Array} messageKey
 * @param {Uint8Array} salt the message's own
 * @param {Uint8Array} transcript
 */
export async function cipherKey(messageKey, salt, transcript) {
  const info = concat(MESSAGE, transcript);
  const keys = await hkdf(salt, messageKey, info, KEY_LENGTH + IV_LENGTH);
  return { key: keys.subarray(0, KEY_LENGTH), iv: keys.subarray(KEY_LENGTH) };
}
