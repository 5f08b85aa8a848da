/**
 * The basket: what is pressed in it and put into it, what events say of what is in it, and ordering.
 *
 * Any page puts a product in: a button or a form with [data-adds-to-basket], inside an element whose
 * data-product is the product as in its events.
 */

import { callApi, clearErrors, showErrors, toJson } from "../forms.js";
import { on, subscribe } from "../realtime/client.js";
import { toast } from "../toasts.js";
import { OrderSender, toOrderLines } from "./basket-order.js";
import { BasketStore, isAvailable, isOrderable, openStorage } from "./basket-store.js";
import { showBasket } from "./basket-view.js";

/** @typedef {import("./basket-order.js").ApiError} ApiError */
/** @typedef {import("./basket-store.js").Line} Line */

const NOBODY = "basket.nobody";

const drawer = /** @type {HTMLDialogElement} */ (document.getElementById("basket"));
const form = /** @type {HTMLFormElement | null} */ (document.getElementById("basket-form"));
const { userId } = document.body.dataset;
const storage = openStorage();
const store = new BasketStore(storage, userId ? `basket.${userId}` : NOBODY);
const sender = new OrderSender(drawer.dataset.orders ?? "", storage, `${store.key}.sending`);
/** What ends listening to each product of the basket. @type {Map<number, () => void>} */
const heard = new Map();

/** Show what is in the basket, and listen to each product of it that is on sale. */
function refresh() {
  const lines = store.lines;
  showBasket(lines);
  const wanted = new Set(lines.filter((line) => !line.isGone).map((line) => line.product.id));
  for (const [id, leave] of heard) {
    if (wanted.has(id)) continue;
    leave();
    heard.delete(id);
  }
  for (const id of wanted) {
    if (!heard.has(id)) heard.set(id, subscribe(`product.${id}`));
  }
}

// --- what events say ------------------------------------------------------------------------

/** @param {Record<string, any>} payload */
function update(payload) {
  store.update(payload);
  refresh();
}

/** @param {number} id */
function lose(id) {
  store.correct(id, { isGone: true });
  refresh();
}

/** @param {string} channel */
const idOf = (channel) => (channel.startsWith("product.") ? Number(channel.slice(8)) : null);

on("product-created", ({ data }) => update(data.product));
on("product-updated", ({ data }) => update(data.product));
on("products-imported", ({ data }) => {
  const held = new Set(store.lines.map((line) => line.product.id));
  for (const product of data.products) if (held.has(product.id)) update(product);
});
on("product-deleted", ({ data }) => lose(data.productId));
on("availability-updated", ({ data }) => update({ ...data, id: data.productId }));
on("refused", ({ data }) => {
  const id = idOf(data.channel);
  if (id !== null) lose(id);
});
on("subscribed", ({ data: { channel, state } }) => {
  const id = idOf(channel);
  if (id === null) return;
  if (state === null) lose(id);
  else update(state);
});

// --- putting in -----------------------------------------------------------------------------

/**
 * @param {Element} source with data-product around it
 * @param {number} pieces
 */
function putIn(source, pieces) {
  const holder = /** @type {HTMLElement} */ (source.closest("[data-product]"));
  const product = JSON.parse(holder.dataset.product ?? "");
  const before = store.lines.find((line) => line.product.id === product.id)?.quantity ?? 0;
  const now = store.add(product, pieces);
  refresh();
  const action = { label: gettext("Show the basket"), onPress: () => drawer.showModal() };
  toast({ text: describePutIn(product, before, now, pieces), tone: now ? "positive" : "caution", action });
}

/**
 * @param {Record<string, any>} product
 * @param {number} before pieces that were in the basket
 * @param {number} now pieces that are
 * @param {number} pieces that were to be put in
 */
function describePutIn({ title }, before, now, pieces) {
  if (now === 0) return gettext("The basket is full: order what is in it first.");
  const added = interpolate(gettext("In your basket: %s"), [title]);
  if (now - before === pieces) return added;
  const text = ngettext("%s is all there is.", "%s are all there are.", now);
  return `${added}. ${interpolate(text, [now])}`;
}

document.addEventListener("click", ({ target }) => {
  const button = /** @type {Element} */ (target).closest("button[data-adds-to-basket]");
  if (button) putIn(button, 1);
});
// Before forms.js sees the form, which would let the browser send it.
document.addEventListener(
  "submit",
  (event) => {
    const source = /** @type {HTMLFormElement} */ (event.target);
    if (!source.matches("[data-adds-to-basket]")) return;
    event.preventDefault();
    putIn(source, Number(new FormData(source).get("quantity")));
  },
  true,
);

// --- changing -------------------------------------------------------------------------------

/** @param {EventTarget | null} target */
function lineOf(target) {
  const row = /** @type {Element} */ (target).closest(".basket-line");
  const id = Number(/** @type {HTMLElement | null} */ (row)?.dataset.id);
  return store.lines.find((line) => line.product.id === id);
}

drawer.addEventListener("change", ({ target }) => {
  const line = lineOf(target);
  if (line === undefined) return;
  const input = /** @type {HTMLInputElement} */ (target);
  store.setQuantity(line.product.id, Number(input.value));
  refresh();
  input.value = input.defaultValue;
});
drawer.addEventListener("click", ({ target }) => {
  const line = lineOf(target);
  const pressed = /** @type {Element} */ (target);
  if (line === undefined) return;
  if (pressed.closest("[data-takes-left]")) store.setQuantity(line.product.id, line.product.stock);
  else if (pressed.closest("[data-removes]")) store.remove([line.product.id]);
  else return;
  refresh();
  if (pressed.isConnected) return;
  const next = drawer.querySelector("[data-removes]") ?? drawer.querySelector("[data-closes]");
  /** @type {HTMLElement | null} */ (next)?.focus();
});

// --- ordering -------------------------------------------------------------------------------

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = /** @type {HTMLButtonElement} */ (document.getElementById("basket-order"));
  const lines = store.lines.filter(isAvailable);
  if (button.hasAttribute("aria-busy") || lines.length === 0) return;
  if (!lines.every(isOrderable)) {
    /** @type {HTMLElement | null} */ (drawer.querySelector(".basket-line [aria-invalid=true]"))?.focus();
    return;
  }
  button.setAttribute("aria-busy", "true");
  clearErrors(form);
  try {
    const order = { lines: toOrderLines(lines), ...toJson(form, new FormData(form)) };
    const answer = await sender.send(order);
    if ("orders" in answer) finish(lines, answer.orders);
    else refuse(form, lines, answer.errors);
  } catch {
    const detail = gettext("No answer came. Press again: nothing is ordered twice.");
    showErrors(form, [{ code: "unreachable", detail, attr: null }]);
  } finally {
    button.removeAttribute("aria-busy");
  }
});

/**
 * @param {Line[]} lines that were ordered
 * @param {any[]} orders
 */
function finish(lines, orders) {
  store.remove(lines.map((line) => line.product.id));
  refresh();
  drawer.close();
  const { ownOrders = "", orderPage = "" } = drawer.dataset;
  const isOne = orders.length === 1;
  const text = ngettext("The order is placed.", "%s orders are placed, one for each seller.", orders.length);
  toast({
    text: interpolate(text, [orders.length]),
    tone: "positive",
    action: isOne
      ? { label: gettext("Show the order"), href: orderPage.replace("{id}", orders[0].id) }
      : { label: gettext("Show the orders"), href: ownOrders },
  });
}

/**
 * Take over what the refusals of lines say, which the lines then show, and show the others.
 * @param {HTMLFormElement} shown
 * @param {Line[]} lines as they were sent
 * @param {ApiError[]} errors
 */
function refuse(shown, lines, errors) {
  for (const { code, attr, unitPrice, available } of errors) {
    const line = lines[Number(/^lines\.(\d+)$/.exec(attr ?? "")?.[1])];
    if (line === undefined) continue;
    if (code === "product_unavailable") store.correct(line.product.id, { isGone: true });
    if (code === "insufficient_stock") store.correct(line.product.id, { stock: available });
    if (code === "price_changed") store.correct(line.product.id, { price: unitPrice });
  }
  refresh();
  const isOfLine = (/** @type {ApiError} */ { attr }) => attr?.startsWith("lines.");
  const others = errors.filter((error) => !isOfLine(error));
  const detail = gettext("Nothing was ordered: look at the lines that are marked.");
  const marked = errors.some(isOfLine) ? [{ code: "marked", detail, attr: null }] : [];
  showErrors(shown, [...marked, ...others]);
}

// --- the beginning --------------------------------------------------------------------------

/** What was gone may be back since: nobody listened to it. */
async function askForGone() {
  for (const { product, isGone } of store.lines) {
    if (!isGone) continue;
    const { status, body } = await callApi(`/api/products/${product.id}`, { method: "GET" });
    if (status === 200) update(body);
  }
}

document.addEventListener("click", ({ target }) => {
  if (/** @type {Element} */ (target).closest("[data-opens=basket]")) void askForGone();
});
addEventListener("storage", ({ key }) => {
  if (key === store.key) refresh();
});
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) refresh();
});
if (userId) store.adopt(NOBODY);
refresh();
