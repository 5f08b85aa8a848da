/**
 * The suggestions on a product's page, live: those that were shown keep their place, and a new one
 * comes in while there is room for it. Which are the most wanted is decided when the page is loaded.
 */

import { on } from "../realtime/client.js";
import { LiveList, removeNode } from "../realtime/live-list.js";
import { compare } from "./order.js";
import { makeSuggestionNode, nodesOf, readFacts, showSuggestion } from "./shown.js";
import "./voting.js";

const rows = document.getElementById("suggestions");
if (rows !== null) listen(rows);

/** @param {HTMLElement} rows */
function listen(rows) {
  const list = new LiveList(rows, {
    pillText: (count) =>
      interpolate(ngettext("%s new suggestion", "%s new suggestions", count), [count]),
    isBefore: (one, other) => compare(readFacts(one), readFacts(other), "-votes") < 0,
    onShown: () => settle(rows),
  });
  on("suggestion-created", ({ id, data: { suggestion } }) => {
    if (suggestion.productId !== Number(rows.dataset.productId)) return;
    if (nodesOf(suggestion.id).length > 0) return showSuggestion(suggestion, id);
    // What does not belong among the few stands behind the link to all.
    if (!hasPlace(rows, suggestion)) return;
    list.add(makeSuggestionNode("suggestion", suggestion, id));
    settle(rows);
  });
  on("suggestion-updated", ({ id, data }) => showSuggestion(data.suggestion, id));
}

/**
 * Whether there is room, or the new one stands before the last of those that are shown.
 * @param {HTMLElement} rows
 * @param {import("./shown.js").Suggestion} suggestion
 */
function hasPlace(rows, suggestion) {
  const last = shownOf(rows)[Number(rows.dataset.size) - 1];
  const facts = /** @type {import("./order.js").Facts} */ (suggestion);
  return last === undefined || compare(facts, readFacts(last), "-votes") < 0;
}

/**
 * Without those that wait behind the pill.
 * @param {HTMLElement} rows
 */
function shownOf(rows) {
  return /** @type {HTMLElement[]} */ ([...rows.children]).filter((row) => !row.hidden);
}

/** @param {HTMLElement} rows */
function settle(rows) {
  const shown = shownOf(rows);
  for (const row of shown.slice(Number(rows.dataset.size))) removeNode(row);
  /** @type {HTMLElement} */ (document.getElementById("no-suggestions")).hidden = shown.length > 0;
  /** @type {HTMLElement} */ (document.getElementById("all-suggestions")).hidden = rows.children.length === 0;
}
