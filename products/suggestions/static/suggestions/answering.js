/**
 * The form in which a suggestion is answered. What was published is shown by its event; an answer that
 * somebody else gave meanwhile is not written over before it was read.
 */

import { showErrors } from "../forms.js";
import { setBase } from "./shown.js";

/** @typedef {{text: string, at: string}} Answer */

document.addEventListener("fetched", (event) => {
  const form = formOf(event);
  const details = form.closest("details.suggestion-answering");
  if (details === null) return;
  const { answer } = /** @type {CustomEvent} */ (event).detail.body;
  details.removeAttribute("open");
  // The form keeps what it says now.
  /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text")).value = answer.text;
  setBase(form, answer);
  details.querySelector("summary")?.focus();
});

document.addEventListener("refused", (event) => {
  const form = formOf(event);
  const [error] = /** @type {CustomEvent} */ (event).detail.errors;
  const isAnswering = form.closest("details.suggestion-answering") !== null;
  if (!isAnswering || error.code !== "stale_version") return;
  event.preventDefault();
  showErrors(form, [{ ...error, detail: wordsFor(error.answer) }]);
  // Whoever publishes again after that means it.
  setBase(form, error.answer);
});

/**
 * @param {Event} event
 * @returns {HTMLFormElement}
 */
function formOf({ target }) {
  return /** @type {HTMLFormElement} */ (target);
}

/**
 * @param {Answer | null} answer that is there now
 * @returns {string}
 */
function wordsFor(answer) {
  if (answer === null) {
    return gettext("The answer was taken back meanwhile. Publish again to give yours in its place.");
  }
  const text = gettext("Somebody answered meanwhile. Publish again to replace this answer: %s");
  return interpolate(text, [answer.text]);
}
