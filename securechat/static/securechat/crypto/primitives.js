/** The browser's own cryptography, bytes in and bytes out. */

import { isEqual } from "./bytes.js";
import { ChatError } from "./chat-error.js";

/**
 * An X25519 key pair. The private key can be used and stored in this browser, not read.
 * @typedef {{publicKey: Uint8Array, privateKey: CryptoKey}} ExchangePair
 */

const { subtle } = crypto;

/** @param {Uint8Array} data */
export async function sha256(data) {
  return new Uint8Array(await subtle.digest("SHA-256", data));
}

/** @param {Uint8Array} data */
export async function sha512(data) {
  return new Uint8Array(await subtle.digest("SHA-512", data));
}

/**
 * RFC 2104 with SHA-256.
 * @param {Uint8Array} key not empty
 * @param {Uint8Array} data
 */
export async function hmac(key, data) {
  const imported = await subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", imported, data));
}

/**
 * RFC 5869 with SHA-256.
 * @param {Uint8Array} salt
 * @param {Uint8Array} ikm
 * @param {Uint8Array} info
 * @param {number} length in bytes
 */
export async function hkdf(salt, ikm, info, length) {
  const imported = await subtle.importKey("raw", ikm, "HKDF", false, ["deriveBits"]);
  const algorithm = { name: "HKDF", hash: "SHA-256", salt, info };
  return new Uint8Array(await subtle.deriveBits(algorithm, imported, 8 * length));
}

/**
 * AES-GCM.
 * @param {Uint8Array} key 32 bytes for AES-256
 * @param {Uint8Array} iv 12 bytes, never twice with the same key
 * @param {Uint8Array} data
 * @param {Uint8Array} aad what is authenticated beside it
 * @returns {Promise<Uint8Array>} the ciphertext and its tag of 16 bytes
 */
export async function gcmSeal(key, iv, data, aad) {
  const imported = await subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  return new Uint8Array(await subtle.encrypt({ name: "AES-GCM", iv, additionalData: aad }, imported, data));
}

/**
 * @param {Uint8Array} key
 * @param {Uint8Array} iv
 * @param {Uint8Array} data the ciphertext and its tag
 * @param {Uint8Array} aad
 * @returns {Promise<Uint8Array>}
 * @throws {ChatError} unverified
 */
export async function gcmOpen(key, iv, data, aad) {
  const imported = await subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  try {
    return new Uint8Array(await subtle.decrypt({ name: "AES-GCM", iv, additionalData: aad }, imported, data));
  } catch (cause) {
    throw new ChatError("unverified", { cause });
  }
}

/** @returns {Promise<ExchangePair>} */
export async function generateExchangePair() {
  const algorithm = { name: "X25519" };
  const pair = /** @type {CryptoKeyPair} */ (await subtle.generateKey(algorithm, false, ["deriveBits"]));
  const publicKey = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
  return { publicKey, privateKey: pair.privateKey };
}

/**
 * X25519 (RFC 7748 §6.1).
 * @param {CryptoKey} privateKey
 * @param {Uint8Array} publicKey the peer's
 * @returns {Promise<Uint8Array>} 32 bytes
 * @throws {ChatError} invalid-key
 */
export async function exchange(privateKey, publicKey) {
  if (!isCanonical(publicKey)) throw new ChatError("invalid-key");
  const peer = await subtle.importKey("raw", publicKey, { name: "X25519" }, true, []);
  const secret = await derive(privateKey, peer);
  // Also where WebCrypto lets a public key of low order pass.
  if (isEqual(secret, new Uint8Array(32))) throw new ChatError("invalid-key");
  return secret;
}

/**
 * @param {CryptoKey} privateKey
 * @param {CryptoKey} publicKey
 */
async function derive(privateKey, publicKey) {
  try {
    return new Uint8Array(await subtle.deriveBits({ name: "X25519", public: publicKey }, privateKey, 256));
  } catch (cause) {
    if (!(cause instanceof DOMException) || cause.name !== "OperationError") throw cause;
    throw new ChatError("invalid-key", { cause });
  }
}

/**
 * Whether it is the one way to write its point: X25519 itself takes others too (RFC 7748 §5), so that
 * what is signed or compared could be written differently and mean the same.
 * @param {Uint8Array} publicKey
 */
function isCanonical(publicKey) {
  if (publicKey.length !== 32 || publicKey[31] > 0x7f) return false;
  const isBelow = publicKey[0] < 0xed || publicKey[31] < 0x7f;
  return isBelow || publicKey.subarray(1, 31).some((byte) => byte < 0xff);
}
