/**
 * Forms. Every form: no button can be pressed twice. `<form data-fetch action="/api/…">`: sent as
 * JSON without leaving the page (as multipart where its enctype says so), errors at their fields.
 *
 * On the form: data-method (POST), data-done (text of a toast), data-next (address to go to, "."
 * for this page anew). Fields are named as on the wire, "shippingAddress.city" goes one level down;
 * an empty number, date or hidden field is null, a checkbox is true or false. Afterwards the form gets the event
 * "fetched" with detail {status, body}; a dialog around it closes, and its fields are as at first.
 * When it is refused, it gets "refused" with {status, errors}: preventDefault() keeps them from
 * being shown.
 */

import { toast } from "./toasts.js";

/** @typedef {{code: string, detail: string, attr: string | null}} ApiError */

/** Switch it on for the whole page, present and future forms. */
export function guardForms() {
  document.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (event.defaultPrevented || form.method === "dialog") return;
    if (form.dataset.busy !== undefined) return event.preventDefault();
    const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
    if ("fetch" in form.dataset) {
      event.preventDefault();
      void sendForm(form, button);
    } else {
      setBusy(form, button, true);
    }
  });
  // Back from another page, out of the browser's cache.
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    for (const form of document.querySelectorAll("form[data-busy]")) {
      const button = form.querySelector("[aria-busy=true]");
      setBusy(/** @type {HTMLFormElement} */ (form), button, false);
    }
  });
}

/**
 * @param {string} url
 * @param {RequestInit & {json?: unknown}} [options] json becomes the body
 * @returns {Promise<{status: number, body: any}>} rejects where no answer came
 */
export async function callApi(url, { json, headers, ...options } = {}) {
  const response = await fetch(url, {
    method: "POST",
    ...options,
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    headers: {
      Accept: "application/json",
      "X-CSRFToken": readCookie("csrftoken"),
      ...(json === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
  });
  const isJson = response.headers.get("content-type")?.includes("json");
  return { status: response.status, body: isJson ? await response.json() : null };
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement | null} button that was pressed
 */
async function sendForm(form, button) {
  const data = new FormData(form, button);
  const isUpload = form.enctype === "multipart/form-data";
  const method = (form.dataset.method ?? "POST").toUpperCase();
  setBusy(form, button, true);
  clearErrors(form);
  try {
    const content = isUpload ? { body: data } : { json: toJson(form, data) };
    const { status, body } = await callApi(form.action, { method, ...content });
    if (status >= 400) refuse(form, status, body?.errors ?? [unexpected(status)]);
    else succeed(form, status, body);
  } catch {
    showErrors(form, [
      {
        code: "unreachable",
        detail: gettext("No answer came. Look whether it was saved before you send it again."),
        attr: null,
      },
    ]);
  } finally {
    setBusy(form, button, false);
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {number} status
 * @param {any} body
 */
function succeed(form, status, body) {
  const { done, next } = form.dataset;
  const closed = form.closest("dialog");
  form.dispatchEvent(new CustomEvent("fetched", { bubbles: true, detail: { status, body } }));
  if (closed !== null) {
    closed.close();
    form.reset();
  }
  if (done) toast({ text: done, tone: "positive" });
  if (next === ".") location.reload();
  else if (next) location.assign(next);
}

/**
 * @param {HTMLFormElement} form
 * @param {number} status
 * @param {ApiError[]} errors
 */
function refuse(form, status, errors) {
  const detail = { status, errors };
  const refused = new CustomEvent("refused", { bubbles: true, cancelable: true, detail });
  if (form.dispatchEvent(refused)) showErrors(form, errors);
}

/**
 * The form's values as they go on the wire.
 * @param {HTMLFormElement} form
 * @param {FormData} data
 */
export function toJson(form, data) {
  /** @type {Record<string, any>} */
  const json = {};
  for (const element of form.elements) {
    const { name, type, checked } = /** @type {HTMLInputElement} */ (element);
    if (name && type === "checkbox") setPath(json, name, checked);
  }
  for (const [name, value] of data) {
    const field = form.elements.namedItem(name);
    const type = field instanceof HTMLElement ? /** @type {any} */ (field).type : "text";
    if (name === "csrfmiddlewaretoken" || type === "checkbox") continue;
    const isEmpty = value === "" && ["number", "date", "datetime-local", "hidden"].includes(type);
    setPath(json, name, isEmpty ? null : value);
  }
  return json;
}

/**
 * @param {Record<string, any>} target
 * @param {string} path
 * @param {unknown} value
 */
function setPath(target, path, value) {
  const names = path.split(".");
  const last = /** @type {string} */ (names.pop());
  const parent = names.reduce((object, name) => (object[name] ??= {}), target);
  parent[last] = value;
}

// --- what is wrong --------------------------------------------------------------------------

/**
 * Put each error at its field, and what belongs to none at the top of the form.
 * @param {HTMLFormElement} form
 * @param {ApiError[]} errors
 */
export function showErrors(form, errors) {
  const others = errors.filter((error) => !showAtField(form, error));
  if (others.length > 0) {
    const box = document.createElement("div");
    box.className = "form-error";
    box.dataset.fetched = "";
    box.setAttribute("role", "alert");
    box.textContent = others.map((error) => error.detail).join(" ");
    form.prepend(box);
  }
  /** @type {HTMLElement | null} */ (form.querySelector('[aria-invalid="true"]'))?.focus();
}

/**
 * @param {HTMLFormElement} form
 * @param {ApiError} error
 * @returns {boolean} whether the form has that field
 */
function showAtField(form, { attr, detail }) {
  const field = attr === null ? null : form.elements.namedItem(attr);
  const box = field instanceof HTMLElement ? field.closest(".field") : null;
  if (!(field instanceof HTMLElement) || box === null) return false;
  const note = document.createElement("div");
  note.className = "field-error";
  note.dataset.fetched = "";
  note.id = `${field.id || `field-${attr}`}_fetched_error`;
  note.textContent = detail;
  box.append(note);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-errormessage", note.id);
  return true;
}

/** @param {HTMLFormElement} form */
export function clearErrors(form) {
  for (const note of form.querySelectorAll("[data-fetched]")) note.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-errormessage");
  }
}

/**
 * What is said of an answer that is no answer of ours.
 * @param {number} status
 * @returns {ApiError}
 */
export function unexpected(status) {
  const text = gettext("The server could not do this (%s). Nothing more is known; try again.");
  return { code: "unexpected", detail: interpolate(text, [status]), attr: null };
}

/**
 * @param {HTMLFormElement} form
 * @param {Element | null} button
 * @param {boolean} isBusy
 */
function setBusy(form, button, isBusy) {
  if (isBusy) form.dataset.busy = "";
  else delete form.dataset.busy;
  if (isBusy) button?.setAttribute("aria-busy", "true");
  else button?.removeAttribute("aria-busy");
}

/** @param {string} name */
export function readCookie(name) {
  const found = document.cookie.split("; ").find((cookie) => cookie.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}
