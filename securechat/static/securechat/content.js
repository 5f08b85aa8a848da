/**
 * What messages say, as it is encrypted: JSON (docs/securechat-protocol.md, "Content"). No I/O.
 */

import { decodeBase64url, decodeText, encodeBase64url, encodeText, isEqual } from "./crypto/bytes.js";
import { ChatError } from "./crypto/chat-error.js";

/** @typedef {{kind: string, id: string, confirm?: string, [field: string]: any}} Content */

/** With one byte of padding, the largest that an envelope holds. */
const MAX_BYTES = 32_767;
/** How many messages one receipt names of each kind. */
export const MAX_RECEIPTS = 200;

/** What a field must be for its message to be shown. @type {Record<string, Record<string, (value: any) => boolean>>} */
const KINDS = {
  text: { text: isText },
  file: {
    name: isText,
    mime: isText,
    size: Number.isSafeInteger,
    attachmentId: isText,
    key: isText,
    digest: isText,
  },
  receipt: { delivered: isListOfTexts, read: isListOfTexts },
};

/**
 * @param {Content} content
 * @returns {Uint8Array}
 */
export function encodeContent(content) {
  return encodeText(JSON.stringify(content));
}

/**
 * Whether it can be sent as one message.
 * @param {{kind: string, [field: string]: any}} content without its id
 */
export function fits(content) {
  const longest = { ...content, id: "x".repeat(36), confirm: "x".repeat(43) };
  return encodeContent(/** @type {Content} */ (longest)).length <= MAX_BYTES;
}

/**
 * What the other one wrote, whoever they are: looked at field by field, and nothing else is kept.
 * @param {Uint8Array} plaintext
 * @param {string} id under which the server passed it on
 * @returns {Content} kind "unknown" for one that this page does not know
 * @throws {ChatError} unverified
 */
export function decodeContent(plaintext, id) {
  const said = parse(plaintext);
  // The id is the server's word: another one's ciphertext may stand under it.
  if (said?.id !== id || !isText(said.kind)) throw new ChatError("unverified");
  const isKnown = Object.hasOwn(KINDS, said.kind);
  /** @type {Content} */
  const content = { kind: isKnown ? said.kind : "unknown", id };
  if (isText(said.confirm)) content.confirm = said.confirm;
  for (const [name, isFit] of Object.entries(isKnown ? KINDS[said.kind] : {})) {
    if (!isFit(said[name])) throw new ChatError("unverified");
    content[name] = said[name];
  }
  return content;
}

/**
 * Whether the message shows that its sender has the same keys.
 * @param {Content} content
 * @param {Uint8Array} expected
 * @returns {boolean | null} null where it says nothing of that
 */
export function confirms({ confirm }, expected) {
  if (confirm === undefined) return null;
  try {
    return isEqual(decodeBase64url(confirm), expected);
  } catch {
    return false;
  }
}

/**
 * @param {Content} content
 * @param {Uint8Array} confirm
 * @returns {Content}
 */
export function withConfirmation(content, confirm) {
  return { ...content, confirm: encodeBase64url(confirm) };
}

/** @param {Uint8Array} plaintext */
function parse(plaintext) {
  try {
    return JSON.parse(decodeText(plaintext));
  } catch {
    throw new ChatError("unverified");
  }
}

/** @param {unknown} value */
function isText(value) {
  return typeof value === "string";
}

/** @param {unknown} value */
function isListOfTexts(value) {
  return Array.isArray(value) && value.length <= MAX_RECEIPTS && value.every(isText);
}
