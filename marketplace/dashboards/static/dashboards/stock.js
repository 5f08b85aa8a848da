/** What a seller offers: rows that come, go and change, each edited in place (editing.js). */

import { idsIn } from "../products/shown.js";
import { LiveList } from "../realtime/live-list.js";
import { findObjects, makeNode, patchNode } from "../realtime/patch.js";
import { editRows, lookAtEditors } from "./editing.js";
import { isLeaving, leaveList } from "./leaving.js";

/** @typedef {Record<string, any>} Product as in events */

/** Going off sale is told as a deletion, and next that it is still there. */
const GRACE_MS = 400;

export class Stock {
  #list;
  #rows;
  #size;
  #goesOn;
  #isFirstPage;
  #nothing = /** @type {HTMLElement} */ (document.getElementById("no-products"));
  /** @type {Map<number, ReturnType<typeof setTimeout>>} */
  #leaving = new Map();

  /**
   * @param {HTMLElement} list
   * @param {(product: Product) => void} onSaved takes over what the server says after a change
   */
  constructor(list, onSaved) {
    this.#list = list;
    this.#size = Number(list.dataset.size);
    this.#goesOn = "goesOn" in list.dataset;
    this.#isFirstPage = list.dataset.page === "1";
    this.#rows = new LiveList(list, {
      pillText: (count) => interpolate(ngettext("%s new product", "%s new products", count), [count]),
      isBefore: (one, other) => compare(one.dataset, other.dataset) < 0,
      onShown: () => this.#trim(),
    });
    editRows(list, onSaved);
  }

  /** @param {Product} payload a product of this seller, or what an event says of its stock */
  show(payload) {
    clearTimeout(this.#leaving.get(payload.id));
    const rows = this.#rowsOf(payload.id);
    if (rows.length === 0 && this.#belongs(payload)) this.#add([payload]);
    for (const row of rows) {
      if (!patchNode(row, payload)) continue;
      if (row.dataset.version === String(payload.version)) showSale(row, payload);
      lookAtEditors(row);
    }
  }

  /** @param {Product[]} products of this seller, as an import left them */
  takeImported(products) {
    const shown = idsIn(this.#list);
    const coming = products.filter((product) => !shown.has(product.id) && this.#belongs(product));
    coming.sort((one, other) => compare(placeOf(one), placeOf(other)));
    // More than a page takes would be pushed out again at once.
    this.#add(coming.slice(0, this.#size).reverse());
    if (coming.length > this.#size) this.#tellOlder();
    for (const product of products) if (shown.has(product.id)) this.show(product);
  }

  /** @param {number} id of a product that was deleted, or went off sale */
  remove(id) {
    const rows = this.#rowsOf(id);
    if (rows.length === 0) return;
    const leave = () => {
      for (const row of rows) leaveList(row, () => this.#trim());
    };
    this.#leaving.set(id, setTimeout(leave, GRACE_MS));
  }

  /**
   * @param {number} id
   * @returns {HTMLElement[]}
   */
  #rowsOf(id) {
    return findObjects("product", id, this.#list).filter((row) => !isLeaving(row));
  }

  /**
   * Whether a product that is not shown stands on this page.
   * @param {Product} payload
   */
  #belongs(payload) {
    if (payload.createdAt === undefined || !this.#isFirstPage) return false;
    const last = /** @type {HTMLElement | null} */ (this.#list.lastElementChild);
    return !this.#goesOn || last === null || compare(placeOf(payload), last.dataset) < 0;
  }

  /** @param {Product[]} products */
  #add(products) {
    if (products.length === 0) return;
    this.#rows.add(...products.map(makeRow));
    this.#trim();
  }

  #trim() {
    const rows = /** @type {HTMLElement[]} */ ([...this.#list.children]);
    // Those that wait push nothing out before they are shown; a page of them at most.
    const waiting = rows.filter((row) => row.hidden);
    const shown = rows.filter((row) => !row.hidden);
    const beyond = [waiting, shown].flatMap((some) => some.slice(this.#size));
    for (const row of beyond) leaveList(row);
    if (beyond.length > 0) this.#tellOlder();
    this.#nothing.hidden = rows.length > 0;
  }

  #tellOlder() {
    this.#goesOn = true;
    /** @type {HTMLElement} */ (document.querySelector("#products [data-older]")).hidden = false;
  }
}

/** @param {Product} product */
function makeRow(product) {
  const row = makeNode("stock-row", product);
  row.dataset.created = product.createdAt;
  showSale(row, product);
  return row;
}

/**
 * @param {HTMLElement} row
 * @param {Product} product
 */
function showSale(row, { isActive }) {
  const focused = row.querySelector(".stock-sale button:focus");
  row.toggleAttribute("data-off-sale", !isActive);
  // One button of the two is there: the focus stays where it was.
  if (focused) {
    const other = row.querySelector(".stock-sale button:not(:focus)");
    /** @type {HTMLElement | null} */ (other)?.focus({ preventScroll: true });
  }
}

/**
 * What a row of the product has to be placed by.
 * @param {Product} product
 */
function placeOf({ id, createdAt }) {
  return { id: String(id), created: createdAt };
}

/**
 * Below zero where one stands before the other: the newest first.
 * @param {DOMStringMap} one
 * @param {DOMStringMap} other
 */
function compare({ created: one = "", id: a }, { created: other = "", id: b }) {
  return one === other ? Number(b) - Number(a) : one > other ? -1 : 1;
}
