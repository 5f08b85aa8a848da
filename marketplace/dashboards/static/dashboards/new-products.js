/**
 * The newest products of the catalogue as cards. A reserve that is not shown holds the next of
 * them: when one leaves, another moves up without being asked for.
 */

import { idsIn, makeProductNode, readProduct, updateNode } from "../products/shown.js";
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

  /** @param {Product[]} products that an import made, changed or brought back on sale */
  takeImported(products) {
    const here = new Set([...idsIn(this.#grid), ...idsIn(this.#reserve)]);
    const coming = products.filter((product) => product.isActive && !here.has(product.id));
    coming.sort(compare);
    const most = this.#size + RESERVE;
    for (const product of coming.slice(0, most)) this.arrive(product);
    if (coming.length > most) this.#forget(coming[most]);
    for (const product of products) if (here.has(product.id)) this.arrive(product);
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

  /**
   * Know nothing more of what is as old as a product.
   * @param {Product} product
   */
  #forget(product) {
    if (this.#horizon === null || compare(product, this.#horizon) < 0) this.#horizon = product;
    const cards = /** @type {HTMLElement[]} */ ([...this.#reserve.children]);
    for (const card of cards) if (this.#isBeyond(card)) card.remove();
  }

  /** @param {HTMLElement} card of which nobody knows what stands before it */
  #isBeyond(card) {
    return this.#horizon !== null && compare(readProduct(card), this.#horizon) > 0;
  }

  /** So many are shown, as far as there are so many; the others are in the reserve. */
  #settle() {
    // Of those that wait to be shown, no more are needed than of the others.
    const waiting = /** @type {HTMLElement[]} */ ([...this.#grid.children]).filter((card) => card.hidden);
    for (const card of waiting.slice(this.#size + RESERVE)) {
      card.remove();
      this.#forget(readProduct(card));
    }
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
    if (this.#isBeyond(card)) return card.remove();
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
