/**
 * The catalogue, live. The first page without filters brings in what is new; every other one
 * patches and removes what it shows, and offers to load the rest.
 */

import { on, subscribe } from "../realtime/client.js";
import { LiveList, removeNode } from "../realtime/live-list.js";
import { findObjects } from "../realtime/patch.js";
import { Query } from "./query.js";
import { makeProductNode, ofProduct, readProduct, updateNode } from "./shown.js";

/** @typedef {import("./query.js").Product} Product */

class Catalogue {
  #query = new Query(location.search);
  #grid;
  #list;
  #pageSize;
  /** The ids of the products whose changes only a new page would show. @type {Set<number>} */
  #changes = new Set();
  #pill = /** @type {HTMLButtonElement} */ (document.getElementById("changes"));
  #next = /** @type {HTMLAnchorElement} */ (document.getElementById("next"));
  #nothing = /** @type {HTMLElement} */ (document.getElementById("nothing"));

  /** @param {HTMLElement} grid */
  constructor(grid) {
    this.#grid = grid;
    this.#pageSize = Number(grid.dataset.pageSize);
    this.#list = new LiveList(grid, {
      pillText: (count) =>
        interpolate(ngettext("%s new product", "%s new products", count), [count]),
      isBefore: (one, other) => this.#query.compare(readProduct(one), readProduct(other)) < 0,
      onShown: () => this.#trim(),
    });
    this.#pill.addEventListener("click", () => location.reload());
  }

  /** @param {Product} product that came on sale */
  arrive(product) {
    if (this.#nodesOf(product.id).length > 0) return this.change(product);
    if (!this.#affects(product)) return;
    if (this.#query.isPlain) this.#list.add(makeProductNode("product-card", product));
    else this.#offer(product.id);
  }

  /** @param {Product} payload of which the stock, or all but the stock, is new */
  change(payload) {
    const nodes = this.#nodesOf(payload.id);
    // What only its stock is told of cannot be placed.
    const isWhole = "title" in payload && "version" in payload;
    if (nodes.length === 0 && isWhole && !this.#query.isPlain && this.#affects(payload)) {
      this.#offer(payload.id);
    }
    for (const node of nodes) {
      const before = readProduct(node);
      const now = updateNode(node, payload);
      if (now === null) continue;
      if (!this.#query.matches({ ...payload, ...now })) this.#takeAway(node);
      else if (this.#query.compare(before, now) !== 0) this.#offer(payload.id);
    }
  }

  /** @param {number} id of a product that is no longer on sale */
  remove(id) {
    this.#changes.delete(id);
    for (const node of this.#nodesOf(id)) this.#takeAway(node);
    this.#showOffer();
  }

  /**
   * @param {number} id
   * @returns {HTMLElement[]} its cards, but for one that is leaving
   */
  #nodesOf(id) {
    const nodes = findObjects("product", id, this.#grid);
    return nodes.filter((node) => !("gone" in node.dataset));
  }

  /**
   * Whether this page would look otherwise because of a product that it does not show.
   * @param {Product} product
   */
  #affects(product) {
    const last = /** @type {HTMLElement | null} */ (this.#grid.lastElementChild);
    const isLastPage = this.#next.hidden;
    const comesInTime =
      isLastPage || last === null || this.#query.compare(product, readProduct(last)) < 0;
    return comesInTime && this.#query.matches(product);
  }

  /** @param {HTMLElement} node */
  #takeAway(node) {
    // The next page's first product would move up.
    if (!this.#next.hidden) this.#offer(Number(node.dataset.id));
    removeNode(node, () => this.#trim());
  }

  /** A page holds so many; what is beyond stands on the next. */
  #trim() {
    const cards = /** @type {HTMLElement[]} */ ([...this.#grid.children]);
    // Those that wait behind the pill stand there, hidden.
    const shown = cards.filter((card) => !card.hidden);
    const beyond = shown.slice(this.#pageSize);
    for (const node of beyond) removeNode(node);
    if (beyond.length > 0) this.#next.hidden = false;
    this.#nothing.hidden = shown.length > 0;
  }

  /** @param {number} id */
  #offer(id) {
    this.#changes.add(id);
    this.#showOffer();
  }

  #showOffer() {
    const count = this.#changes.size;
    this.#pill.hidden = count === 0;
    const text = ngettext("%s change, show", "%s changes, show", count);
    this.#pill.textContent = interpolate(text, [count]);
  }
}

const grid = document.getElementById("products");
if (grid !== null) {
  const catalogue = new Catalogue(grid);
  on("product-created", ({ data }) => catalogue.arrive(data.product));
  on("product-updated", ({ data }) => catalogue.change(data.product));
  on("product-deleted", ({ data }) => catalogue.remove(data.productId));
  on("availability-updated", (event) => catalogue.change(ofProduct(event)));
  subscribe("catalogue");
  subscribe("availability");
}
