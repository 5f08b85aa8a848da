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

/** @param {Progress} progress */
export function isOver({ status }) {
  return status !== "queued" && status !== "running";
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
  if (!isDone) facts.add(wrote ? "broken-off" : "untouched");
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
  if (status !== "failed" || first === undefined) return { reason: "", complaints: errors };
  return { reason: first.message, complaints: others };
}

/**
 * In what the present step is counted, and how far it is; null while nobody can say: a spreadsheet
 * is unpacked before its rows are read, and does not tell how far that is.
 * @param {Progress} progress
 * @param {string} format "csv" or "xlsx"
 * @returns {{unit: "kB" | "MB" | "rows" | "products", done: number, total: number} | null}
 */
export function measure({ step, current, total }, format) {
  const isReading = step === "reading";
  if (total === 0 || (isReading && format === "xlsx" && current === 0)) return null;
  if (!isReading || format !== "csv") {
    return { unit: step === "publishing" ? "products" : "rows", done: current, total };
  }
  const [unit, inUnits] =
    total < 1_000_000
      ? /** @type {const} */ (["kB", (/** @type {number} */ size) => Math.ceil(size / 1_000)])
      : /** @type {const} */ (["MB", (/** @type {number} */ size) => Math.floor((size + 50_000) / 100_000) / 10]);
  return { unit, done: inUnits(current), total: inUnits(total) };
}
