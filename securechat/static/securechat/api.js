/** The requests of the secure chat (docs/securechat.md; contract: /api/schema). */

import { callApi } from "../forms.js";

/**
 * @typedef {object} Session as the server shows it
 * @property {string} sessionId
 * @property {string} context
 * @property {number} productId
 * @property {string} productTitle
 * @property {number} buyerId
 * @property {string} buyerName
 * @property {number} sellerId
 * @property {string} sellerName
 * @property {"waiting" | "active" | "closed"} status
 * @property {number} epoch
 * @property {{buyer: string | null, seller: string | null}} keys
 * @property {number} lastSeq
 * @property {string | null} lastMessageAt
 * @property {boolean} blocked
 * @property {boolean} blockedByMe
 * @property {number} version
 */

/**
 * @typedef {{sessionId: string, seq: number, senderId: number, epoch: number, clientMessageId: string,
 *   envelope: string, sentAt: string}} WireMessage
 */

/** So long an answer may take; a file's, with the bytes it brings, longer. */
const PATIENCE_MS = 30_000;
const FILE_PATIENCE_MS = 180_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Whether it has the form of a message: one that has not is as one that never came.
 * @param {WireMessage} message
 */
export function isMessage({ seq, senderId, epoch, clientMessageId, envelope, sentAt }) {
  const numbers = [seq, senderId, epoch].every(Number.isSafeInteger);
  return numbers && UUID.test(clientMessageId) && typeof envelope === "string" && !Number.isNaN(Date.parse(sentAt));
}

/** The server said no. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {{code: string, detail: string}} error
   */
  constructor(status, { code, detail }) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

export class ChatApi {
  #address;

  /** @param {string} sessionId */
  constructor(sessionId) {
    this.#address = `/api/dh/sessions/${sessionId}`;
  }

  /** @returns {Promise<Session>} */
  session() {
    return this.#call("", { method: "GET" });
  }

  /**
   * @param {string} publicKey
   * @param {number} epoch
   * @returns {Promise<Session>}
   */
  submitKey(publicKey, epoch) {
    return this.#call("/key", { json: { publicKey, epoch } });
  }

  /**
   * @param {number} epoch
   * @returns {Promise<Session>}
   */
  rekey(epoch) {
    return this.#call("/rekey", { json: { epoch } });
  }

  /**
   * All messages after a number, oldest first, page by page.
   * @param {number} seq
   * @returns {AsyncGenerator<WireMessage[]>}
   */
  async *messagesAfter(seq) {
    let after = seq;
    for (;;) {
      const address = `/messages?after=${after}&pageSize=100`;
      const { results, next } = await this.#call(address, { method: "GET" });
      yield results;
      // Asked by number, not by page: what is written meanwhile moves no page.
      const last = results.at(-1)?.seq;
      if (next === null || !(last > after)) return;
      after = last;
    }
  }

  /**
   * @param {{clientMessageId: string, epoch: number, envelope: string}} message
   * @returns {Promise<{seq: number, sentAt: string}>}
   */
  send(message) {
    return this.#call("/messages", { json: message });
  }

  /**
   * What is done by a word alone.
   * @param {"close" | "typing" | "block" | "unblock"} what
   * @returns {Promise<any>}
   */
  tell(what) {
    return this.#call(`/${what}`, {});
  }

  deleteMessages() {
    return this.#call("/messages", { method: "DELETE" });
  }

  /** @param {{seqs: number[], plaintexts: string[], reason: string}} complaint */
  report(complaint) {
    return this.#call("/report", { json: complaint });
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} ciphertext
   * @returns {Promise<string>} its id
   */
  async leaveFile(ciphertext) {
    const headers = { "Content-Type": "application/octet-stream" };
    const signal = AbortSignal.timeout(FILE_PATIENCE_MS);
    const { attachmentId } = await this.#call("/attachments", { body: ciphertext, headers, signal });
    return attachmentId;
  }

  /**
   * @param {string} attachmentId
   * @returns {Promise<Uint8Array>}
   */
  async fetchFile(attachmentId) {
    const address = `${this.#address}/attachments/${encodeURIComponent(attachmentId)}`;
    const response = await fetch(address, { signal: AbortSignal.timeout(FILE_PATIENCE_MS) });
    if (!response.ok) throw new Refused(response.status, { code: "not_found", detail: "" });
    return new Uint8Array(await response.arrayBuffer());
  }

  /**
   * @param {string} path
   * @param {Parameters<typeof callApi>[1]} options
   */
  async #call(path, options) {
    // Some of this happens while other tabs wait.
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const { status, body } = await callApi(`${this.#address}${path}`, { signal, ...options });
    if (status >= 400) throw new Refused(status, body?.errors?.[0] ?? { code: "error", detail: "" });
    return body;
  }
}
