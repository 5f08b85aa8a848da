/** A form with a file on its way to the server. fetch() does not tell how much of it has left. */

import { readCookie } from "../forms.js";

/**
 * @param {string} url
 * @param {FormData} data
 * @param {object} options
 * @param {(sent: number, total: number) => void} options.onProgress bytes of the request
 * @param {AbortSignal} options.signal stops it
 * @returns {Promise<{status: number, body: any}>} rejects where no answer came, and when it was stopped
 */
export function sendFile(url, data, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", readCookie("csrftoken"));
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(loaded, total));
    request.addEventListener("load", () => resolve({ status: request.status, body: readJson(request.responseText) }));
    for (const type of ["error", "abort", "timeout"]) {
      request.addEventListener(type, () => reject(new Error(type)));
    }
    signal.addEventListener("abort", () => request.abort());
    request.send(data);
  });
}

/** @param {string} text */
function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
