/**
 * The newest products of the catalogue as cards. The grid holds more of them than it shows
 * (dashboards.css hides the rest): when one leaves, the next moves up without being asked for.
 */

import { makeProductNode, readProduct, updateNode } from "../products/shown.js";
import { LiveList } from "../realtime/live-list.js";
import { findObjects } from "../realtime/patch.js";
import { isLeaving, leaveList } from "./leaving.js";

/** @typedef {import("../products/query.js").Product} Product */

export class NewProducts {
  #grid;
  #cards;
  #size;
  /** The oldest product of which all newer ones are here; null where all are. @type {Product | null} */
  #horizon;

  /** @param {HTMLElement} grid */
  constructor(grid) {
    this.#grid = grid;
    this.#size = Number(grid.dataset.size);
    this.#horizon = "goesOn" in grid.dataset ? this.#last : null;
    this.#cards = new LiveList(grid, {
      pillText: (count) => interpolate(ngettext("%s new product", "%s new products", count), [count]),
      isBefore: (one, other) => compare(readProduct(one), readProduct(other)) < 0,
      onShown: () => this.#trim(),
    });
  }

  /** @param {Product} product that came on sale */
  arrive(product) {
    if (this.#cardsOf(product.id).length > 0) return this.change(product);
    const isKnown = this.#horizon === null || compare(product, this.#horizon) < 0;
    if (!product.isActive || !isKnown) return;
    this.#cards.add(makeProductNode("product-card", product));
    this.#showSection();
  }

  /** @param {Product} payload */
  change(payload) {
    for (const card of this.#cardsOf(payload.id)) {
      if (updateNode(card, payload)?.isActive === false) this.#takeAway(card);
    }
  }

  /** @param {number} id */
  remove(id) {
    for (const card of this.#cardsOf(id)) this.#takeAway(card);
  }

  /** @returns {Product} */
  get #last() {
    return readProduct(/** @type {HTMLElement} */ (this.#grid.lastElementChild));
  }

  /** @param {number} id */
  #cardsOf(id) {
    return findObjects("product", id, this.#grid).filter((card) => !isLeaving(card));
  }

  /** @param {HTMLElement} card */
  #takeAway(card) {
    leaveList(card, () => this.#showSection());
  }

  #trim() {
    const beyond = [...this.#grid.children].slice(this.#size);
    if (beyond.length === 0) return;
    for (const card of beyond) card.remove();
    this.#horizon = this.#last;
  }

  #showSection() {
    const section = /** @type {HTMLElement} */ (this.#grid.closest("section"));
    section.hidden = this.#grid.childElementCount === 0;
  }
}

/**
 * Below zero where one stands before the other: the newest first.
 * @param {Product} one
 * @param {Product} other
 */
function compare(one, other) {
  if (one.createdAt === other.createdAt) return other.id - one.id;
  return one.createdAt > other.createdAt ? -1 : 1;
}
