/**
 * The drawer's content: groups by seller, in each the lines. Rows stay the same elements while they
 * are shown, so that nobody loses the focus when something changes.
 */

import { writeField } from "../realtime/fields.js";
import { formatMoney, formatNumber } from "../realtime/format.js";
import { makeNode, markChanged } from "../realtime/patch.js";
import { isAvailable, isOrderable, totals } from "./basket-store.js";

/** @typedef {import("./basket-store.js").Line} Line */

/** @type {(id: string) => HTMLElement} */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * Show the basket as it is.
 * @param {Line[]} lines
 */
export function showBasket(lines) {
  const pieces = lines.reduce((sum, line) => sum + line.quantity, 0);
  const count = element("basket-count");
  count.hidden = pieces === 0;
  count.textContent = formatNumber(pieces);
  element("basket-empty").hidden = lines.length > 0;
  element("basket-foot").hidden = lines.length === 0;
  const form = document.getElementById("basket-form");
  if (form) form.hidden = lines.length === 0;
  showAddress(lines.some(({ product }) => product.kind === "goods"));
  showGroups(lines);
  const sums = [...totals(lines.filter(isAvailable))];
  element("basket-total").textContent = sums
    .map(([currency, sum]) => formatMoney(sum, currency))
    .join(" + ");
}

/**
 * Tours are not sent anywhere.
 * @param {boolean} isNeeded
 */
function showAddress(isNeeded) {
  const address = /** @type {HTMLFieldSetElement | null} */ (document.getElementById("basket-address"));
  if (address === null) return;
  address.hidden = !isNeeded;
  address.disabled = !isNeeded;
}

/** @param {Line[]} lines */
function showGroups(lines) {
  const groups = element("basket-groups");
  /** @type {Map<string, Line[]>} */
  const bySeller = new Map();
  for (const line of lines) {
    const seller = String(line.product.sellerId);
    bySeller.set(seller, [...(bySeller.get(seller) ?? []), line]);
  }
  keepChildren(groups, [...bySeller.keys()], (seller) =>
    makeNode("basket-group", { ...bySeller.get(seller)?.[0].product, id: seller }),
  );
  for (const group of /** @type {HTMLElement[]} */ ([...groups.children])) {
    const own = bySeller.get(group.dataset.key ?? "") ?? [];
    showLines(/** @type {HTMLElement} */ (group.querySelector("ul")), own);
  }
}

/**
 * @param {HTMLElement} list
 * @param {Line[]} lines
 */
function showLines(list, lines) {
  const byId = new Map(lines.map((line) => [String(line.product.id), line]));
  keepChildren(list, [...byId.keys()], (id) =>
    makeNode("basket-line", describe(/** @type {Line} */ (byId.get(id)))),
  );
  for (const row of /** @type {HTMLElement[]} */ ([...list.children])) {
    showLine(row, /** @type {Line} */ (byId.get(row.dataset.key ?? "")));
  }
}

/**
 * @param {HTMLElement} row
 * @param {Line} line
 */
function showLine(row, line) {
  const payload = describe(line);
  for (const field of /** @type {NodeListOf<HTMLElement>} */ (row.querySelectorAll("[data-field]"))) {
    const isNew = writeField(field, payload);
    if (isNew && ["price", "level"].includes(field.dataset.field ?? "")) markChanged(field);
  }
  const { product, quantity, seenPrice } = line;
  const seen = /** @type {HTMLElement} */ (row.querySelector("[data-field=seenPrice]"));
  seen.hidden = seenPrice === product.price;
  const input = /** @type {HTMLInputElement} */ (row.querySelector("input"));
  input.setAttribute("aria-invalid", String(!isOrderable(line)));
  row.toggleAttribute("data-unavailable", !isAvailable(line));
  const most = /** @type {HTMLButtonElement} */ (row.querySelector("[data-takes-left]"));
  most.hidden = !isAvailable(line) || quantity <= product.stock;
  most.textContent = interpolate(gettext("Take %s"), [formatNumber(product.stock)]);
}

/**
 * What a row shows of a line.
 * @param {Line} line
 */
function describe(line) {
  const { product, quantity, seenPrice } = line;
  const sum = totals([line]).get(product.currency);
  return { ...product, version: undefined, quantity, seenPrice, sum, note: noteOn(line) };
}

/** @param {Line} line */
function noteOn({ product, quantity, seenPrice, isGone }) {
  if (isGone) return gettext("No longer on sale: it is not ordered.");
  if (product.stock === 0) return gettext("Sold out: it is not ordered.");
  if (quantity > product.stock) {
    const text = ngettext("Only %s is left.", "Only %s are left.", product.stock);
    return interpolate(text, [formatNumber(product.stock)]);
  }
  return seenPrice === product.price ? "" : gettext("The price has changed.");
}

/**
 * Have one child for each key, in this order; those that are there stay the same.
 * @param {HTMLElement} parent
 * @param {string[]} keys
 * @param {(key: string) => HTMLElement} make
 */
function keepChildren(parent, keys, make) {
  const present = new Map(
    /** @type {HTMLElement[]} */ ([...parent.children]).map((child) => [child.dataset.key, child]),
  );
  for (const [key, child] of present) if (!keys.includes(key ?? "")) child.remove();
  keys.forEach((key, place) => {
    const child = present.get(key) ?? make(key);
    child.dataset.key = key;
    if (parent.children[place] !== child) parent.insertBefore(child, parent.children[place] ?? null);
  });
}
