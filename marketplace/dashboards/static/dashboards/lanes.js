/** Orders by state: a lane for each, those first that came to it last. */

import { updateNode, makeOrderNode } from "../orders/shown.js";
import { LiveList } from "../realtime/live-list.js";
import { findObjects } from "../realtime/patch.js";
import { isLeaving, leaveList } from "./leaving.js";

/** @typedef {import("../orders/shown.js").Order} Order */

export class Lanes {
  #root;
  /** @type {Map<string, Lane>} */
  #lanes = new Map();

  /** @param {HTMLElement} root with a [data-lane] for each state that the page shows */
  constructor(root) {
    this.#root = root;
    for (const element of root.querySelectorAll("[data-lane]")) {
      const section = /** @type {HTMLElement} */ (element);
      this.#lanes.set(section.dataset.lane ?? "", new Lane(section));
    }
  }

  /**
   * Show an order where it belongs now, if that is newer than what is shown.
   * @param {Order} order
   */
  show(order) {
    const nodes = findObjects("order", order.id, this.#root).filter((node) => !isLeaving(node));
    if (nodes.some((node) => Number(node.dataset.version) >= order.version)) return;
    const lane = this.#lanes.get(order.status);
    for (const node of nodes) {
      updateNode(node, order);
      if (lane?.isFirstPage || !lane?.has(node)) leaveList(node, () => this.#showEmpty());
    }
    if (lane?.isFirstPage) lane.add(order);
    this.#showEmpty();
  }

  #showEmpty() {
    for (const lane of this.#lanes.values()) lane.showEmpty();
  }
}

class Lane {
  #section;
  #list;
  #rows;
  #size;

  /** @param {HTMLElement} section */
  constructor(section) {
    this.#section = section;
    this.#list = /** @type {HTMLElement} */ (section.querySelector(".lane-list"));
    this.#size = Number(section.dataset.size);
    this.isFirstPage = section.dataset.page === "1";
    const isNew = section.dataset.lane === "pending";
    this.#rows = new LiveList(this.#list, {
      pillText: (count) => interpolate(pillWords(isNew, count), [count]),
      isBefore: (one, other) => compare(one, other) < 0,
      onShown: () => this.#trim(),
    });
  }

  /** @param {HTMLElement} node */
  has(node) {
    return this.#list.contains(node);
  }

  /** @param {Order} order that came to this state */
  add(order) {
    const node = makeOrderNode("lane-item", order, "seller");
    node.dataset.updated = order.updatedAt;
    this.#rows.add(node);
  }

  /** Say so where nothing is in it. */
  showEmpty() {
    const words = /** @type {HTMLElement} */ (this.#section.querySelector(".lane-empty"));
    words.hidden = this.#list.childElementCount > 0;
  }

  /** A lane holds so many; older ones stand on its own page. */
  #trim() {
    const beyond = [...this.#list.children].slice(this.#size);
    for (const node of beyond) leaveList(/** @type {HTMLElement} */ (node));
    const older = /** @type {HTMLElement | null} */ (this.#section.querySelector("[data-older]"));
    if (older && beyond.length > 0) older.hidden = false;
  }
}

/**
 * @param {HTMLElement} one
 * @param {HTMLElement} other
 */
function compare(one, other) {
  const [a = "", b = ""] = [one.dataset.updated, other.dataset.updated];
  return a === b ? Number(other.dataset.id) - Number(one.dataset.id) : a > b ? -1 : 1;
}

/**
 * @param {boolean} isNew
 * @param {number} count
 */
function pillWords(isNew, count) {
  if (isNew) return ngettext("%s new order", "%s new orders", count);
  return ngettext("%s more order", "%s more orders", count);
}
