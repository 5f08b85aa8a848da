/** The number by which two people see that nobody stands between them. */

import { concat, encodeText } from "./bytes.js";
import { sha512 } from "./primitives.js";

/**
 * identity: the public X25519 key of the user's browser.
 * @typedef {{userId: string | number, identity: Uint8Array}} Person
 */

const ITERATIONS = 5_200;
const VERSION = Uint8Array.of(0, 0);
/** libsignal's byte for keys of Curve25519. */
const KEY_TYPE = Uint8Array.of(5);
const CHUNKS = 6;
const CHUNK_LENGTH = 5;

/**
 * libsignal's numeric fingerprint, version 1.
 * @param {Person} one
 * @param {Person} other
 * @returns {Promise<string>} 60 digits, the same on both sides
 */
export async function safetyNumber(one, other) {
  return (await Promise.all([digits(one), digits(other)])).sort().join("");
}

/** @param {Person} person */
async function digits({ userId, identity }) {
  const key = concat(KEY_TYPE, identity);
  let hash = concat(VERSION, key, encodeText(String(userId)));
  for (let round = 0; round < ITERATIONS; round += 1) hash = await sha512(concat(hash, key));
  return Array.from({ length: CHUNKS }, (_, at) => chunk(hash.subarray(at * CHUNK_LENGTH))).join("");
}

/** @param {Uint8Array} bytes of which the first five are taken */
function chunk(bytes) {
  const number = bytes.subarray(0, CHUNK_LENGTH).reduce((sum, byte) => sum * 256 + byte, 0);
  return String(number % 100_000).padStart(CHUNK_LENGTH, "0");
}
