/**
 * Taking an order's steps: a press on [data-step] inside [data-object=order] sends it at once, but
 * for a cancellation, which a dialog asks about once.
 */

import { callApi } from "../forms.js";
import { toast } from "../toasts.js";

/** @typedef {import("./shown.js").Order} Order */

const CANCELLED = "cancelled";
const BUSY = "aria-busy";

/**
 * @param {(order: Order) => void} show what the server says of an order after a step, or instead
 *   of one that it refused
 */
export function takeSteps(show) {
  document.addEventListener("click", ({ target, detail }) => {
    // The second half of a double click was meant for the button that was there before.
    if (detail > 1) return;
    const button = /** @type {Element} */ (target).closest("button[data-step]");
    const node = button?.closest('[data-object="order"]');
    // A card that is leaving shows what was done; nothing more is done with it.
    if (!button || !node || node.hasAttribute("data-gone") || button.hasAttribute(BUSY)) return;
    const { id = "" } = /** @type {HTMLElement} */ (node).dataset;
    const { step = "" } = /** @type {HTMLElement} */ (button).dataset;
    if (step === CANCELLED) askForReason(id);
    else void takeStep(/** @type {HTMLButtonElement} */ (button), id, step, show);
  });
  const form = cancelForm();
  form.addEventListener("fetched", (event) => show(/** @type {CustomEvent} */ (event).detail.body));
  form.addEventListener("refused", (event) => {
    const { status } = /** @type {CustomEvent} */ (event).detail;
    if (status !== 409) return;
    event.preventDefault();
    form.closest("dialog")?.close();
    void showPresent(form.dataset.order ?? "", show);
  });
}

/** @returns {HTMLFormElement} */
function cancelForm() {
  return /** @type {HTMLFormElement} */ (document.querySelector("#cancel-order form"));
}

/** @param {string} id */
function askForReason(id) {
  const form = cancelForm();
  form.reset();
  form.dataset.order = id;
  form.action = (form.dataset.pattern ?? "").replace("{id}", id);
  const number = form.querySelector("[data-number]");
  if (number) number.textContent = id;
  form.closest("dialog")?.showModal();
}

/**
 * @param {HTMLButtonElement} button
 * @param {string} id
 * @param {string} to
 * @param {(order: Order) => void} show
 */
async function takeStep(button, id, to, show) {
  button.setAttribute(BUSY, "true");
  try {
    const { status, body } = await callApi(`/api/orders/${id}/transition`, { json: { to } });
    if (status < 400) show(body);
    else if (status === 409) await showPresent(id, show);
    else toast({ text: body?.errors?.[0]?.detail ?? unexpected(status), tone: "critical" });
  } catch {
    const text = gettext("No answer came about order %s. Look what it says before you press again.");
    toast({ text: interpolate(text, [id]), tone: "critical" });
  } finally {
    button.removeAttribute(BUSY);
  }
}

/**
 * Somebody was faster: show how the order stands now.
 * @param {string} id
 * @param {(order: Order) => void} show
 */
async function showPresent(id, show) {
  const { status, body } = await callApi(`/api/orders/${id}`, { method: "GET" });
  if (status === 200) show(body);
  const text = gettext("Order %s was changed meanwhile. Nothing more was done: this is how it stands.");
  toast({ text: interpolate(text, [id]), tone: "caution" });
}

/** @param {number} status */
function unexpected(status) {
  return interpolate(gettext("The server could not do this (%s). Nothing was changed."), [status]);
}
