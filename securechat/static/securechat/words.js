/** What notices and entries are called. */

import { plainName } from "./files.js";

/** @typedef {import("./database.js").Entry} Entry */

/**
 * What the browser says in the conversation.
 * @param {Entry} entry from "notice"
 * @returns {{text: string, tone: "plain" | "caution" | "critical"}}
 */
export function noticeWords({ kind, content }) {
  switch (kind) {
    case "secured":
      return plain(gettext("Secured. From here on nobody else can read along."));
    case "identity-accepted":
      return plain(gettext("You accepted the new key."));
    case "identity-changed":
      return {
        tone: "critical",
        text: gettext("The other side has another key than before: a new browser, or somebody in between. Compare the safety number."),
      };
    case "missing":
      return caution(missingWords(content.count));
    case "no-key":
      return caution(gettext("A message that this browser has no key for."));
    case "not-from-here":
      return caution(gettext("A message in your name, from another of your browsers, or from nobody that you know."));
    case "not-ours":
      return critical(gettext("The server showed another message in your name than you wrote. It is not shown."));
    case "deleted":
      return plain(gettext("All messages were deleted, for both."));
    case "other-people":
      return critical(gettext("The server showed this conversation as one with somebody else. Nothing was sent."));
    case "old-epoch":
      return critical(gettext("The server showed old keys again. Nothing was sent with them."));
    case "bad-key":
      return critical(gettext("The server showed a key that is not the other side's, or none at all. Nothing was sent with it."));
    default:
      return critical(gettext("A message that could not be verified. It is not shown."));
  }
}

/** @param {number} count how many messages are missing */
export function missingWords(count) {
  return interpolate(ngettext("%s message is missing here.", "%s messages are missing here.", count), [count]);
}

/**
 * One line that stands for an entry.
 * @param {Entry} entry
 */
export function summary({ from, kind, content, ...entry }) {
  if (from === "notice") return noticeWords({ from, kind, content, ...entry }).text;
  const words = kind === "text" ? content.text.replace(/\s+/g, " ").slice(0, 120) : fileWords(kind, content);
  return from === "me" ? interpolate(pgettext("chat", "You: %s"), [words]) : words;
}

/**
 * @param {string} kind
 * @param {Record<string, any>} content
 */
function fileWords(kind, { name }) {
  if (kind === "file") return interpolate(gettext("File: %s"), [plainName(name)]);
  return gettext("Something that this page does not know yet.");
}

/**
 * What has become of an own message.
 * @param {import("./database.js").Mark | undefined} mark
 * @returns {{text: string, icon: string}}
 */
export function markWords(mark) {
  return {
    waiting: { text: pgettext("message", "Waiting to be sent"), icon: "clock" },
    failed: { text: pgettext("message", "Could not be sent"), icon: "circle-alert" },
    sent: { text: pgettext("message", "Sent"), icon: "check" },
    delivered: { text: pgettext("message", "Delivered"), icon: "check-check" },
    read: { text: pgettext("message", "Read"), icon: "check-check" },
  }[mark ?? "waiting"];
}

/** @param {string} text */
function plain(text) {
  return { text, tone: /** @type {const} */ ("plain") };
}

/** @param {string} text */
function caution(text) {
  return { text, tone: /** @type {const} */ ("caution") };
}

/** @param {string} text */
function critical(text) {
  return { text, tone: /** @type {const} */ ("critical") };
}
