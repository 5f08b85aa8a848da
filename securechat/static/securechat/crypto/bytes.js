/** How bytes, texts and numbers stand in what is sent, hashed and signed. */

import { ChatError } from "./chat-error.js";

const BASE64URL = /^[A-Za-z0-9_-]*$/;
const ENCODER = new TextEncoder();
// With its byte order mark, or two byte strings would be the same text.
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * @param {...Uint8Array} parts
 * @returns {Uint8Array} all of them, one after the other, in memory of their own
 */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * In a time that tells nothing but the lengths.
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
export function isEqual(a, b) {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at += 1) difference |= a[at] ^ b[at];
  return difference === 0;
}

/**
 * @param {string} text
 * @returns {Uint8Array} in UTF-8
 */
export function encodeText(text) {
  return ENCODER.encode(text);
}

/**
 * @param {Uint8Array} bytes
 * @returns {string}
 * @throws {ChatError} malformed: it is not UTF-8
 */
export function decodeText(bytes) {
  try {
    return DECODER.decode(bytes);
  } catch (cause) {
    throw new ChatError("malformed", { cause });
  }
}

/**
 * @param {Uint8Array} bytes
 * @returns {string} without padding
 */
export function encodeBase64url(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * @param {string} text
 * @returns {Uint8Array}
 * @throws {ChatError} malformed: it is not what encodeBase64url makes of any bytes
 */
export function decodeBase64url(text) {
  if (!BASE64URL.test(text) || text.length % 4 === 1) throw new ChatError("malformed");
  const decoded = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(decoded, (character) => character.charCodeAt(0));
  // The last character may have bits that stand for nothing.
  if (encodeBase64url(bytes) !== text) throw new ChatError("malformed");
  return bytes;
}

/**
 * @param {number} number below 2³²
 * @returns {Uint8Array} 4 bytes, big-endian
 */
export function encodeNumber(number) {
  if (!Number.isInteger(number) || number < 0 || number > 0xffff_ffff) throw new RangeError("not a u32");
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

/**
 * @param {Uint8Array} bytes
 * @returns {Uint8Array} with their length before them
 */
export function lengthPrefixed(bytes) {
  return concat(encodeNumber(bytes.length), bytes);
}
