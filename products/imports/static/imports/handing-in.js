/** The form in which a file is handed in: chosen or dropped, and sent with a bar that is true. */

import { clearErrors, showErrors, unexpected } from "../forms.js";
import { formatNumber } from "../realtime/format.js";
import { percentText } from "./shown.js";
import { sendFile } from "./upload.js";

const card = element("handing-in");
const form = /** @type {HTMLFormElement} */ (card.querySelector("form"));
const fields = /** @type {HTMLFieldSetElement} */ (form.querySelector("fieldset"));
const input = /** @type {HTMLInputElement} */ (element("file"));
const sending = element("sending");
const bar = /** @type {HTMLProgressElement} */ (sending.querySelector("progress"));
const nothingChosen = element("chosen").textContent ?? "";
/** Stops what is being sent; null while nothing is. @type {AbortController | null} */
let stop = null;

/** @param {string} id */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

async function send() {
  const [file] = input.files ?? [];
  clearErrors(form);
  const mistake = file && whatIsWrongWith(file);
  if (mistake) return showErrors(form, [{ code: "invalid", detail: mistake, attr: "file" }]);
  // Before the fields are disabled: what is disabled is not sent.
  const data = new FormData(form);
  stop = new AbortController();
  showSending(true);
  showSent(0, 1);
  try {
    const options = { onProgress: showSent, signal: stop.signal };
    const { status, body } = await sendFile(form.action, data, options);
    if (status === 202) return location.assign(`/imports/${body.taskId}`);
    fail(body?.errors ?? [unexpected(status)]);
  } catch {
    fail(stop.signal.aborted ? [] : [unreachable()]);
  }
}

/** @param {import("../forms.js").ApiError[]} errors none where it was stopped */
function fail(errors) {
  showSending(false);
  showErrors(form, errors);
}

/** @returns {import("../forms.js").ApiError} */
function unreachable() {
  const detail = gettext(
    "The file did not get through. Look whether it is in the list below before you send it again.",
  );
  return { code: "unreachable", detail, attr: null };
}

/**
 * What the server would say when all of it has been sent.
 * @param {File} file
 * @returns {string} "" for nothing
 */
function whatIsWrongWith({ name, size }) {
  if (size > Number(form.dataset.maxBytes)) return gettext("A file has at most 50 MB.");
  if (!/\.(csv|xlsx)$/i.test(name)) return gettext("Send a CSV or XLSX file, with the ending of what it is.");
  return "";
}

/** @param {boolean} isSending */
function showSending(isSending) {
  const hadFocus = card.contains(document.activeElement);
  fields.disabled = isSending;
  sending.hidden = !isSending;
  if (!isSending) stop = null;
  if (hadFocus) (isSending ? element("stop-sending") : input).focus({ preventScroll: true });
  element("sending-news").textContent = isSending ? gettext("The file is being sent.") : "";
}

/**
 * @param {number} sent
 * @param {number} total
 */
function showSent(sent, total) {
  const percent = Math.floor((sent * 100) / total);
  if (percent < 100) bar.value = percent;
  else bar.removeAttribute("value");
  element("sending-words").textContent =
    percent < 100
      ? interpolate(gettext("Uploading %s"), [percentText(percent)])
      : gettext("Sent. The server is looking at the file…");
}

function showChosen() {
  const [file] = input.files ?? [];
  clearErrors(form);
  element("chosen").textContent = file ? `${file.name} · ${sizeText(file.size)}` : nothingChosen;
}

/** @param {number} size */
function sizeText(size) {
  if (size < 1_000_000) return `${formatNumber(Math.ceil(size / 1_000))}\u00a0kB`;
  return `${formatNumber(Math.round(size / 100_000) / 10)}\u00a0MB`;
}

// --- dropped files --------------------------------------------------------------------------

/** @param {DragEvent} event */
const hasFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;

/** @param {DragEvent} event */
function drop(event) {
  const { files } = /** @type {DataTransfer} */ (event.dataTransfer);
  if (stop !== null || files.length === 0) return;
  if (files.length > 1) {
    clearErrors(form);
    showErrors(form, [{ code: "invalid", detail: gettext("One file at a time."), attr: "file" }]);
    return;
  }
  input.files = files;
  showChosen();
}

// A file that is dropped beside the card would else be opened in place of the page.
document.addEventListener("dragover", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  const isOver = card.contains(/** @type {Node} */ (event.target)) && stop === null;
  card.toggleAttribute("data-over", isOver);
  /** @type {DataTransfer} */ (event.dataTransfer).dropEffect = isOver ? "copy" : "none";
});
document.addEventListener("dragleave", ({ relatedTarget }) => {
  if (!card.contains(/** @type {Node | null} */ (relatedTarget))) card.removeAttribute("data-over");
});
document.addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  card.removeAttribute("data-over");
  if (card.contains(/** @type {Node} */ (event.target))) drop(event);
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (stop === null) void send();
});
element("stop-sending").addEventListener("click", () => stop?.abort());
input.addEventListener("change", showChosen);

function begin() {
  showSending(false);
  showChosen();
}

// Back from the import, out of the browser's cache.
addEventListener("pageshow", ({ persisted }) => persisted && begin());
begin();
