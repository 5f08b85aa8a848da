/**
 * Price and stock, changed in their rows. What is typed is saved by a press, based on the version
 * that was there when the typing began; what somebody else changed meanwhile is shown and offered,
 * never written over. + and − add to whatever is there, several presses at once.
 */

import { callApi, clearErrors, showErrors } from "../forms.js";
import { formatMoney, formatNumber } from "../realtime/format.js";

/** @typedef {Record<string, any>} Product as in events */
/** @typedef {(product: Product) => void} OnSaved */

const PAUSE_MS = 500;

/** @type {WeakMap<HTMLFormElement, Editor>} */
const editors = new WeakMap();

/**
 * @param {HTMLElement} list whose rows have form[data-edits]
 * @param {OnSaved} onSaved
 */
export function editRows(list, onSaved) {
  /** @param {Event} event */
  const editorAt = ({ target }) => {
    const form = /** @type {Element} */ (target).closest("form");
    return form?.matches("[data-edits]") ? editorOf(form, onSaved) : null;
  };
  list.addEventListener("input", (event) => editorAt(event)?.type());
  list.addEventListener("keydown", (event) => event.key === "Escape" && editorAt(event)?.undo());
  list.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest("button");
    const { change, leaves, takes, insists } = button?.dataset ?? {};
    if (change !== undefined) editorAt(event)?.add(Number(change));
    else if (leaves !== undefined || takes !== undefined) editorAt(event)?.undo();
    else if (insists !== undefined) editorAt(event)?.insist();
  });
  list.addEventListener("fetched", (event) => {
    editorAt(event)?.undo();
    onSaved(/** @type {CustomEvent} */ (event).detail.body);
  });
  list.addEventListener("refused", (event) => editorAt(event)?.refuse(event));
  addEventListener("pagehide", () => {
    for (const form of list.querySelectorAll("form[data-edits]")) {
      editors.get(/** @type {HTMLFormElement} */ (form))?.send();
    }
  });
}

/**
 * A row shows something new: do the fields in which somebody types?
 * @param {HTMLElement} row
 */
export function lookAtEditors(row) {
  for (const form of row.querySelectorAll("form[data-edits]")) {
    editors.get(/** @type {HTMLFormElement} */ (form))?.look();
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {OnSaved} onSaved
 */
function editorOf(form, onSaved) {
  const editor = editors.get(form) ?? new Editor(form, onSaved);
  editors.set(form, editor);
  return editor;
}

/** One field of one row while it is edited. */
class Editor {
  #form;
  #onSaved;
  #row;
  #input;
  #version;
  #end;
  /** The value on which the typing began; null while nothing is typed. @type {string | null} */
  #base = null;
  /** What + and − add up to, and how much of it is on its way. */
  #change = 0;
  #sent = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {HTMLFormElement} form
   * @param {OnSaved} onSaved
   */
  constructor(form, onSaved) {
    this.#form = form;
    this.#onSaved = onSaved;
    this.#row = /** @type {HTMLElement} */ (form.closest("[data-object=product]"));
    this.#input = /** @type {HTMLInputElement} */ (form.querySelector("[data-as=value]"));
    this.#version = /** @type {HTMLInputElement} */ (form.querySelector("input[type=hidden]"));
    this.#end = /** @type {HTMLElement} */ (form.querySelector(".edit-end"));
  }

  type() {
    if (this.#base === null) this.#rebase();
    if (this.#isAsShown()) this.undo();
    else this.#end.hidden = this.#conflict !== null;
  }

  /** Back to what is there now. */
  undo() {
    clearTimeout(this.#timer);
    this.#change = 0;
    this.#base = null;
    this.#version.value = "";
    this.#end.hidden = true;
    this.#forgetConflict();
    clearErrors(this.#form);
    this.look();
  }

  /** The row shows something else. */
  look() {
    if (this.#base === null) {
      // What is on its way may be in what is there, or not yet: its answer says.
      if (this.#sent !== 0) return;
      const { defaultValue } = this.#input;
      this.#input.value = this.#change ? String(Number(defaultValue) + this.#change) : defaultValue;
    } else if (this.#isAsShown()) this.undo();
    else if (this.#input.defaultValue === this.#base) this.#rebase();
    else this.#tellConflict();
  }

  /** Save what was typed over what somebody else wrote, which was seen. */
  insist() {
    this.#forgetConflict();
    this.#rebase();
    this.#form.requestSubmit();
  }

  /** @param {Event} event whose detail says why the server refuses */
  refuse(event) {
    const { errors } = /** @type {CustomEvent} */ (event).detail;
    event.preventDefault();
    if (errors[0].code === "stale_version") void this.#readPresent();
    else this.#tellErrors(errors);
  }

  /** @param {number} pieces above or below zero */
  add(pieces) {
    const present = Number(this.#input.value) || 0;
    const next = Math.max(0, present + pieces);
    this.#input.value = String(next);
    if (this.#base !== null) return this.type();
    clearErrors(this.#form);
    this.#change += next - present;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.send(), PAUSE_MS);
  }

  /** Send what + and − have added up to. */
  async send() {
    clearTimeout(this.#timer);
    if (this.#change === 0 || this.#sent !== 0) return;
    [this.#sent, this.#change] = [this.#change, 0];
    try {
      const json = { change: this.#sent };
      // It is sent even where the page is being left.
      const { status, body } = await callApi(this.#form.action, { json, keepalive: true });
      this.#sent = 0;
      if (status === 200) this.#onSaved(body);
      else this.#tellErrors(body?.errors ?? [noAnswer()]);
    } catch {
      this.#sent = 0;
      this.#tellErrors([noAnswer()]);
    }
    this.look();
    await this.send();
  }

  /** @param {import("../forms.js").ApiError[]} errors */
  #tellErrors(errors) {
    clearErrors(this.#form);
    // A field of this width has no room for words: they stand below the row.
    showErrors(this.#form, errors.map((error) => ({ ...error, attr: null })));
  }

  #isAsShown() {
    const { value, defaultValue } = this.#input;
    return value !== "" && Number(value) === Number(defaultValue);
  }

  /** From here on what is typed is based on what the row shows. */
  #rebase() {
    this.#base = this.#input.defaultValue;
    const { version = "", stockVersion = "" } = this.#row.dataset;
    this.#version.value = this.#form.dataset.basedOn === "version" ? version : stockVersion;
  }

  /** @returns {Element | null} */
  get #conflict() {
    return this.#form.querySelector(".edit-conflict");
  }

  #forgetConflict() {
    this.#conflict?.remove();
  }

  #tellConflict() {
    this.#forgetConflict();
    this.#end.hidden = true;
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("conflict"));
    const note = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    const write = (/** @type {string} */ selector, /** @type {string} */ pattern, /** @type {string} */ value) => {
      const element = /** @type {HTMLElement} */ (note.querySelector(selector));
      element.textContent = interpolate(pattern, [this.#format(value)]);
    };
    const { value, defaultValue } = this.#input;
    write("[data-says]", gettext("Now it is %s."), defaultValue);
    write("[data-takes]", gettext("Take %s"), defaultValue);
    write("[data-insists]", gettext("Set it to %s"), value);
    this.#form.append(note);
  }

  /** @param {string} value */
  #format(value) {
    if (this.#form.dataset.edits !== "price") return formatNumber(Number(value));
    const currency = this.#row.querySelector("[data-field=currency]")?.textContent ?? "EUR";
    return formatMoney(value, currency);
  }

  /** The server knows of a change that no event has brought yet. */
  async #readPresent() {
    const { status, body } = await callApi(`/api/products/${this.#row.dataset.id}`, { method: "GET" });
    if (status !== 200) return this.#tellErrors([noAnswer()]);
    this.#onSaved(body);
    // Another field was changed, not this one: nothing stands against saving it.
    if (this.#base !== null && this.#input.defaultValue === this.#base) this.insist();
  }
}

/** @returns {import("../forms.js").ApiError} */
function noAnswer() {
  const detail = gettext("It could not be saved. Look at what is there before you try again.");
  return { code: "unreachable", detail, attr: null };
}
