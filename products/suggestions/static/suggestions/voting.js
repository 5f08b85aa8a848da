/**
 * One's own vote: [data-vote] inside a suggestion. Every count on the page moves by the events, one's
 * own included; what the server answers counts only where no event was faster.
 */

import { callApi } from "../forms.js";
import { on, subscribe } from "../realtime/client.js";
import { formatNumber } from "../realtime/format.js";
import { showText } from "../realtime/patch.js";
import { toast } from "../toasts.js";
import { press, showVoted, showVotes } from "./shown.js";

document.addEventListener("click", ({ target, detail }) => {
  // The second press of a double click takes nothing back; one by the keyboard has 0.
  if (detail > 1) return;
  const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest("[data-vote]"));
  if (button !== null && !("busy" in button.dataset)) void vote(button);
});

on("suggestion-voted", ({ id, data }) => showVotes(data.suggestionId, data.votes, id));
on("vote-changed", ({ id, data }) => showVoted(data.suggestionId, data.voted, id));
subscribe("suggestions");

/** @param {HTMLElement} button */
async function vote(button) {
  const node = /** @type {HTMLElement} */ (button.closest("[data-object=suggestion]"));
  const { id, version } = node.dataset;
  const wanted = button.getAttribute("aria-pressed") !== "true";
  let isTold = false;
  const stopListening = on("vote-changed", ({ data }) => {
    isTold ||= data.suggestionId === Number(id);
  });
  /** @param {string} [detail] */
  const fail = (detail = gettext("No answer came. Try again.")) => {
    if (!isTold) press(node, !wanted);
    toast({ text: detail, tone: "critical" });
  };
  button.dataset.busy = "";
  press(node, wanted);
  try {
    const method = wanted ? "POST" : "DELETE";
    const { status, body } = await callApi(`/api/suggestions/${id}/vote`, { method });
    if (status >= 400) fail(body?.errors?.[0]?.detail);
    else if (node.dataset.version === version) showCount(node, body.votes);
  } catch {
    fail();
  } finally {
    stopListening();
    delete button.dataset.busy;
  }
}

/**
 * @param {HTMLElement} node
 * @param {number} votes
 */
function showCount(node, votes) {
  showText(/** @type {HTMLElement} */ (node.querySelector("[data-field=votes]")), formatNumber(votes));
  node.dataset.votes = String(votes);
}
