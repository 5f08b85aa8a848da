/**
 * The newest products of the catalogue as cards. A reserve that is not shown holds the next of
 * them: when one leaves, another moves up without being asked for.
 */

import { makeProductNode, readProduct, updateNode } from "../products/shown.js";
import { LiveList } from "../realtime/live-list.js";
import { findObjects } from "../realtime/patch.js";
import { isLeaving, leaveList } from "./leaving.js";

/** @typedef {import("../products/query.js").Product} Product */

const RESERVE = 24;

export class NewProducts {
  #grid;
  #reserve;
  #cards;
  #size;
  /** The oldest product of which all newer ones are here; null where all are. @type {Product | null} */
  #horizon;

  /**
   * @param {HTMLElement} grid
   * @param {HTMLElement} reserve
   */
  constructor(grid, reserve) {
    this.#grid = grid;
    this.#reserve = reserve;
    this.#size = Number(grid.dataset.size);
    this.#horizon = "goesOn" in grid.dataset ? this.#oldest : null;
    this.#cards = new LiveList(grid, {
      pillText: (count) => interpolate(ngettext("%s new product", "%s new products", count), [count]),
      isBefore,
      onShown: () => this.#settle(),
    });
  }

  /** @param {Product} product that came on sale */
  arrive(product) {
    if (this.#cardsOf(product.id).length > 0) return this.change(product);
    const isKnown = this.#horizon === null || compare(product, this.#horizon) < 0;
    if (!product.isActive || !isKnown) return;
    const card = makeProductNode("product-card", product);
    const last = this.#shown[this.#size - 1];
    if (last && isBefore(last, card)) this.#keep(card);
    else this.#cards.add(card);
    this.#settle();
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

  /** @returns {HTMLElement[]} the cards in the grid, but for those that wait or leave */
  get #shown() {
    const cards = /** @type {HTMLElement[]} */ ([...this.#grid.children]);
    return cards.filter((card) => !card.hidden && !isLeaving(card));
  }

  /** @returns {Product} */
  get #oldest() {
    const last = this.#reserve.lastElementChild ?? this.#grid.lastElementChild;
    return readProduct(/** @type {HTMLElement} */ (last));
  }

  /** @param {number} id */
  #cardsOf(id) {
    const cards = [this.#grid, this.#reserve].flatMap((place) => findObjects("product", id, place));
    return cards.filter((card) => !isLeaving(card));
  }

  /** @param {HTMLElement} card */
  #takeAway(card) {
    if (this.#reserve.contains(card)) card.remove();
    else leaveList(card, () => this.#settle());
  }

  /** So many are shown, as far as there are so many; the others are in the reserve. */
  #settle() {
    for (const card of this.#shown.slice(this.#size)) this.#keep(card);
    for (let room = this.#size - this.#shown.length; room > 0; room -= 1) {
      const next = this.#reserve.firstElementChild;
      if (next) this.#grid.append(next);
    }
    const section = /** @type {HTMLElement} */ (this.#grid.closest("section"));
    section.hidden = this.#grid.childElementCount === 0;
  }

  /** @param {HTMLElement} card that goes to its place in the reserve */
  #keep(card) {
    const cards = /** @type {HTMLElement[]} */ ([...this.#reserve.children]);
    this.#reserve.insertBefore(card, cards.find((other) => isBefore(card, other)) ?? null);
    if (this.#reserve.childElementCount <= RESERVE) return;
    this.#reserve.lastElementChild?.remove();
    this.#horizon = this.#oldest;
  }
}

/**
 * @param {HTMLElement} one
 * @param {HTMLElement} other
 */
function isBefore(one, other) {
  return compare(readProduct(one), readProduct(other)) < 0;
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
