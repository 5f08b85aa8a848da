/**
 * Where one writes: grows to six lines; Enter sends, Shift and Enter breaks the line.
 */

import { toast } from "../toasts.js";
import { fits } from "./content.js";

const TYPING_EVERY_MS = 4_000;

export class Composer {
  #form = /** @type {HTMLFormElement} */ (document.getElementById("composer"));
  #text = /** @type {HTMLTextAreaElement} */ (document.getElementById("text"));
  #file = /** @type {HTMLInputElement} */ (document.getElementById("file"));
  #saidAt = 0;

  /**
   * @param {{onText: (text: string) => void, onFile: (file: File) => void, onTyping: () => void}} callbacks
   *   onTyping: at most every four seconds
   */
  constructor({ onText, onFile, onTyping }) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(onText);
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send(onText);
    });
    this.#text.addEventListener("input", () => {
      this.#grow();
      if (this.#text.value === "" || Date.now() - this.#saidAt < TYPING_EVERY_MS) return;
      this.#saidAt = Date.now();
      onTyping();
    });
    this.#file.addEventListener("change", () => {
      for (const file of this.#file.files ?? []) onFile(file);
      this.#file.value = "";
    });
  }

  /** @param {boolean} isAllowed whether anything can be written now */
  allow(isAllowed) {
    for (const field of this.#form.querySelectorAll("textarea, input, button")) {
      /** @type {HTMLButtonElement} */ (field).disabled = !isAllowed;
    }
    this.#form.toggleAttribute("data-off", !isAllowed);
  }

  /** @param {(text: string) => void} onText */
  #send(onText) {
    const text = this.#text.value.trim();
    if (text === "" || this.#text.disabled) return;
    if (!fits({ kind: "text", text })) {
      toast({ text: gettext("This is too long for one message. Send it in parts, or as a file."), tone: "caution" });
      return;
    }
    this.#text.value = "";
    this.#saidAt = 0;
    this.#grow();
    onText(text);
  }

  #grow() {
    // The stylesheet gives the rows a height; an attribute is no inline style.
    const lines = this.#text.value.split("\n").length;
    const wrapped = this.#text.scrollHeight > this.#text.clientHeight ? this.#text.rows + 1 : lines;
    this.#text.rows = Math.min(6, Math.max(lines, wrapped));
  }
}
