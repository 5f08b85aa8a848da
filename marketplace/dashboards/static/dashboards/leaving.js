/** Rows that leave a list under whose other rows somebody may be pointing. */

import { whenFree } from "../realtime/live-list.js";

/**
 * Take a row out of its list. While the pointer is over the list or the focus in it, the row stays
 * as it is, pale: the next one must not come under a pointer that is about to press.
 * @param {HTMLElement} row
 * @param {() => void} [afterwards]
 */
export function leaveList(row, afterwards = () => {}) {
  row.dataset.gone = "";
  const leave = () => {
    row.remove();
    afterwards();
  };
  // One that waits to be shown takes no room.
  if (row.hidden || row.parentElement === null) leave();
  else whenFree(row.parentElement, leave);
}

/** @param {HTMLElement} row */
export function isLeaving(row) {
  return "gone" in row.dataset;
}
