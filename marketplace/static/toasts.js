/**
 * Toasts: facts that come by at the bottom left. At most three; each stays six seconds, and longer
 * while the pointer is over it or the focus in it.
 */

import { makeIcon } from "./icons.js";

/**
 * @typedef {object} Toast
 * @property {string} text what happened
 * @property {"accent" | "positive" | "caution" | "critical"} [tone]
 * @property {{label: string, href?: string, onPress?: () => void}} [action] the one thing to do
 * @property {boolean} [stays] until it is closed
 */

const MOST = 3;
const SHOWN_MS = 6_000;

/** The tone of each level of Django's messages. @type {Record<string, Toast["tone"]>} */
const TONES = { success: "positive", warning: "caution", error: "critical" };
/** The shape of each tone. */
const ICONS = { accent: "info", positive: "circle-check", caution: "triangle-alert", critical: "circle-alert" };

/** @returns {HTMLElement} */
const region = () => /** @type {HTMLElement} */ (document.getElementById("toasts"));

/**
 * @param {Toast} news
 * @returns {() => void} takes it away
 */
export function toast({ text, tone = "accent", action, stays = false }) {
  const element = document.createElement("div");
  element.className = "toast";
  element.dataset.tone = tone;
  const words = document.createElement("p");
  words.className = "toast-text";
  words.textContent = text;
  element.append(makeIcon(ICONS[tone]), words);
  const remove = () => leave(element);
  if (action) element.append(makeAction(action, remove));
  element.append(makeClose(remove));
  region().append(element);
  const present = region().querySelectorAll(".toast:not([data-leaving])");
  for (const old of [...present].slice(0, -MOST)) leave(/** @type {HTMLElement} */ (old));
  if (!stays) leaveLater(element);
  return remove;
}

/** Give what Django's messages left on the page the life of a toast. */
export function adoptMessages() {
  for (const message of document.querySelectorAll(".toast[data-server]")) {
    const { tone = "" } = /** @type {HTMLElement} */ (message).dataset;
    message.remove();
    toast({ text: message.textContent?.trim() ?? "", tone: TONES[tone] ?? "accent" });
  }
}

/**
 * @param {NonNullable<Toast["action"]>} action
 * @param {() => void} remove
 */
function makeAction({ label, href, onPress }, remove) {
  if (href !== undefined) {
    const link = document.createElement("a");
    link.className = "button button-small";
    link.href = href;
    link.textContent = label;
    return link;
  }
  return makeButton(label, () => {
    onPress?.();
    remove();
  });
}

/**
 * @param {string} label
 * @param {() => void} onPress
 */
function makeButton(label, onPress) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button-small";
  button.textContent = label;
  button.addEventListener("click", onPress);
  return button;
}

/** @param {() => void} onPress */
function makeClose(onPress) {
  const button = makeButton("", onPress);
  button.className = "button button-quiet button-icon button-small";
  button.setAttribute("aria-label", gettext("Close"));
  button.append(makeIcon("x", "small"));
  return button;
}

/** @param {HTMLElement} element */
function leaveLater(element) {
  setTimeout(() => {
    if (element.matches(":hover, :focus-within")) leaveLater(element);
    else leave(element);
  }, SHOWN_MS);
}

/** @param {HTMLElement} element */
function leave(element) {
  element.dataset.leaving = "";
  setTimeout(() => element.remove(), 200);
}
