/** How scripts write what the template tags of imports write (templatetags/imports.py). */

import { formatNumber } from "../realtime/format.js";
import { markChanged } from "../realtime/patch.js";
import { isMeasured, isOver, measure } from "./standing.js";

/** @typedef {import("./standing.js").Import} Import */
/** @typedef {import("./standing.js").Progress} Progress */

/**
 * The import itself. It is asked for when its last progress was heard, once: that event says how it
 * ended, and not what it came to, which is up to a hundred bad rows. Its owner and the staff who
 * look at it hear the event, and nobody else: this is no crowd that asks at one moment.
 * @param {string} taskId
 * @returns {Promise<Import | null>} null where no answer came
 */
export async function fetchImport(taskId) {
  try {
    const answer = await fetch(`/api/imports/${taskId}`, { headers: { Accept: "application/json" } });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/**
 * Put the badge of a status in place of the one that is there.
 * @param {HTMLElement} node with one badge
 * @param {string} status
 */
export function showStatus(node, status) {
  const present = node.querySelector("[data-status]");
  if (present === null || present.getAttribute("data-status") === status) return;
  const badge = /** @type {HTMLElement} */ (copyFrom("statuses", `[data-status="${status}"]`));
  present.replaceWith(badge);
  markChanged(badge);
}

/** @param {string} status */
export function statusWord(status) {
  return copyFrom("statuses", `[data-status="${status}"]`).textContent?.trim() ?? "";
}

/** @param {string | null} step */
export function stepWord(step) {
  return step === null ? "" : (copyFrom("steps", `[data-step="${step}"]`).textContent ?? "");
}

/** @param {number} percent */
export function percentText(percent) {
  return `${percent}\u00a0%`;
}

/**
 * @param {Progress} progress
 * @param {string} format
 */
export function stageText(progress, format) {
  const { status, step, percent } = progress;
  if (status !== "running") return "";
  return isMeasured(progress, format) ? `${stepWord(step)} ${percentText(percent)}` : stepWord(step);
}

/**
 * What it came to: "12 created", "3 updated", "1 bad row"; "" for none, and before it is over.
 * @param {Import} job
 */
export function countTexts(job) {
  return countsOf(job).map(([count, text]) =>
    isOver(job) && count > 0 ? interpolate(text, { n: formatNumber(count) }, true) : "",
  );
}

/**
 * @param {Import} job
 * @returns {[number, string][]}
 */
function countsOf({ dryRun, created, updated, failed }) {
  /** @type {[number, string]} */
  const bad = [failed, ngettext("%(n)s bad row", "%(n)s bad rows", failed)];
  if (dryRun) {
    return [
      [created, ngettext("%(n)s to create", "%(n)s to create", created)],
      [updated, ngettext("%(n)s to update", "%(n)s to update", updated)],
      bad,
    ];
  }
  return [
    [created, ngettext("%(n)s created", "%(n)s created", created)],
    [updated, ngettext("%(n)s updated", "%(n)s updated", updated)],
    bad,
  ];
}

/**
 * @param {Progress} progress
 * @param {string} format
 * @returns {string} "" while nobody can say
 */
export function amountText(progress, format) {
  if (!isMeasured(progress, format)) {
    const { current } = progress;
    const soFar = ngettext("%(n)s row so far", "%(n)s rows so far", current);
    return current > 0 ? interpolate(soFar, { n: formatNumber(current) }, true) : "";
  }
  const { unit, done, total } = measure(progress, format);
  const text = {
    kB: gettext("%(done)s of %(total)s kB"),
    MB: gettext("%(done)s of %(total)s MB"),
    rows: ngettext("%(done)s of %(total)s row", "%(done)s of %(total)s rows", total),
    products: ngettext("%(done)s of %(total)s product", "%(done)s of %(total)s products", total),
  }[unit];
  const amount = interpolate(text, { done: formatNumber(done), total: formatNumber(total) }, true);
  return `${amount} · ${percentText(progress.percent)}`;
}

/**
 * @param {string} templateId
 * @param {string} selector
 */
function copyFrom(templateId, selector) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(templateId));
  return /** @type {Element} */ (template.content.querySelector(selector)?.cloneNode(true));
}
