/**
 * The list of imports, live: its rows follow their imports. What was handed in elsewhere meanwhile
 * is offered and comes in when the page is loaded again: no event says what its file is called.
 */

import { on, subscribe } from "../realtime/client.js";
import { findObjects } from "../realtime/patch.js";
import { countTexts, fetchImport, showStatus, stageText } from "./shown.js";
import { isLate, isOver } from "./standing.js";

/** @typedef {import("./standing.js").Import} Import */
/** @typedef {import("./standing.js").Progress} Progress */

const list = document.getElementById("imports");
const pill = /** @type {HTMLButtonElement | null} */ (document.getElementById("changes"));
/** One's own that are known though they may stand on another page. */
const known = new Set((list?.dataset.unfinished ?? "").split(" "));
/** Those that were handed in since. @type {Set<string>} */
const others = new Set();

/** @param {Progress} progress */
function move(progress) {
  const [row] = findObjects("import", progress.taskId);
  if (row === undefined) offer(progress.taskId);
  else if (isOver(shownIn(row)) || isLate(progress, shownIn(row))) return;
  else if (isOver(progress)) void finish(row, progress);
  else show(row, progress);
}

/**
 * @param {HTMLElement} row
 * @param {Progress} progress
 */
async function finish(row, progress) {
  show(row, progress);
  const job = await fetchImport(progress.taskId);
  if (job !== null) showEnd(row, job);
}

/**
 * @param {HTMLElement} row
 * @returns {Pick<Progress, "status" | "step">}
 */
function shownIn({ dataset: { status, step } }) {
  return /** @type {Progress} */ ({ status, step: step || null });
}

/**
 * @param {HTMLElement} row
 * @param {Progress} progress
 */
function show(row, progress) {
  row.dataset.status = progress.status;
  row.dataset.step = progress.step ?? "";
  showStatus(row, progress.status);
  write(row.querySelector("[data-part=stage]"), stageText(progress, row.dataset.format ?? ""));
}

/**
 * @param {HTMLElement} row
 * @param {Import} job
 */
function showEnd(row, job) {
  show(row, job);
  const places = row.querySelectorAll("[data-part=count]");
  countTexts(job).forEach((text, index) => write(places[index], text));
}

/**
 * @param {Element | null} element
 * @param {string} text
 */
function write(element, text) {
  const place = /** @type {HTMLElement} */ (element);
  place.textContent = text;
  place.hidden = text === "";
}

/** @param {string} taskId of an import that the page does not show */
function offer(taskId) {
  if (pill === null || known.has(taskId)) return;
  others.add(taskId);
  const text = ngettext("%s new import, show", "%s new imports, show", others.size);
  pill.textContent = interpolate(text, [others.size]);
  pill.hidden = false;
}

pill?.addEventListener("click", () => location.reload());
on("progress", ({ data }) => move(data));
on("subscribed", ({ data }) => {
  const [row] = data.state?.taskId ? findObjects("import", data.state.taskId) : [];
  if (row && !isOver(shownIn(row))) showEnd(row, data.state);
});
// Of one's own one hears by oneself. Of other people's staff hear in the imports' own channels.
for (const row of /** @type {HTMLCollectionOf<HTMLElement>} */ (list?.children ?? [])) {
  const isOwn = row.dataset.sellerId === document.body.dataset.userId;
  if (!isOwn && !isOver(shownIn(row))) subscribe(`import.${row.dataset.id}`);
}
