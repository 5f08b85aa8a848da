/**
 * Files: encrypted here, each under a key of its own that travels in a message.
 */

import { decodeBase64url, encodeBase64url, isEqual } from "./crypto/bytes.js";
import { ChatError } from "./crypto/chat-error.js";
import { gcmOpen, gcmSeal, sha256 } from "./crypto/primitives.js";

export const MAX_FILE_BYTES = 5 * 1024 * 1024;
const KEY_BYTES = 32;
// Each key is used once.
const IV = new Uint8Array(12);
const NOTHING = new Uint8Array(0);
/** What a browser shows as a picture without running anything. */
const PICTURES = new Set(["image/png", "image/jpeg", "image/webp", "image/gif"]);
const MAX_NAME = 120;

/**
 * @param {File} file
 * @param {(ciphertext: Uint8Array<ArrayBuffer>) => Promise<string>} leave gives the attachment's id
 * @returns {Promise<{name: string, mime: string, size: number, attachmentId: string, key: string,
 *   digest: string}>} what its message says
 */
export async function leaveFile(file, leave) {
  const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const ciphertext = await gcmSeal(key, IV, new Uint8Array(await file.arrayBuffer()), NOTHING);
  return {
    name: file.name.slice(-MAX_NAME),
    mime: file.type,
    size: file.size,
    attachmentId: await leave(/** @type {Uint8Array<ArrayBuffer>} */ (ciphertext)),
    key: encodeBase64url(key),
    digest: encodeBase64url(await sha256(ciphertext)),
  };
}

/**
 * @param {Record<string, any>} content of the message that names it
 * @param {Uint8Array} ciphertext
 * @returns {Promise<Blob>} of a type that nothing runs in
 * @throws {ChatError} unverified
 */
export async function openFile({ mime, key, digest }, ciphertext) {
  if (!isEqual(await sha256(ciphertext), decodeBase64url(digest))) throw new ChatError("unverified");
  try {
    const content = await gcmOpen(decodeBase64url(key), IV, ciphertext, NOTHING);
    const type = isPicture(mime) ? mime : "application/octet-stream";
    return new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (content)], { type });
  } catch {
    throw new ChatError("unverified");
  }
}

/**
 * The name without what would show it as another: marks that turn the direction, control characters.
 * @param {string} name
 */
export function plainName(name) {
  return name.replace(/[\p{Cc}\p{Cf}/\\]/gu, "").slice(-MAX_NAME) || "file";
}

/** @param {string} mime */
export function isPicture(mime) {
  return PICTURES.has(mime);
}

/**
 * @param {string} url of a blob
 * @param {string} name
 */
export function save(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = plainName(name);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
