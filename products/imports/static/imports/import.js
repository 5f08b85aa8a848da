/** The page of one import, live: how far it is, and once it is over, what it came to. */

import { on, subscribe } from "../realtime/client.js";
import { formatNumber } from "../realtime/format.js";
import { amountText, fetchImport, countTexts, showStatus, statusWord, stepWord } from "./shown.js";
import { factsAtTheEnd, factsOnTheWay, isLate, isMeasured, isOver, splitErrors } from "./standing.js";

/** @typedef {import("./standing.js").Import} Import */
/** @typedef {import("./standing.js").Progress} Progress */

const page = element("import");
const bar = element("import-bar");
const dialog = /** @type {HTMLDialogElement} */ (element("cancel-import"));
const { id = "", format = "" } = page.dataset;
const channel = `import.${id}`;
/** What is over changes no more: a late word of how far it was is passed over. */
let hasEnded = isOver(shown());

/** @param {string} id @returns {HTMLElement} */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** What the page shows. @returns {Pick<Progress, "status" | "step">} */
function shown() {
  const { status, step } = page.dataset;
  return /** @type {Progress} */ ({ status, step: step || null });
}

/** @param {Progress} progress */
function move(progress) {
  if (progress.taskId !== id || hasEnded || isLate(progress, shown())) return;
  if (isOver(progress)) void finish(progress);
  else showProgress(progress);
}

/** @param {Import} job as its channel has it */
function take(job) {
  if (hasEnded || isLate(job, shown())) return;
  if (isOver(job)) showEnd(job);
  else showProgress(job);
}

/** @param {Progress} progress */
async function finish(progress) {
  hasEnded = true;
  const job = await fetchImport(id);
  if (job !== null) return showEnd(job);
  showStatus(page, progress.status);
  showFacts(new Set([progress.status, "over", "unknown"]));
  say(statusWord(progress.status));
}

// --- on the way -----------------------------------------------------------------------------

/** @param {Progress} progress */
function showProgress(progress) {
  const amount = amountText(progress, format);
  if (isMeasured(progress, format)) {
    bar.setAttribute("value", String(progress.percent));
    bar.setAttribute("aria-valuetext", amount);
  } else {
    bar.removeAttribute("value");
    bar.removeAttribute("aria-valuetext");
  }
  element("import-amount").textContent = amount || gettext("Getting ready…");
  showStep(progress);
  showStatus(page, progress.status);
  showFacts(factsOnTheWay(progress));
}

/** @param {Progress} progress */
function showStep({ status, step }) {
  const before = shown();
  if (before.step === step && before.status === status) return;
  page.dataset.step = step ?? "";
  page.dataset.status = status;
  for (const each of element("import-steps").children) {
    const { dataset } = /** @type {HTMLElement} */ (each);
    if (dataset.step === step) each.setAttribute("aria-current", "step");
    else each.removeAttribute("aria-current");
  }
  say(step === null ? statusWord(status) : stepWord(step));
}

// --- at the end -----------------------------------------------------------------------------

/** @param {Import} job */
function showEnd(job) {
  hasEnded = true;
  const { reason, complaints } = splitErrors(job);
  const why = reasonText(reason);
  showStep(job);
  showStatus(page, job.status);
  element("reason").textContent = why;
  element("ignored").textContent = job.ignoredColumns.join(", ");
  element("complaints").replaceChildren(...complaints.map(makeComplaint));
  for (const figure of page.querySelectorAll("[data-count]")) {
    const { count = "" } = /** @type {HTMLElement} */ (figure).dataset;
    figure.textContent = formatNumber(/** @type {any} */ (job)[count]);
  }
  showFacts(factsAtTheEnd(job));
  say([statusWord(job.status), why, ...countTexts(job)].filter((text) => text !== "").join(". "));
}

/** @param {{row: number, message: string} | null} reason */
function reasonText(reason) {
  if (reason === null || reason.row === 0) return reason?.message ?? "";
  const { row, message } = reason;
  return interpolate(gettext("Row %(row)s: %(message)s"), { row: formatNumber(row), message }, true);
}

/** @param {{row: number, field: string, message: string}} complaint */
function makeComplaint({ row, field, message }) {
  const template = /** @type {HTMLTemplateElement} */ (element("complaint"));
  const node = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  const texts = { row: formatNumber(row), field: field || "–", message };
  for (const [part, text] of Object.entries(texts)) {
    const place = /** @type {HTMLElement} */ (node.querySelector(`[data-part=${part}]`));
    place.textContent = text;
  }
  return node;
}

// --- both -----------------------------------------------------------------------------------

/** @param {Set<string>} facts that are true now */
function showFacts(facts) {
  const focused = document.activeElement;
  for (const part of page.querySelectorAll("[data-when]")) {
    const { dataset } = /** @type {HTMLElement} */ (part);
    /** @type {HTMLElement} */ (part).hidden = !facts.has(dataset.when ?? "");
  }
  if (!facts.has("cancellable")) dialog.close();
  // What had the focus is gone: whoever uses the keyboard goes on where the page begins.
  if (focused?.closest("[hidden], dialog:not([open])")) {
    element("import-title").focus({ preventScroll: true });
  }
}

/**
 * Said to screen readers: each step and the end, not each per cent.
 * @param {string} text
 */
function say(text) {
  element("import-news").textContent = text;
}

dialog.addEventListener("fetched", (event) => {
  const { body } = /** @type {CustomEvent} */ (event).detail;
  take(body);
  // What runs ends a moment later; until then it is not asked for again. The focus stays there.
  const button = element("cancel");
  delete button.dataset.opens;
  button.setAttribute("aria-busy", "true");
  button.setAttribute("aria-disabled", "true");
});
on("progress", ({ data }) => move(data));
on("subscribed", ({ data }) => data.channel === channel && data.state && take(data.state));
subscribe(channel);
