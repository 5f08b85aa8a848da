/**
 * The text of an event stream, taken apart (WHATWG HTML, server-sent events). No I/O.
 */

/** @typedef {{event: string, data: string, id: string | null}} SseFrame */

const LINE = /\r\n|\r|\n/;

export class SseParser {
  #rest = "";
  #isFirst = true;
  /** @type {string[]} */
  #data = [];
  #event = "";
  /** @type {string | null} */
  #id = null;

  /**
   * Take the next piece of the stream, cut anywhere, and give the frames that it completes.
   * @param {string} text
   * @returns {SseFrame[]}
   */
  feed(text) {
    /** @type {SseFrame[]} */
    const frames = [];
    let rest = this.#rest + text;
    if (this.#isFirst && rest !== "") {
      this.#isFirst = false;
      if (rest.startsWith("\uFEFF")) rest = rest.slice(1);
    }
    // A CR at the very end may be half of a CRLF: it waits for the next piece.
    const held = rest.endsWith("\r") ? "\r" : "";
    const lines = (held ? rest.slice(0, -1) : rest).split(LINE);
    this.#rest = /** @type {string} */ (lines.pop()) + held;
    for (const line of lines) {
      if (line !== "") this.#take(line);
      else if (this.#data.length > 0) frames.push(this.#finish());
      else this.#event = "";
    }
    return frames;
  }

  /** @param {string} line */
  #take(line) {
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#event = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
  }

  /** @returns {SseFrame} */
  #finish() {
    const frame = { event: this.#event || "message", data: this.#data.join("\n"), id: this.#id };
    this.#data = [];
    this.#event = "";
    this.#id = null;
    return frame;
  }
}
