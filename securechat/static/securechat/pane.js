/**
 * The open conversation: how it stands, what is warned of, its messages, and what can be done.
 */

import { formatMoment } from "../realtime/format.js";
import { toast } from "../toasts.js";
import { offerActions } from "./actions.js";
import { ChatApi, Refused } from "./api.js";
import { Composer } from "./composer.js";
import { isPicture, leaveFile, MAX_FILE_BYTES, openFile, plainName, save } from "./files.js";
import { chooseTellsRead, tellsRead } from "./preferences.js";
import { SafetyDialog } from "./safety.js";
import { Thread } from "./thread.js";

/** @typedef {import("./api.js").Session} Session */
/** @typedef {import("./channel.js").Channel} Channel */
/** @typedef {import("./database.js").Entry} Entry */

const ACKNOWLEDGE_AFTER_MS = 400;
const RETRY_AFTER_MS = 5_000;

const part = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

export class Pane {
  #api;
  #composer;
  #safety;
  #thread;
  #otherName;
  /** Why nothing can be done now; empty where nothing is wrong. */
  #problem = "";
  /** The other one's key that the page warns of. @type {Uint8Array | null} */
  #shownIdentity = null;
  #isShowing = false;
  #isOutdated = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #acknowledging = undefined;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typing = undefined;

  /**
   * @param {HTMLElement} element
   * @param {number} userId
   * @param {(session: Session, onChange: () => void) => Channel} makeChannel
   */
  constructor(element, userId, makeChannel) {
    /** @type {Session} */
    const session = JSON.parse(element.dataset.session ?? "");
    this.#otherName = userId === session.buyerId ? session.sellerName : session.buyerName;
    this.#api = new ChatApi(session.sessionId);
    this.channel = makeChannel(session, () => void this.#show());
    this.#thread = new Thread({
      openFile: (entry, button) => void this.#openFile(entry, button),
      sendAgain: (entry) => void this.channel.writeAgain(entry).catch(() => {}),
    });
    this.#safety = new SafetyDialog(this.channel, userId);
    this.#composer = new Composer({
      onText: (text) => void this.channel.write({ kind: "text", text }).catch(reportError),
      onFile: (file) => void this.#sendFile(file),
      onTyping: () => void this.#api.tell("typing").catch(() => {}),
    });
    offerActions({ channel: this.channel, api: this.#api, otherName: this.#otherName });
    this.#listen();
  }

  async start() {
    await this.#attempt(() => this.channel.open());
  }

  /** Something that an event asked for could not be done: it is tried again. */
  noteProblem() {
    this.#problem = gettext("No answer came. It is tried again when the connection is back.");
    void this.#show();
    setTimeout(() => void this.comeBack(), RETRY_AFTER_MS);
  }

  /** Events come again: what could not be done before is done now. */
  async comeBack() {
    if (this.#problem === "") await this.channel.flush();
    else await this.#attempt(() => this.channel.comeBack());
  }

  /** @param {() => Promise<void>} work */
  async #attempt(work) {
    try {
      await work();
      this.#problem = "";
    } catch (error) {
      const isUnanswered = error instanceof Refused || error instanceof TypeError || isTimeout(error);
      this.#problem = isUnanswered
        ? gettext("No answer came. It is tried again when the connection is back.")
        : gettext("This browser cannot do what the encryption needs.");
    }
    await this.#show();
  }

  /** @param {{sessionId: string, until: string}} fact */
  showTyping({ sessionId, until }) {
    if (sessionId !== this.channel.session.sessionId) return;
    const left = Date.parse(until) - Date.now();
    part("typing").hidden = left <= 0;
    clearTimeout(this.#typing);
    // Clocks differ: it is hidden in any case.
    this.#typing = setTimeout(() => this.#stopTyping(), Math.min(Math.max(left, 1_000), 10_000));
  }

  /** @param {{channel: string, userId: number, state: "here" | "away"}} fact */
  showPresence({ channel, userId, state }) {
    const isOurs = channel === `chat.${this.channel.session.sessionId}` && userId === this.channel.peerId;
    if (isOurs) this.showHere(state === "here");
  }

  /** @param {boolean} isHere whether the other one has it open */
  showHere(isHere) {
    part("avatar").dataset.presence = isHere ? "here" : "away";
    part("here").hidden = !isHere;
  }

  #stopTyping() {
    clearTimeout(this.#typing);
    part("typing").hidden = true;
  }

  #listen() {
    part("status-action").addEventListener("click", () => void this.#attempt(() => this.channel.rekey()));
    part("compare").addEventListener("click", () => void this.#safety.open());
    part("lock").addEventListener("click", () => void this.#safety.open());
    part("accept").addEventListener("click", () => {
      if (this.#shownIdentity !== null) void this.channel.acceptIdentity(this.#shownIdentity);
    });
    part("thread-box").addEventListener("scroll", () => this.#acknowledgeSoon(), { passive: true });
    document.addEventListener("visibilitychange", () => this.#acknowledgeSoon());
    addEventListener("online", () => void this.comeBack());
    const choice = /** @type {HTMLInputElement} */ (part("tells-read"));
    choice.checked = tellsRead();
    choice.addEventListener("change", () => chooseTellsRead(choice.checked));
  }

  /** Show all of it; what changes meanwhile is shown once more. */
  async #show() {
    this.#isOutdated = true;
    if (this.#isShowing) return;
    this.#isShowing = true;
    try {
      while (this.#isOutdated) {
        this.#isOutdated = false;
        const entries = await this.channel.entries();
        this.#thread.show(entries);
        await this.#showState();
        if (entries.at(-1)?.from === "them") this.#stopTyping();
      }
    } finally {
      this.#isShowing = false;
    }
    this.#acknowledgeSoon();
  }

  async #showState() {
    const { session, phase } = this.channel;
    const epoch = await this.channel.epoch();
    const identities = await this.channel.identities();
    const action = part("status-action");
    action.hidden = phase !== "elsewhere";
    action.textContent = gettext("Continue in this browser");
    part("pane").dataset.phase = phase;
    /** @type {HTMLButtonElement} */ (part("lock")).disabled = identities === null;
    part("lock").dataset.compared = String(identities?.isCompared ?? false);
    for (const [name, isShown] of [["block", !session.blockedByMe], ["unblock", session.blockedByMe]]) {
      const button = /** @type {HTMLElement} */ (document.querySelector(`[data-action="${name}"]`));
      button.hidden = !isShown;
    }
    if (this.#problem === "") this.#say(phase, this.#phaseWords(epoch));
    else this.#say("problem", this.#problem);
    this.#shownIdentity = identities?.peer ?? null;
    this.#warn(identities !== null && !identities.isTrusted);
    this.#composer.allow(!session.blocked && !["closed", "elsewhere", "refused"].includes(phase));
  }

  /** @param {import("./database.js").Epoch | undefined} epoch */
  #phaseWords(epoch) {
    const { session, phase } = this.channel;
    if (session.blocked) {
      return session.blockedByMe
        ? interpolate(gettext("You blocked %s. Nobody can write."), [this.#otherName])
        : gettext("One of you has blocked the other. Nobody can write.");
    }
    switch (phase) {
      case "active": {
        const since = interpolate(gettext("Secured since %s"), [formatMoment(epoch?.securedAt ?? new Date())]);
        return epoch?.isConfirmed ? `${since} · ${pgettext("chat", "confirmed")}` : since;
      }
      case "closed":
        return gettext("Closed. Press Secure channel at the product to open it again.");
      case "elsewhere":
        return gettext("Another browser of yours has the keys of this conversation.");
      case "refused":
        return gettext("The server showed something that an honest one does not. Nothing is sent.");
      default:
        return interpolate(gettext("Waiting for %s. What you write is sent as soon as it is secured."), [this.#otherName]);
    }
  }

  /** @param {boolean} isChanged whether the other one has a key that was not accepted */
  #warn(isChanged) {
    const { context } = this.channel.session;
    const isForeign = hostName(context) !== hostName(location.hostname);
    part("warning").hidden = !isChanged && !isForeign;
    part("warning-actions").hidden = !isChanged;
    const changed = gettext("%s has another key than before: a new browser, or somebody in between. Nothing is sent until you accept it.");
    const foreign = gettext("This conversation was made for %s, and this page comes from elsewhere.");
    part("warning-text").textContent = isChanged
      ? interpolate(changed, [this.#otherName])
      : interpolate(foreign, [context]);
  }

  /**
   * @param {string} phase
   * @param {string} text
   */
  #say(phase, text) {
    part("status").dataset.phase = phase;
    // Said once: a screen reader reads every change.
    if (part("status-text").textContent !== text) part("status-text").textContent = text;
  }

  #acknowledgeSoon() {
    clearTimeout(this.#acknowledging);
    // What cannot be told now is told with the next.
    this.#acknowledging = setTimeout(() => void this.#acknowledge().catch(() => {}), ACKNOWLEDGE_AFTER_MS);
  }

  async #acknowledge() {
    if (this.#problem !== "") return;
    const entries = await this.channel.entries();
    const isRead = document.visibilityState === "visible" && this.#thread.isAtEnd;
    const last = entries.reduce((most, { place }) => Math.max(most, place), 0);
    if (isRead) await this.channel.noteRead(last);
    await this.channel.acknowledge({ tellsRead: tellsRead() });
  }

  /** @param {File} file */
  async #sendFile(file) {
    if (file.size > MAX_FILE_BYTES) {
      toast({ text: gettext("A file has 5 MB at most."), tone: "caution" });
      return;
    }
    try {
      const content = await leaveFile(file, (ciphertext) => this.#api.leaveFile(ciphertext));
      await this.channel.write({ kind: "file", ...content });
    } catch (error) {
      const text = /** @type {Error} */ (error).message || gettext("The file could not be sent.");
      toast({ text, tone: "critical" });
    }
  }

  /**
   * @param {Entry} entry
   * @param {HTMLElement} button
   */
  async #openFile({ content }, button) {
    button.setAttribute("aria-busy", "true");
    try {
      const blob = await openFile(content, await this.#api.fetchFile(content.attachmentId));
      const url = URL.createObjectURL(blob);
      if (isPicture(content.mime)) showPicture(button, url, content.name);
      else save(url, content.name);
    } catch {
      toast({ text: gettext("The file is not here any more, or it is not what was sent."), tone: "critical" });
    } finally {
      button.removeAttribute("aria-busy");
    }
  }
}

/**
 * @param {string} host
 * @returns {string} one name for this machine, which has several
 */
function hostName(host) {
  return ["localhost", "127.0.0.1", "[::1]"].includes(host) ? "localhost" : host;
}

/** @param {unknown} error */
function isTimeout(error) {
  return error instanceof DOMException && ["TimeoutError", "AbortError"].includes(error.name);
}

/**
 * @param {HTMLElement} button that the picture takes the place of
 * @param {string} url
 * @param {string} name
 */
function showPicture(button, url, name) {
  const picture = document.createElement("img");
  picture.className = "message-picture";
  picture.alt = plainName(name);
  picture.addEventListener("load", () => URL.revokeObjectURL(url), { once: true });
  picture.src = url;
  button.replaceWith(picture);
}
