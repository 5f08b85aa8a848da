/** What this browser's user has chosen about conversations. */

const TELLS_READ = "chat-tells-read";

/** Whether others learn what was read here. */
export function tellsRead() {
  return localStorage.getItem(TELLS_READ) !== "false";
}

/** @param {boolean} isTold */
export function chooseTellsRead(isTold) {
  localStorage.setItem(TELLS_READ, String(isTold));
}
