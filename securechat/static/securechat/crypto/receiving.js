/** A chain of message keys, and the keys of messages that have not come. */

import { isEqual } from "./bytes.js";
import { ChatError } from "./chat-error.js";
import { stepChain } from "./schedule.js";

/**
 * A chain that is received. key: the chain key of the next message, whose number is next.
 * @typedef {{id: Uint8Array, key: Uint8Array, next: number}} ReceivingChain
 */

/**
 * The key of a message that was skipped.
 * @typedef {{chainId: Uint8Array, number: number, key: Uint8Array}} SkippedKey
 */

/** In one message and chain: what a message can make its receiver compute. */
export const MOST_SKIPPED = 256;
/** The oldest are forgotten first. */
export const MOST_KEPT = 512;

/**
 * @param {ReceivingChain} chain
 * @param {number} number
 * @returns {Promise<{chain: ReceivingChain, skipped: SkippedKey[]}>} the chain just before the message
 *   of that number, and the keys of those passed over; the chain itself when it is further on
 * @throws {ChatError} too-far
 */
export async function skipTo(chain, number) {
  if (number - chain.next > MOST_SKIPPED) throw new ChatError("too-far");
  /** @type {SkippedKey[]} */
  const skipped = [];
  let { key, next } = chain;
  for (; next < number; next += 1) {
    const { messageKey, chainKey } = await stepChain(key);
    skipped.push({ chainId: chain.id, number: next, key: messageKey });
    key = chainKey;
  }
  return { chain: { id: chain.id, key, next }, skipped };
}

/**
 * @param {ReceivingChain} chain
 * @param {number} number
 * @returns {Promise<{chain: ReceivingChain, skipped: SkippedKey[], messageKey: Uint8Array}>} the chain
 *   just after the message of that number, and its key
 * @throws {ChatError} replayed or too-far
 */
export async function takeKey(chain, number) {
  if (number < chain.next) throw new ChatError("replayed");
  const { chain: before, skipped } = await skipTo(chain, number);
  const { messageKey, chainKey } = await stepChain(before.key);
  return { chain: { id: chain.id, key: chainKey, next: number + 1 }, skipped, messageKey };
}

/**
 * @param {SkippedKey[]} kept
 * @param {{chainId: Uint8Array, number: number}} message
 * @returns {SkippedKey | undefined}
 */
export function findSkipped(kept, { chainId, number }) {
  return kept.find((each) => each.number === number && isEqual(each.chainId, chainId));
}

/**
 * @param {SkippedKey[]} kept
 * @param {SkippedKey[]} skipped
 */
export function keepSkipped(kept, skipped) {
  return [...kept, ...skipped].slice(-MOST_KEPT);
}
