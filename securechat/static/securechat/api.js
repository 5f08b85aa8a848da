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
    let address = `/messages?after=${seq}&pageSize=100`;
    while (address !== "") {
      const { results, next } = await this.#call(address, { method: "GET" });
      if (results.length > 0) yield results;
      // Asked by number, not by page: what is written meanwhile moves no page.
      address = next === null ? "" : `/messages?after=${results.at(-1).seq}&pageSize=100`;
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
    const { attachmentId } = await this.#call("/attachments", { body: ciphertext, headers });
    return attachmentId;
  }

  /**
   * @param {string} attachmentId
   * @returns {Promise<Uint8Array>}
   */
  async fetchFile(attachmentId) {
    const response = await fetch(`${this.#address}/attachments/${encodeURIComponent(attachmentId)}`);
    if (!response.ok) throw new Refused(response.status, { code: "not_found", detail: "" });
    return new Uint8Array(await response.arrayBuffer());
  }

  /**
   * @param {string} path
   * @param {Parameters<typeof callApi>[1]} options
   */
  async #call(path, options) {
    const { status, body } = await callApi(`${this.#address}${path}`, options);
    if (status >= 400) throw new Refused(status, body?.errors?.[0] ?? { code: "error", detail: "" });
    return body;
  }
}
