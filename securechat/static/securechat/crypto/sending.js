/** A chain of messages of our own: how it begins. */

import { concat } from "./bytes.js";
import { identifyChain } from "./message.js";
import { exchange } from "./primitives.js";
import { initialChainKey, turnRoot } from "./schedule.js";

/** @typedef {import("./bundle.js").OwnBundle} OwnBundle */
/** @typedef {import("./kem.js").KemPrivateKey} KemPrivateKey */
/** @typedef {import("./message.js").ChainHead} ChainHead */
/** @typedef {import("./source.js").Source} Source */

/**
 * key: the chain key of the next message, whose number is next; exchangeKey, kemKey: the private keys
 * to the public ones, with which the peer's next chain is received.
 * @typedef {ChainHead & {key: Uint8Array, next: number, exchangeKey: CryptoKey,
 *   kemKey: KemPrivateKey}} SendingChain
 */

/**
 * @param {OwnBundle} own the seller's
 * @param {Uint8Array} encapsulationKey in the buyer's bundle
 * @param {Uint8Array} initSeed
 * @param {Uint8Array} transcript
 * @param {Source} source
 * @returns {Promise<SendingChain>}
 */
export async function beginInitialChain(own, encapsulationKey, initSeed, transcript, source) {
  const { ciphertext, secret } = await source.encapsulate(encapsulationKey);
  return {
    isInitial: true,
    publicKey: own.exchange.publicKey,
    encapsulationKey: own.kem.publicKey,
    ciphertext,
    previous: 0,
    key: await initialChainKey(initSeed, secret, ciphertext, transcript),
    next: 0,
    exchangeKey: own.exchange.privateKey,
    kemKey: own.kem.privateKey,
  };
}

/**
 * @param {{rootKey: Uint8Array, transcript: Uint8Array}} state
 * @param {{publicKey: Uint8Array, encapsulationKey: Uint8Array}} peer its newest public keys
 * @param {number} previous how many messages our sending chain before carried
 * @param {Source} source
 * @returns {Promise<{rootKey: Uint8Array, sending: SendingChain}>}
 */
export async function beginTurn(state, peer, previous, source) {
  const pair = await source.exchangePair();
  const kem = await source.kemPair();
  const { ciphertext, secret } = await source.encapsulate(peer.encapsulationKey);
  const keys = { publicKey: pair.publicKey, encapsulationKey: kem.publicKey, ciphertext };
  const shared = concat(await exchange(pair.privateKey, peer.publicKey), secret);
  const chainId = await identifyChain(keys);
  const { rootKey, chainKey } = await turnRoot(state.rootKey, shared, chainId, state.transcript);
  const privateKeys = { exchangeKey: pair.privateKey, kemKey: kem.privateKey };
  const chain = { key: chainKey, next: 0, previous, isInitial: false };
  return { rootKey, sending: { ...chain, ...keys, ...privateKeys } };
}
