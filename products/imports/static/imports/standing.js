/**
 * What is true of an import, as pages show it. No I/O: products/imports/pages.py and
 * templatetags/imports.py say the same when a page is rendered.
 */

/**
 * @typedef {object} Progress as its event tells
 * @property {string} taskId
 * @property {"queued" | "running" | "done" | "failed" | "cancelled"} status
 * @property {"reading" | "validating" | "writing" | "publishing" | null} step
 * @property {number} current
 * @property {number} total
 * @property {number} percent
 */
/**
 * @typedef {object} Outcome what the import has beside
 * @property {boolean} dryRun
 * @property {number} created
 * @property {number} updated
 * @property {number} failed
 * @property {{row: number, field: string, message: string}[]} errors
 * @property {string[]} ignoredColumns
 */
/** @typedef {Progress & Outcome} Import */

/** @param {Pick<Progress, "status">} progress */
export function isOver({ status }) {
  return status !== "queued" && status !== "running";
}

const STEPS = ["reading", "validating", "writing", "publishing"];

/**
 * Whether a word comes late: no import goes back to a step that it has left, whoever works on it.
 * Where there is no Redis, what another process says may be a second old.
 * @param {Pick<Progress, "status" | "step">} word
 * @param {Pick<Progress, "status" | "step">} shown
 */
export function isLate(word, shown) {
  return stageOf(word) < stageOf(shown);
}

/** @param {Pick<Progress, "status" | "step">} progress */
function stageOf({ status, step }) {
  if (status === "queued") return -2;
  return isOver({ status }) ? STEPS.length : STEPS.indexOf(step ?? "");
}

/**
 * The facts of an import that is not over.
 * @param {Progress} progress
 * @returns {Set<string>}
 */
export function factsOnTheWay({ status, step }) {
  return new Set([status, "unfinished", ...(step === "publishing" ? [] : ["cancellable"])]);
}

/**
 * The facts of an import that is over.
 * @param {Import} job
 * @returns {Set<string>}
 */
export function factsAtTheEnd(job) {
  const wrote = !job.dryRun && job.created + job.updated > 0;
  const isDone = job.status === "done";
  const facts = new Set([job.status, "over"]);
  if (isDone) facts.add(job.created + job.updated > 0 ? "useful" : "useless");
  else facts.add(wrote ? "broken-off" : "untouched");
  if (isDone || wrote) facts.add("counted");
  if (splitErrors(job).complaints.length > 0) facts.add("complaints");
  if (job.ignoredColumns.length > 0) facts.add("ignored");
  return facts;
}

/**
 * What ended the import stands before what is wrong with single rows.
 * @param {Import} job
 */
export function splitErrors({ status, errors }) {
  const [first, ...others] = errors;
  if (status !== "failed" || first === undefined) return { reason: null, complaints: errors };
  return { reason: first, complaints: others };
}

/**
 * Whether it is known how much there is to do in the present step. A spreadsheet is unpacked before
 * its rows are read, and need not say how many it has: then as many as were read are told.
 * @param {Progress} progress
 * @param {string} format "csv" or "xlsx"
 */
export function isMeasured({ step, current, total }, format) {
  const isOpen = step === "reading" && format === "xlsx";
  return total > 0 && !(isOpen && (current === 0 || current === total));
}

/**
 * In what a step that is measured is counted, and how far it is.
 * @param {Progress} progress
 * @param {string} format
 * @returns {{unit: "kB" | "MB" | "rows" | "products", done: number, total: number}}
 */
export function measure({ step, current, total }, format) {
  if (step !== "reading" || format !== "csv") {
    return { unit: step === "publishing" ? "products" : "rows", done: current, total };
  }
  const isSmall = total < 1_000_000;
  const inUnits = isSmall ? inKilobytes : inMegabytes;
  return { unit: isSmall ? "kB" : "MB", done: inUnits(current), total: inUnits(total) };
}

/** @param {number} size */
const inKilobytes = (size) => Math.ceil(size / 1_000);

/** @param {number} size */
const inMegabytes = (size) => Math.floor((size + 50_000) / 100_000) / 10;
