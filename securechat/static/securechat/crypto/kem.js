/**
 * ML-KEM-768 (FIPS 203): the browser's own where it has one, as in the WICG draft "Modern Algorithms
 * in the Web Cryptography API", else that of noble.
 */

import { ChatError } from "./chat-error.js";

/**
 * The browser's own key, which cannot be read, or the seed d ‖ z of one of noble's. Either can be
 * stored; whatever has made it, a later version of the browser decapsulates with it.
 * @typedef {CryptoKey | {seed: Uint8Array}} KemPrivateKey
 */
/** @typedef {{publicKey: Uint8Array, privateKey: KemPrivateKey}} KemPair */
/** @typedef {{ciphertext: Uint8Array, secret: Uint8Array}} Encapsulation */

/**
 * What the draft adds to SubtleCrypto.
 * @typedef {{
 *   generateKey: (algorithm: string, extractable: boolean, usages: string[]) => Promise<CryptoKeyPair>,
 *   importKey: (format: string, data: Uint8Array, algorithm: string, extractable: boolean,
 *     usages: string[]) => Promise<CryptoKey>,
 *   exportKey: (format: string, key: CryptoKey) => Promise<ArrayBuffer>,
 *   encapsulateBits: (algorithm: string, key: CryptoKey) =>
 *     Promise<{sharedKey: ArrayBuffer, ciphertext: ArrayBuffer}>,
 *   decapsulateBits: (algorithm: string, key: CryptoKey, ciphertext: Uint8Array) =>
 *     Promise<ArrayBuffer>,
 * }} SubtleWithKem
 */

export const PUBLIC_KEY_LENGTH = 1184;
export const CIPHERTEXT_LENGTH = 1088;

const ALGORITHM = "ML-KEM-768";
const SEED_LENGTH = 64;

const subtle = /** @type {SubtleWithKem} */ (/** @type {unknown} */ (crypto.subtle));

/** Asked each time: nothing but a test changes it, and a test must be able to. */
const isNative = () => "encapsulateBits" in SubtleCrypto.prototype;

async function loadNoble() {
  const { ml_kem768: noble } = await import("../../vendor/noble/post-quantum/ml-kem.js");
  return noble;
}

/** @returns {Promise<KemPair>} */
export async function generateKemPair() {
  if (isNative()) {
    const pair = await subtle.generateKey(ALGORITHM, false, ["encapsulateBits", "decapsulateBits"]);
    const publicKey = new Uint8Array(await subtle.exportKey("raw-public", pair.publicKey));
    return { publicKey, privateKey: pair.privateKey };
  }
  const noble = await loadNoble();
  const seed = crypto.getRandomValues(new Uint8Array(SEED_LENGTH));
  return { publicKey: noble.keygen(seed).publicKey, privateKey: { seed } };
}

/**
 * @param {Uint8Array} publicKey the peer's
 * @returns {Promise<Encapsulation>} a secret of 32 bytes, and how the peer comes by it
 * @throws {ChatError} invalid-key (FIPS 203 §7.2)
 */
export async function encapsulate(publicKey) {
  if (isNative()) {
    const key = await importPublicKey(publicKey);
    const { sharedKey, ciphertext } = await subtle.encapsulateBits(ALGORITHM, key);
    return { ciphertext: new Uint8Array(ciphertext), secret: new Uint8Array(sharedKey) };
  }
  const noble = await loadNoble();
  try {
    const { cipherText, sharedSecret } = noble.encapsulate(publicKey);
    return { ciphertext: cipherText, secret: sharedSecret };
  } catch (cause) {
    throw new ChatError("invalid-key", { cause });
  }
}

/** @param {Uint8Array} publicKey */
async function importPublicKey(publicKey) {
  try {
    return await subtle.importKey("raw-public", publicKey, ALGORITHM, true, ["encapsulateBits"]);
  } catch (cause) {
    if (!(cause instanceof DOMException) || cause.name !== "DataError") throw cause;
    throw new ChatError("invalid-key", { cause });
  }
}

/**
 * @param {KemPrivateKey} privateKey
 * @param {Uint8Array} ciphertext of 1088 bytes
 * @returns {Promise<Uint8Array>} the secret; one that nobody else has, where the ciphertext is not for
 *   this key
 */
export async function decapsulate(privateKey, ciphertext) {
  if (!("seed" in privateKey)) {
    return new Uint8Array(await subtle.decapsulateBits(ALGORITHM, privateKey, ciphertext));
  }
  const noble = await loadNoble();
  return noble.decapsulate(ciphertext, noble.keygen(privateKey.seed).secretKey);
}
