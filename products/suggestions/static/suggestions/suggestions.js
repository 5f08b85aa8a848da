/**
 * The pages of suggestions, live. Of the list, the first page, newest first, brings in what is new;
 * every other one patches what it shows, and offers to load the rest. One alone patches itself.
 */

import { on } from "../realtime/client.js";
import { LiveList, removeNode } from "../realtime/live-list.js";
import "./answering.js";
import { canName, mayAnswer, showAbout } from "./names.js";
import { compare, isInOrder } from "./order.js";
import { makeSuggestionNode, nodesOf, readFacts, showSuggestion } from "./shown.js";
import "./voting.js";

/** @typedef {import("./shown.js").Suggestion} Suggestion */

class Suggestions {
  #rows;
  #list;
  #size;
  #ordering;
  #isFirstPage;
  /** Of the one product that the page is about; "" for all. */
  #productId;
  /** The ids of the suggestions whose changes only a new page would show. @type {Set<number>} */
  #changes = new Set();
  #pill = /** @type {HTMLButtonElement} */ (document.getElementById("changes"));
  #next = /** @type {HTMLAnchorElement} */ (document.getElementById("next"));
  #nothing = /** @type {HTMLElement} */ (document.getElementById("nothing"));

  /** @param {HTMLElement} rows */
  constructor(rows) {
    const { ordering, page, size, productId = "" } = rows.dataset;
    this.#rows = rows;
    this.#size = Number(size);
    this.#ordering = /** @type {import("./order.js").Ordering} */ (ordering);
    this.#isFirstPage = page === "1";
    this.#productId = productId;
    this.#list = new LiveList(rows, {
      pillText: (count) =>
        interpolate(ngettext("%s new suggestion", "%s new suggestions", count), [count]),
      isBefore: (one, other) => compare(readFacts(one), readFacts(other), this.#ordering) < 0,
      onShown: () => this.#trim(),
    });
    this.#pill.addEventListener("click", () => location.reload());
  }

  /**
   * @param {Suggestion} suggestion that was made
   * @param {number} position
   */
  arrive(suggestion, position) {
    if (nodesOf(suggestion.id).length > 0) return showSuggestion(suggestion, position);
    if (!this.#affects(suggestion)) return;
    const isNewestPage = this.#isFirstPage && this.#ordering === "-createdAt";
    if (!isNewestPage || !canName(suggestion.productId)) return this.#offer(suggestion.id);
    const node = makeSuggestionNode("suggestion", suggestion, position);
    if (!mayAnswer(suggestion.productId)) node.querySelector(".suggestion-answering")?.remove();
    showAbout(node);
    this.#list.add(node);
    this.#nothing.hidden = true;
  }

  /**
   * Offer a page in the right order when votes have changed it.
   * @param {number} id
   * @param {number} votes
   */
  reorder(id, votes) {
    const rows = this.#shown.map(readFacts);
    if (this.#ordering !== "-votes" || rows.length === 0) return;
    const place = rows.findIndex((row) => row.id === id);
    // Of one that is not shown, nobody here knows which product it is about.
    const comesIn = place < 0 && !this.#productId && this.#mayReach(votes, rows);
    const goesOut =
      (place === 0 && !this.#isFirstPage) || (place === rows.length - 1 && !this.#next.hidden);
    if (comesIn || goesOut || !isInOrder(rows, this.#ordering)) this.#offer(id);
  }

  /**
   * Whether one vote may have brought a suggestion to this page, or past it. One that has more than
   * that stands on a page before, where it was.
   * @param {number} votes that it has now
   * @param {import("./order.js").Facts[]} rows
   */
  #mayReach(votes, rows) {
    const isBefore = !this.#isFirstPage && votes > rows[0].votes + 1;
    return !isBefore && votes >= rows[rows.length - 1].votes;
  }

  /**
   * Whether this page would look otherwise because of a suggestion that it does not show.
   * @param {Suggestion} suggestion
   */
  #affects(suggestion) {
    if (this.#productId && Number(this.#productId) !== suggestion.productId) return false;
    const last = this.#shown.at(-1);
    if (this.#next.hidden || last === undefined) return true;
    const facts = /** @type {import("./order.js").Facts} */ (suggestion);
    return compare(facts, readFacts(last), this.#ordering) < 0;
  }

  /** Those that wait behind the pill stand in the list, hidden. */
  get #shown() {
    const rows = /** @type {HTMLElement[]} */ ([...this.#rows.children]);
    return rows.filter((row) => !row.hidden && !("gone" in row.dataset));
  }

  /** A page holds so many; what is beyond stands on the next. */
  #trim() {
    const beyond = this.#shown.slice(this.#size);
    for (const node of beyond) removeNode(node);
    if (beyond.length > 0) this.#next.hidden = false;
  }

  /** @param {number} id */
  #offer(id) {
    this.#changes.add(id);
    const count = this.#changes.size;
    this.#pill.hidden = false;
    const text = ngettext("%s change, show", "%s changes, show", count);
    this.#pill.textContent = interpolate(text, [count]);
  }
}

const rows = document.getElementById("suggestions");
if (rows !== null) {
  const suggestions = new Suggestions(rows);
  on("suggestion-created", ({ id, data }) => suggestions.arrive(data.suggestion, id));
  on("suggestion-voted", ({ data }) => suggestions.reorder(data.suggestionId, data.votes));
}

on("suggestion-updated", ({ id, data }) => showSuggestion(data.suggestion, id));

// A product's page leads to the form. The dialog itself has another id: a browser would give the
// focus to what the address names.
const dialog = document.getElementById("suggest-dialog");
if (location.hash === "#suggest" && dialog instanceof HTMLDialogElement) {
  dialog.showModal();
  // Loaded again, the page does not ask again.
  history.replaceState(null, "", location.pathname + location.search);
}
