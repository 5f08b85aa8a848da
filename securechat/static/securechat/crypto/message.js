/** The form of a message: its header, its padding and its sealing under a key that is given. */

import { ROLE, VERSION } from "./bundle.js";
import { concat, encodeNumber } from "./bytes.js";
import { ChatError } from "./chat-error.js";
import { CIPHERTEXT_LENGTH, PUBLIC_KEY_LENGTH } from "./kem.js";
import { gcmOpen, gcmSeal, sha256 } from "./primitives.js";
import { cipherKey } from "./schedule.js";

/** @typedef {import("./bundle.js").Role} Role */

/**
 * What a sending chain shows of itself in each of its messages, the same in all. isInitial: whether
 * it is the seller's initial chain; previous: how many messages the chain before it carried.
 * @typedef {{isInitial: boolean, publicKey: Uint8Array, encapsulationKey: Uint8Array,
 *   ciphertext: Uint8Array, previous: number}} ChainHead
 */

/**
 * A message that came. chainId: of the chain that it is in; number: its place there, from 0 on.
 * @typedef {ChainHead & {role: Role, chainId: Uint8Array, number: number, salt: Uint8Array,
 *   header: Uint8Array, sealed: Uint8Array}} Message
 */

export const SALT_LENGTH = 16;

const INITIAL_AT = 2;
export const KEYS_AT = 3;
const ENCAPSULATION_KEY_AT = KEYS_AT + 32;
export const CIPHERTEXT_AT = ENCAPSULATION_KEY_AT + PUBLIC_KEY_LENGTH;
const PREVIOUS_AT = CIPHERTEXT_AT + CIPHERTEXT_LENGTH;
const NUMBER_AT = PREVIOUS_AT + 4;
const SALT_AT = NUMBER_AT + 4;
export const HEADER_LENGTH = SALT_AT + SALT_LENGTH;
const TAG_LENGTH = 16;

const SMALLEST_PADDED = 256;
const LARGEST_PADDED = 32_768;
const PADDING = 0x80;

/**
 * @param {Pick<ChainHead, "publicKey" | "encapsulationKey" | "ciphertext">} chain
 * @returns {Promise<Uint8Array>}
 */
export async function identifyChain({ publicKey, encapsulationKey, ciphertext }) {
  return sha256(concat(publicKey, encapsulationKey, ciphertext));
}

/**
 * @param {Role} role the sender's
 * @param {ChainHead} chain
 * @param {number} number
 * @param {Uint8Array} salt
 */
function encodeHeader(role, chain, number, salt) {
  return concat(
    Uint8Array.of(VERSION, ROLE[role], Number(chain.isInitial)),
    chain.publicKey,
    chain.encapsulationKey,
    chain.ciphertext,
    encodeNumber(chain.previous),
    encodeNumber(number),
    salt,
  );
}

/**
 * @param {Uint8Array} envelope
 * @returns {Promise<Message>}
 * @throws {ChatError} malformed
 */
export async function readMessage(envelope) {
  const [version, role, initial] = envelope;
  const isPadded = isPaddedLength(envelope.length - HEADER_LENGTH - TAG_LENGTH);
  if (!isPadded || version !== VERSION || initial > 1) throw new ChatError("malformed");
  const view = new DataView(envelope.buffer, envelope.byteOffset);
  const keys = {
    publicKey: envelope.slice(KEYS_AT, ENCAPSULATION_KEY_AT),
    encapsulationKey: envelope.slice(ENCAPSULATION_KEY_AT, CIPHERTEXT_AT),
    ciphertext: envelope.slice(CIPHERTEXT_AT, PREVIOUS_AT),
  };
  return {
    ...keys,
    role: readRole(role),
    isInitial: initial === 1,
    chainId: await identifyChain(keys),
    previous: view.getUint32(PREVIOUS_AT),
    number: view.getUint32(NUMBER_AT),
    salt: envelope.slice(SALT_AT, HEADER_LENGTH),
    header: envelope.slice(0, HEADER_LENGTH),
    sealed: envelope.slice(HEADER_LENGTH),
  };
}

/**
 * @param {number} byte
 * @returns {Role}
 */
function readRole(byte) {
  if (byte === ROLE.buyer) return "buyer";
  if (byte === ROLE.seller) return "seller";
  throw new ChatError("malformed");
}

/**
 * @param {Uint8Array} messageKey
 * @param {Uint8Array} transcript
 * @param {{role: Role, chain: ChainHead, number: number, salt: Uint8Array}} head
 * @param {Uint8Array} plaintext
 * @returns {Promise<Uint8Array>} the envelope
 */
export async function sealMessage(messageKey, transcript, { role, chain, number, salt }, plaintext) {
  const header = encodeHeader(role, chain, number, salt);
  const { key, iv } = await cipherKey(messageKey, salt, transcript);
  return concat(header, await gcmSeal(key, iv, pad(plaintext), concat(transcript, header)));
}

/**
 * @param {Uint8Array} messageKey
 * @param {Uint8Array} transcript
 * @param {Message} message
 * @returns {Promise<Uint8Array>} the plaintext
 * @throws {ChatError} unverified
 */
export async function openMessage(messageKey, transcript, { header, salt, sealed }) {
  const { key, iv } = await cipherKey(messageKey, salt, transcript);
  return unpad(await gcmOpen(key, iv, sealed, concat(transcript, header)));
}

/** @param {number} length */
function isPaddedLength(length) {
  return length >= SMALLEST_PADDED && length <= LARGEST_PADDED && (length & (length - 1)) === 0;
}

/** @param {number} length of a plaintext */
function paddedLength(length) {
  let padded = SMALLEST_PADDED;
  while (padded <= length) padded *= 2;
  return padded;
}

/**
 * @param {Uint8Array} plaintext
 * @returns {Uint8Array}
 */
export function pad(plaintext) {
  const length = paddedLength(plaintext.length);
  if (length > LARGEST_PADDED) throw new RangeError("the plaintext is too long");
  const padded = new Uint8Array(length);
  padded.set(plaintext);
  padded[plaintext.length] = PADDING;
  return padded;
}

/**
 * @param {Uint8Array} padded
 * @returns {Uint8Array}
 * @throws {ChatError} unverified: it is not what pad makes of any plaintext
 */
export function unpad(padded) {
  const length = padded.findLastIndex((byte) => byte !== 0);
  if (padded[length] !== PADDING || paddedLength(length) !== padded.length) {
    throw new ChatError("unverified");
  }
  return padded.slice(0, length);
}
