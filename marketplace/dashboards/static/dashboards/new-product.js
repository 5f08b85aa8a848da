/** The dialog that offers a new product: goods or a tour. */

import { toast } from "../toasts.js";

/** @typedef {Record<string, any>} Product as in events */

/** @param {(product: Product) => void} onCreated */
export function offerProducts(onCreated) {
  const form = /** @type {HTMLFormElement} */ (document.getElementById("new-product-form"));
  const start = /** @type {HTMLInputElement} */ (document.getElementById("new-product-start"));
  const startsAt = /** @type {HTMLInputElement} */ (form.elements.namedItem("startsAt"));
  const showKind = () => {
    const kind = new FormData(form).get("kind");
    for (const element of form.querySelectorAll("[data-kind]")) {
      const part = /** @type {HTMLFieldSetElement} */ (element);
      part.hidden = part.dataset.kind !== kind;
      if (part.matches("fieldset")) part.disabled = part.hidden;
    }
  };
  form.addEventListener("change", showKind);
  start.addEventListener("input", () => {
    // What is typed is meant in the reader's time zone.
    startsAt.disabled = start.value === "";
    startsAt.value = startsAt.disabled ? "" : new Date(start.value).toISOString();
  });
  form.addEventListener("reset", () => {
    startsAt.disabled = true;
    setTimeout(showKind);
  });
  form.addEventListener("fetched", (event) => {
    const product = /** @type {CustomEvent} */ (event).detail.body;
    onCreated(product);
    toast({
      text: interpolate(gettext("On sale: %s"), [product.title]),
      tone: "positive",
      action: { label: gettext("Add a picture"), href: `/products/${product.id}` },
    });
  });
}
