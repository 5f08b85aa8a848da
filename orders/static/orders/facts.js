/** What happens to orders, told as toasts, each with a link to its order. */

import { on } from "../realtime/client.js";
import { formatMoney } from "../realtime/format.js";
import { toast } from "../toasts.js";

/** @typedef {import("./shown.js").Order} Order */

/**
 * Tell of every order that this page hears of.
 * @param {string} [shown] the id of the order that the page shows itself, which needs no link
 */
export function tellFacts(shown = "") {
  /** @param {Order} order @param {string} text @param {"accent" | "positive"} [tone] */
  const tell = (order, text, tone) => {
    const isShown = String(order.id) === shown;
    // Staff hear of everybody's.
    if (!isShown && !isOwn(order)) return;
    const href = `/orders/${order.id}`;
    const action = isShown ? undefined : { label: gettext("Show"), href };
    toast({ text, tone, action });
  };
  on("order-created", ({ data: { order } }) => tell(order, describeNew(order)));
  on("order-updated", ({ data: { order, previousStatus } }) => {
    const tone = order.status === "delivered" ? "positive" : "accent";
    tell(order, describeChange(order, previousStatus), tone);
  });
}

/** @param {Order} order */
function isOwn({ buyerId, sellerId }) {
  return [buyerId, sellerId].map(String).includes(document.body.dataset.userId ?? "");
}

/** @param {Order} order */
function describeNew(order) {
  const { id, buyerName, sellerName, total, currency } = order;
  const isBuyer = String(order.buyerId) === document.body.dataset.userId;
  const text = isBuyer ? gettext("Order %s placed with %s: %s") : gettext("New order %s from %s: %s");
  return interpolate(text, [id, isBuyer ? sellerName : buyerName, formatMoney(total, currency)]);
}

/**
 * @param {Order} order
 * @param {string} previousStatus
 */
function describeChange({ id, status }, previousStatus) {
  if (status === previousStatus) return interpolate(gettext("Order %s was corrected."), [id]);
  const words = {
    pending: pgettext("order", "pending"),
    confirmed: pgettext("order", "confirmed"),
    shipped: pgettext("order", "shipped"),
    delivered: pgettext("order", "delivered"),
    cancelled: pgettext("order", "cancelled"),
  };
  const word = words[/** @type {keyof typeof words} */ (status)];
  return interpolate(gettext("Order %s: %s"), [id, word]);
}
