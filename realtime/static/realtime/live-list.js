/**
 * Lists whose rows come, go and move, without moving what the pointer is over or the focus is in.
 */

/**
 * Whether moving this element now would move something under somebody's hand.
 * @param {Element} element
 */
export function isTouched(element) {
  const hasPointer = matchMedia("(hover: hover)").matches && element.matches(":hover");
  return hasPointer || element.contains(document.activeElement);
}

/**
 * Do it now, or as soon as neither the pointer is over the element nor the focus in it.
 * @param {Element} element
 * @param {() => void} action
 */
export function whenFree(element, action) {
  if (!isTouched(element)) return action();
  const over = new AbortController();
  const look = () => {
    // The focus has moved on only after its own event.
    queueMicrotask(() => {
      if (over.signal.aborted || isTouched(element)) return;
      over.abort();
      action();
    });
  };
  element.addEventListener("pointerleave", look, { signal: over.signal });
  element.addEventListener("focusout", () => setTimeout(look), { signal: over.signal });
}

/**
 * Take a row away; one that is touched grows pale and goes when it is left.
 * @param {HTMLElement} node
 * @param {() => void} [afterwards]
 */
export function removeNode(node, afterwards = () => {}) {
  node.dataset.gone = "";
  whenFree(node, () => {
    node.remove();
    afterwards();
  });
}

/**
 * @typedef {object} LiveListOptions
 * @property {(count: number) => string} pillText "3 new orders"; the caller's ngettext
 * @property {(arriving: HTMLElement, present: HTMLElement) => boolean} [isBefore] whether the
 *   arriving row stands before the one that is there; without it new rows come first
 * @property {() => void} [onShown] called after rows came in
 */

/**
 * A list into which new rows come at their place, or wait behind a pill while it is read. A waiting
 * row stands in the list already, hidden, so that it is patched and removed like the others.
 */
export class LiveList {
  #list;
  #options;
  /** @type {HTMLButtonElement | null} */
  #pill = null;

  /**
   * @param {HTMLElement} list whose children are the rows
   * @param {LiveListOptions} options
   */
  constructor(list, options) {
    this.#list = list;
    this.#options = options;
    new MutationObserver(() => this.#countWaiting()).observe(list, { childList: true });
    // What came while a dialog was open was often made by it.
    document.addEventListener("close", () => this.#isAtRest() && this.showWaiting(), true);
  }

  /**
   * Bring new rows in, now or behind the pill.
   * @param {HTMLElement[]} nodes
   */
  add(...nodes) {
    const mustWait = !this.#isAtRest() || this.#waiting.length > 0;
    const { isBefore, onShown } = this.#options;
    for (const node of nodes) {
      node.hidden = mustWait;
      const rows = /** @type {HTMLElement[]} */ ([...this.#list.children]);
      const next = isBefore ? rows.find((row) => isBefore(node, row)) : rows[0];
      this.#list.insertBefore(node, next ?? null);
      if (!mustWait) greet(node);
    }
    if (!mustWait) onShown?.();
  }

  /** Bring in what waits. */
  showWaiting() {
    for (const node of this.#waiting) {
      node.hidden = false;
      greet(node);
    }
    this.#countWaiting();
    this.#options.onShown?.();
  }

  /** @returns {HTMLElement[]} */
  get #waiting() {
    return [...this.#list.querySelectorAll(/** @type {"li"} */ (":scope > [hidden]"))];
  }

  /** Whether the top of the list is in view and nobody touches the list. */
  #isAtRest() {
    const { top } = this.#list.getBoundingClientRect();
    return top >= 0 && !isTouched(this.#list) && document.querySelector("dialog[open]") === null;
  }

  #countWaiting() {
    const count = this.#waiting.length;
    if (count === 0) {
      this.#pill?.parentElement?.remove();
      this.#pill = null;
      return;
    }
    this.#pill ??= this.#makePill();
    this.#pill.textContent = this.#options.pillText(count);
  }

  #makePill() {
    const pill = document.createElement("button");
    pill.type = "button";
    pill.className = "pill";
    pill.addEventListener("click", () => this.showWaiting());
    // The pill floats: it must not push down what somebody is about to press.
    const slot = document.createElement("div");
    slot.className = "pill-slot";
    slot.append(pill);
    (this.#list.closest(".table-box") ?? this.#list).before(slot);
    return pill;
  }
}

/** @param {HTMLElement} node */
function greet(node) {
  node.setAttribute("data-arrived", "");
  const forget = () => node.removeAttribute("data-arrived");
  node.addEventListener("animationend", forget, { once: true });
}
