/** The button "Secure channel" of product and order pages: opens the conversation and goes there. */

import { callApi } from "../forms.js";
import { toast } from "../toasts.js";

document.addEventListener("click", ({ target }) => {
  const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest("[data-secure-channel]"));
  if (button !== null && !button.hasAttribute("aria-busy")) void openChannel(button);
});

/** @param {HTMLElement} button */
async function openChannel(button) {
  const { productId, buyerId } = button.dataset;
  const json = { productId: Number(productId), ...(buyerId ? { buyerId: Number(buyerId) } : {}) };
  button.setAttribute("aria-busy", "true");
  try {
    const { status, body } = await callApi("/api/dh/sessions", { json });
    if (status < 400) location.assign(`/chat/${body.sessionId}`);
    else toast({ text: body?.errors?.[0]?.detail ?? gettext("This is not possible now."), tone: "critical" });
  } catch {
    toast({ text: gettext("No answer came. Try again."), tone: "critical" });
  } finally {
    button.removeAttribute("aria-busy");
  }
}
