/** The public keys that each party shows the other at the beginning of an epoch. */

import { concat } from "./bytes.js";
import { ChatError } from "./chat-error.js";
import { PUBLIC_KEY_LENGTH as KEM_LENGTH } from "./kem.js";
import { browserSource } from "./source.js";

/** @typedef {import("./kem.js").KemPair} KemPair */
/** @typedef {import("./primitives.js").ExchangePair} ExchangePair */
/** @typedef {import("./source.js").Source} Source */
/** @typedef {"buyer" | "seller"} Role */

/**
 * What a party keeps of its own bundle until both are there. exchange, kem: of this epoch alone.
 * @typedef {{bundle: Uint8Array, exchange: ExchangePair, kem: KemPair}} OwnBundle
 */

/**
 * The public keys in a bundle. identity: the browser's long-lived one.
 * @typedef {{identity: Uint8Array, exchange: Uint8Array, kem: Uint8Array}} PublicKeys
 */

export const VERSION = 1;
/** The byte of each role. */
export const ROLE = Object.freeze({ buyer: 0x42, seller: 0x53 });
export const BUNDLE_LENGTH = 1250;

const IDENTITY_AT = 2;
/** From here on a bundle is as the public keys in a message's header. */
export const EXCHANGE_AT = 34;
const KEM_AT = BUNDLE_LENGTH - KEM_LENGTH;

/**
 * @param {Role} role
 * @returns {Role} the other one
 */
export function peerOf(role) {
  return role === "buyer" ? "seller" : "buyer";
}

/**
 * @param {{role: Role, identity: {publicKey: Uint8Array}}} party
 * @param {Source} [source]
 * @returns {Promise<OwnBundle>}
 */
export async function makeBundle({ role, identity }, source = browserSource) {
  const exchange = await source.exchangePair();
  const kem = await source.kemPair();
  const head = Uint8Array.of(VERSION, ROLE[role]);
  return { bundle: concat(head, identity.publicKey, exchange.publicKey, kem.publicKey), exchange, kem };
}

/**
 * @param {Uint8Array} bundle
 * @param {Role} role whose it must be
 * @returns {PublicKeys}
 * @throws {ChatError} malformed
 */
export function readBundle(bundle, role) {
  const isWellFormed = bundle.length === BUNDLE_LENGTH && bundle[0] === VERSION && bundle[1] === ROLE[role];
  if (!isWellFormed) throw new ChatError("malformed");
  return {
    identity: bundle.slice(IDENTITY_AT, EXCHANGE_AT),
    exchange: bundle.slice(EXCHANGE_AT, KEM_AT),
    kem: bundle.slice(KEM_AT),
  };
}
