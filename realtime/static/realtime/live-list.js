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

/** A list into which new rows come at their place, or wait behind a pill while it is read. */
export class LiveList {
  #list;
  #options;
  /** @type {HTMLElement[]} */
  #waiting = [];
  /** @type {HTMLButtonElement | null} */
  #pill = null;

  /**
   * @param {HTMLElement} list whose children are the rows
   * @param {LiveListOptions} options
   */
  constructor(list, options) {
    this.#list = list;
    this.#options = options;
  }

  /**
   * Bring a new row in, now or behind the pill.
   * @param {HTMLElement} node
   */
  add(node) {
    if (this.#waiting.length === 0 && this.#isAtRest()) {
      this.#insert(node);
      this.#options.onShown?.();
      return;
    }
    this.#waiting.push(node);
    this.#showPill();
  }

  /**
   * The rows that wait behind the pill; they are patched like those that are seen.
   * @returns {readonly HTMLElement[]}
   */
  get waiting() {
    return this.#waiting;
  }

  /**
   * Forget a waiting row.
   * @param {HTMLElement} node
   */
  withdraw(node) {
    this.#waiting = this.#waiting.filter((waiting) => waiting !== node);
    this.#showPill();
  }

  /** Bring in what waits. */
  showWaiting() {
    for (const node of this.#waiting.splice(0)) this.#insert(node);
    this.#showPill();
    this.#options.onShown?.();
  }

  /** Whether the top of the list is in view and nobody touches the list. */
  #isAtRest() {
    const { top } = this.#list.getBoundingClientRect();
    return top >= 0 && !isTouched(this.#list) && document.querySelector("dialog[open]") === null;
  }

  /** @param {HTMLElement} node */
  #insert(node) {
    const { isBefore } = this.#options;
    const rows = /** @type {HTMLElement[]} */ ([...this.#list.children]);
    const next = isBefore ? rows.find((row) => isBefore(node, row)) : rows[0];
    node.setAttribute("data-arrived", "");
    node.addEventListener("animationend", () => node.removeAttribute("data-arrived"), {
      once: true,
    });
    this.#list.insertBefore(node, next ?? null);
  }

  #showPill() {
    if (this.#waiting.length === 0) {
      this.#pill?.remove();
      this.#pill = null;
      return;
    }
    if (this.#pill === null) {
      this.#pill = document.createElement("button");
      this.#pill.type = "button";
      this.#pill.className = "pill";
      this.#pill.addEventListener("click", () => this.showWaiting());
      const box = this.#list.closest("table") ?? this.#list;
      box.before(this.#pill);
    }
    this.#pill.textContent = this.#options.pillText(this.#waiting.length);
  }
}
