/**
 * The orders that a page shows. Beside its [data-field]s a node of one has, where it needs them:
 *
 * | attribute       | shows |
 * |-----------------|-------|
 * | data-status     | the badge, made from the template "statuses" |
 * | data-lines      | the lines in one line |
 * | data-step       | a button for a step, there while the step is allowed |
 * | data-when       | what is true of one status only |
 * | data-keeps-focus | where the focus goes when its button is no longer there |
 *
 * Around it stands data-viewer, as whom the steps are taken: "buyer", "seller" or "staff".
 */

import { makeNode, markChanged, patchNode } from "../realtime/patch.js";

/** @typedef {Record<string, any>} Order as in events */

/**
 * Show what an event or an answer says of an order in a node of it, if it is newer.
 * @param {HTMLElement} node
 * @param {Order} order
 * @returns {boolean} whether it was
 */
export function updateNode(node, order) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const isByKeyboard = focused?.matches(":focus-visible") ?? false;
  if (!patchNode(node, order)) return false;
  for (const badge of showState(node, order)) markChanged(badge);
  if (focused && node.contains(focused) && focused.closest("[hidden]")) {
    leaveHidden(node, focused, isByKeyboard);
  }
  return true;
}

/**
 * The button that had the focus is gone: whoever uses the keyboard goes on from near it.
 * @param {HTMLElement} node
 * @param {HTMLElement} focused
 * @param {boolean} isByKeyboard
 */
function leaveHidden(node, focused, isByKeyboard) {
  const refuge = /** @type {HTMLElement | null} */ (node.querySelector("[data-keeps-focus]"));
  if (isByKeyboard) refuge?.focus({ preventScroll: true });
  else focused.blur();
}

/**
 * @param {string} templateId of a <template> with a blank order
 * @param {Order} order
 * @param {string} viewer
 * @returns {HTMLElement}
 */
export function makeOrderNode(templateId, order, viewer) {
  const node = makeNode(templateId, order);
  showState(node, order, viewer);
  return node;
}

/**
 * The statuses to which the viewer may bring an order now.
 * @param {Order} order
 * @param {string} viewer
 * @returns {string[]}
 */
export function allowedSteps({ allowedTransitions }, viewer) {
  const { buyer, seller } = allowedTransitions;
  return viewer === "buyer" ? buyer : viewer === "seller" ? seller : [...seller, ...buyer];
}

/** @param {Order} order */
export function linesText({ lines }) {
  return lines
    .map((/** @type {any} */ { quantity, title }) => `${quantity}\u00a0×\u00a0${title}`)
    .join(" · ");
}

/**
 * @param {HTMLElement} node
 * @param {Order} order
 * @param {string} [viewer]
 * @returns {HTMLElement[]} the badges that say something else now
 */
function showState(node, order, viewer = viewerOf(node)) {
  const steps = allowedSteps(order, viewer);
  for (const button of all(node, "[data-step]")) {
    button.hidden = !steps.includes(button.dataset.step ?? "");
  }
  for (const words of all(node, "[data-when]")) words.hidden = words.dataset.when !== order.status;
  for (const lines of all(node, "[data-lines]")) lines.textContent = linesText(order);
  return all(node, "[data-status]")
    .filter((badge) => badge.dataset.status !== order.status)
    .map((badge) => {
      const present = makeBadge(order.status);
      badge.replaceWith(present);
      return present;
    });
}

/** @param {string} status */
function makeBadge(status) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("statuses"));
  const badge = template.content.querySelector(`[data-status="${CSS.escape(status)}"]`);
  return /** @type {HTMLElement} */ (badge?.cloneNode(true));
}

/** @param {HTMLElement} node */
function viewerOf(node) {
  const around = /** @type {HTMLElement | null} */ (node.closest("[data-viewer]"));
  return around?.dataset.viewer ?? "";
}

/**
 * @param {HTMLElement} node
 * @param {string} selector
 * @returns {HTMLElement[]}
 */
function all(node, selector) {
  return [.../** @type {NodeListOf<HTMLElement>} */ (node.querySelectorAll(selector))];
}
