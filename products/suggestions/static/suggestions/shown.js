/**
 * The suggestions that a page shows. They have no version of their own: a node is as old as the
 * event that it was last patched from, so data-version is a position of the log. Beside its fields a
 * node has data-votes and data-created-at (its place in a list), [data-vote] (the reader's own vote)
 * and [data-when] (what is shown while it waits for an answer, or once it has one).
 */

import { findObjects, makeNode, patchNode } from "../realtime/patch.js";

/** @typedef {Record<string, any>} Suggestion as in events */

const NO_ANSWER = { text: "", byId: null, at: null };

/**
 * @param {string} templateId of a <template> with a blank suggestion
 * @param {Suggestion} suggestion
 * @param {number} position of the event that told of it
 * @returns {HTMLElement}
 */
export function makeSuggestionNode(templateId, suggestion, position) {
  const node = makeNode(templateId, payloadOf(suggestion, position));
  node.dataset.createdAt = suggestion.createdAt;
  node.dataset.productId = String(suggestion.productId ?? "");
  showState(node, suggestion);
  return node;
}

/**
 * Show what an event says of a suggestion wherever the page has it.
 * @param {Suggestion} suggestion
 * @param {number} position of the event
 */
export function showSuggestion(suggestion, position) {
  for (const node of nodesOf(suggestion.id)) {
    if (patchNode(node, payloadOf(suggestion, position))) showState(node, suggestion);
  }
}

/**
 * @param {number} id
 * @param {number} votes
 * @param {number} position of the event that told of them
 */
export function showVotes(id, votes, position) {
  for (const node of nodesOf(id)) {
    if (patchNode(node, { id, votes, version: position })) node.dataset.votes = String(votes);
  }
}

/**
 * @param {number} id
 * @param {boolean} voted whether the reader has voted for it
 * @param {number} position of the event that told of it
 */
export function showVoted(id, voted, position) {
  for (const node of nodesOf(id)) {
    if (patchNode(node, { id, version: position })) press(node, voted);
  }
}

/**
 * @param {HTMLElement} node
 * @param {boolean} voted
 */
export function press(node, voted) {
  node.querySelector("[data-vote]")?.setAttribute("aria-pressed", String(voted));
}

/**
 * @param {number} id
 * @returns {HTMLElement[]}
 */
export function nodesOf(id) {
  return findObjects("suggestion", id);
}

/**
 * What a node's place in a list depends on.
 * @param {HTMLElement} node
 * @returns {import("./order.js").Facts}
 */
export function readFacts({ dataset }) {
  const { id, votes, createdAt = "" } = dataset;
  return { id: Number(id), votes: Number(votes), createdAt };
}

/**
 * @param {Suggestion} suggestion
 * @param {number} position
 */
function payloadOf(suggestion, position) {
  return { ...suggestion, answer: suggestion.answer ?? NO_ANSWER, version: position };
}

/**
 * @param {HTMLElement} node
 * @param {Suggestion} suggestion
 */
function showState(node, { answer, votes }) {
  node.dataset.votes = String(votes);
  const state = answer === null ? "waiting" : "answered";
  for (const element of node.querySelectorAll("[data-when]")) {
    const part = /** @type {HTMLElement} */ (element);
    part.hidden = part.dataset.when !== state;
  }
  const form = /** @type {HTMLFormElement | null} */ (node.querySelector(".suggestion-answering form"));
  if (form !== null) rebase(form, answer);
}

/**
 * The form in which it is answered says which answer it replaces: the one that is shown, unless
 * somebody is writing. They may not have read that one.
 * @param {HTMLFormElement} form
 * @param {{at: string} | null} answer
 */
function rebase(form, answer) {
  const text = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text"));
  if (text.value === text.defaultValue) setBase(form, answer);
}

/**
 * @param {HTMLFormElement} form
 * @param {{at: string} | null} answer that it replaces
 */
export function setBase(form, answer) {
  const base = /** @type {HTMLInputElement} */ (form.elements.namedItem("answeredAt"));
  base.value = answer?.at ?? "";
}
