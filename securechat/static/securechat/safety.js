/** The safety number: sixty digits and a QR code, the same on both sides. */

import { encodeQR } from "../vendor/qr/index.js";
import { safetyNumber } from "./crypto/fingerprint.js";

/** @typedef {import("./channel.js").Channel} Channel */

const SVG = "http://www.w3.org/2000/svg";
const QUIET_ZONE = 2;
const DIGITS = /\d{5}/g;

export class SafetyDialog {
  #channel;
  #userId;
  #dialog = /** @type {HTMLDialogElement} */ (document.getElementById("safety"));
  /** The other one's key whose number stands there. @type {Uint8Array | null} */
  #shown = null;
  #compared = /** @type {HTMLInputElement} */ (document.getElementById("compared"));

  /**
   * @param {Channel} channel
   * @param {number} userId
   */
  constructor(channel, userId) {
    this.#channel = channel;
    this.#userId = userId;
    this.#compared.addEventListener("change", () => {
      if (this.#shown !== null) void channel.noteComparison(this.#shown, this.#compared.checked);
    });
  }

  async open() {
    const identities = await this.#channel.identities();
    if (identities === null) return;
    const number = await safetyNumber(
      { userId: this.#userId, identity: identities.own },
      { userId: this.#channel.peerId, identity: identities.peer },
    );
    const groups = number.match(DIGITS) ?? [];
    const digits = /** @type {HTMLElement} */ (document.getElementById("safety-digits"));
    digits.replaceChildren(...groups.map(makeGroup));
    drawCode(/** @type {SVGSVGElement} */ (/** @type {unknown} */ (document.getElementById("safety-code"))), number);
    this.#shown = identities.peer;
    this.#compared.checked = identities.isCompared;
    // A key that is not accepted is accepted first.
    this.#compared.disabled = !identities.isTrusted;
    this.#dialog.showModal();
  }
}

/** @param {string} digits */
function makeGroup(digits) {
  const node = document.createElement("li");
  node.textContent = digits;
  return node;
}

/**
 * @param {SVGSVGElement} svg
 * @param {string} text
 */
function drawCode(svg, text) {
  const rows = encodeQR(text, "raw", { border: QUIET_ZONE });
  svg.setAttribute("viewBox", `0 0 ${rows.length} ${rows.length}`);
  const path = document.createElementNS(SVG, "path");
  const squares = rows.flatMap((/** @type {boolean[]} */ row, /** @type {number} */ y) =>
    row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")),
  );
  path.setAttribute("d", squares.join(""));
  svg.replaceChildren(path);
}
