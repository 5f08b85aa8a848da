/**
 * The catalogue, live. The first page without filters brings in what is new; every other one
 * patches and removes what it shows, and offers to load the rest.
 */

import { subscribe } from "../realtime/client.js";
import { LiveList, removeNode } from "../realtime/live-list.js";
import { findObjects } from "../realtime/patch.js";
import { hearProducts } from "./hearing.js";
import { Query } from "./query.js";
import { idsIn, makeProductNode, readProduct, updateNode } from "./shown.js";

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
    if (this.#nodesOf(product.id).length > 0) this.change(product);
    else this.#comeIn([product]);
  }

  /** @param {Product[]} products that an import made, changed or brought back on sale */
  takeImported(products) {
    const shown = idsIn(this.#grid);
    this.#comeIn(products.filter(({ id }) => !shown.has(id)));
    for (const product of products) if (shown.has(product.id)) this.arrive(product);
  }

  /** @param {Product} payload of which the stock, or all but the stock, is new */
  change(payload) {
    const nodes = this.#nodesOf(payload.id);
    // What only its stock is told of cannot be placed.
    const isWhole = "title" in payload && "version" in payload;
    if (nodes.length === 0 && isWhole && !this.#query.isPlain) this.#comeIn([payload]);
    for (const node of nodes) {
      const before = readProduct(node);
      const now = updateNode(node, payload);
      if (now === null) continue;
      if (!this.#query.matches({ ...payload, ...now })) this.#takeAway(node);
      else if (this.#query.compare(before, now) !== 0) this.#offer([payload]);
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
   * Show or offer those products, of those that the page does not show, that stand on it.
   * @param {Product[]} products
   */
  #comeIn(products) {
    const query = this.#query;
    const last = /** @type {HTMLElement | null} */ (this.#grid.lastElementChild);
    // A last page has room at its end.
    const bound = this.#next.hidden || last === null ? null : readProduct(last);
    const coming = products.filter(
      (product) => (bound === null || query.compare(product, bound) < 0) && query.matches(product),
    );
    if (!query.isPlain) return this.#offer(coming);
    coming.sort((one, other) => query.compare(one, other));
    // More than a page takes would be pushed out again at once.
    const fitting = coming.slice(0, this.#pageSize).reverse();
    if (fitting.length === 0) return;
    this.#list.add(...fitting.map((product) => makeProductNode("product-card", product)));
    if (coming.length > this.#pageSize) this.#next.hidden = false;
    this.#trim();
  }

  /** @param {HTMLElement} node */
  #takeAway(node) {
    // The next page's first product would move up.
    if (!this.#next.hidden) this.#offer([{ id: Number(node.dataset.id) }]);
    removeNode(node, () => this.#trim());
  }

  /** A page holds so many; what is beyond stands on the next. */
  #trim() {
    const cards = /** @type {HTMLElement[]} */ ([...this.#grid.children]);
    // Those that wait behind the pill stand there, hidden: a page of them at most.
    const waiting = cards.filter((card) => card.hidden);
    const shown = cards.filter((card) => !card.hidden);
    const beyond = [waiting, shown].flatMap((some) => some.slice(this.#pageSize));
    for (const node of beyond) removeNode(node);
    if (beyond.length > 0) this.#next.hidden = false;
    this.#nothing.hidden = shown.length > 0;
  }

  /** @param {{id: number}[]} products */
  #offer(products) {
    for (const { id } of products) this.#changes.add(id);
    this.#showOffer();
  }

  #showOffer() {
    const count = this.#changes.size;
    this.#pill.hidden = count === 0;
    const text = ngettext("%s change, show", "%s changes, show", count);
    // How many more than a page there are tells nothing, and would count on as long as they come.
    const most = gettext("More than %s changes, show");
    const isMany = count > this.#pageSize;
    const says = interpolate(isMany ? most : text, [isMany ? this.#pageSize : count]);
    // Written again, it would be read out again.
    if (this.#pill.textContent !== says) this.#pill.textContent = says;
  }
}

const grid = document.getElementById("products");
if (grid !== null) {
  const catalogue = new Catalogue(grid);
  hearProducts({
    created: (product) => catalogue.arrive(product),
    updated: (product) => catalogue.change(product),
    deleted: (id) => catalogue.remove(id),
    restocked: (payload) => catalogue.change(payload),
    imported: (products) => catalogue.takeImported(products),
  });
  subscribe("catalogue");
  subscribe("availability");
}
