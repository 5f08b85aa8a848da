/**
 * Why something of the peer's was not accepted. malformed: not of the protocol's form; reflected: our
 * own, sent back; retired: of a chain that takes no more; replayed: opened before; too-far: more
 * messages would be skipped than may be; unverified: not what the peer sealed for this conversation;
 * invalid-key: a public key that no honest peer has.
 * @typedef {"malformed" | "reflected" | "retired" | "replayed" | "too-far" | "unverified"
 *   | "invalid-key"} Reason
 */

export class ChatError extends Error {
  name = "ChatError";

  /**
   * @param {Reason} reason
   * @param {ErrorOptions} [options] with the cause, where there is one
   */
  constructor(reason, options) {
    super(reason, options);
    this.reason = reason;
  }
}
