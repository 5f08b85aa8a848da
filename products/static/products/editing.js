/**
 * What the seller changes on the product's page. Each form changes one field, based on the version
 * that was there when it was opened: a change that came in between is shown, never written over.
 */

import { callApi } from "../forms.js";
import { show } from "./product.js";

/** The hidden field that says the version, and where the page knows it. */
const VERSIONS = /** @type {const} */ ({ version: "version", stockVersion: "stockVersion" });

const page = /** @type {HTMLElement} */ (document.getElementById("product"));

/** The form that changes one field of the product, and the button that opens it. */
class Editor {
  #form;
  #opener;
  #field;
  #version;
  #conflict;
  /** The value that the form was opened on. */
  #base = "";

  /**
   * @param {HTMLButtonElement} opener
   * @param {HTMLFormElement} form
   */
  constructor(opener, form) {
    this.#opener = opener;
    this.#form = form;
    this.#field = /** @type {HTMLInputElement} */ (form.querySelector("[data-as=value]"));
    this.#version = /** @type {HTMLInputElement} */ (form.querySelector("input[type=hidden]"));
    this.#conflict = /** @type {HTMLElement} */ (form.querySelector(".conflict"));
    opener.addEventListener("click", () => (form.hidden ? this.#open() : this.#close()));
    form.querySelector("[data-leaves]")?.addEventListener("click", () => this.#close());
    form.querySelector("[data-takes]")?.addEventListener("click", () => this.#take());
    form.addEventListener("keydown", ({ key }) => key === "Escape" && this.#close());
    form.addEventListener("fetched", (event) => this.#finish(event));
    form.addEventListener("refused", (event) => this.#refuse(event));
    page.addEventListener("shown", () => this.#look());
  }

  #open() {
    this.#field.value = this.#field.defaultValue;
    this.#rebase();
    this.#form.hidden = false;
    this.#opener.setAttribute("aria-expanded", "true");
    this.#field.focus();
    this.#field.select();
  }

  #close() {
    this.#form.hidden = true;
    this.#field.value = this.#field.defaultValue;
    this.#opener.setAttribute("aria-expanded", "false");
    this.#opener.focus();
  }

  /** From here on the form is based on what the page shows. */
  #rebase() {
    this.#base = this.#field.defaultValue;
    const name = /** @type {keyof typeof VERSIONS} */ (this.#version.name);
    this.#version.value = page.dataset[VERSIONS[name]] ?? "";
    this.#conflict.hidden = true;
  }

  /** The page shows something else: is it what this form changes? */
  #look() {
    // The event of one's own change may come before the answer.
    if (this.#form.hidden || "busy" in this.#form.dataset) return;
    const { value, defaultValue } = this.#field;
    if (defaultValue === this.#base || value === defaultValue) this.#rebase();
    else this.#tellConflict();
  }

  #tellConflict() {
    const says = /** @type {HTMLElement} */ (this.#conflict.querySelector("[data-says]"));
    const text = gettext("Somebody changed this meanwhile. Now it is: %s");
    says.textContent = interpolate(text, [this.#field.defaultValue || gettext("(nothing)")]);
    this.#conflict.hidden = false;
  }

  #take() {
    this.#field.value = this.#field.defaultValue;
    this.#rebase();
    this.#field.focus();
  }

  /** @param {Event} event whose detail has the product as it was saved */
  #finish(event) {
    show(/** @type {CustomEvent} */ (event).detail.body);
    this.#close();
  }

  /** @param {Event} event whose detail says why the server refuses */
  #refuse(event) {
    const { errors } = /** @type {CustomEvent} */ (event).detail;
    if (errors[0].code !== "stale_version") return;
    event.preventDefault();
    void this.#readPresent();
  }

  /** Show what is there now; whoever saves again after that means it. */
  async #readPresent() {
    const { status, body } = await callApi(`/api/products/${page.dataset.id}`, { method: "GET" });
    if (status === 200) show(body);
    const typed = this.#field.value;
    this.#rebase();
    this.#field.value = typed;
    this.#tellConflict();
  }
}

for (const opener of page.querySelectorAll("button[data-edits]")) {
  const button = /** @type {HTMLButtonElement} */ (opener);
  const form = document.getElementById(`edit-${button.dataset.edits}`);
  if (form instanceof HTMLFormElement) new Editor(button, form);
}

const picture = /** @type {HTMLFormElement} */ (document.getElementById("edit-picture"));
picture.addEventListener("change", () => picture.requestSubmit());
for (const form of [picture, document.getElementById("edit-sale")]) {
  form?.addEventListener("fetched", (event) => {
    show(/** @type {CustomEvent} */ (event).detail.body);
  });
}
picture.addEventListener("fetched", () => picture.reset());
