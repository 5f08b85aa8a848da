/** Where all comes from that is random: tests with known answers have another source. */

import { encapsulate, generateKemPair } from "./kem.js";
import { generateExchangePair } from "./primitives.js";

/** @typedef {import("./kem.js").KemPair} KemPair */
/** @typedef {import("./kem.js").Encapsulation} Encapsulation */
/** @typedef {import("./primitives.js").ExchangePair} ExchangePair */

/**
 * @typedef {{
 *   exchangePair: () => Promise<ExchangePair>,
 *   kemPair: () => Promise<KemPair>,
 *   encapsulate: (publicKey: Uint8Array) => Promise<Encapsulation>,
 *   randomBytes: (length: number) => Uint8Array,
 * }} Source
 */

/** @type {Source} */
export const browserSource = {
  exchangePair: generateExchangePair,
  kemPair: generateKemPair,
  encapsulate,
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};
