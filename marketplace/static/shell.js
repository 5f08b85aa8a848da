/**
 * What the frame of every page does: search by "/", the colour scheme, menus, dialogs.
 */

const SCHEMES = /** @type {const} */ (["system", "light", "dark"]);

/** "/" leads to the search, wherever nobody is typing. */
export function listenForSearch() {
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const isTyping = target.isContentEditable || target.matches("input, textarea, select");
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]") !== null) return;
    event.preventDefault();
    const field = /** @type {HTMLInputElement | null} */ (document.getElementById("search"));
    field?.focus();
    field?.select();
  });
}

/** The button that goes from the system's colours to light, to dark, and back; kept. */
export function switchSchemes() {
  const button = document.getElementById("scheme");
  const use = button?.querySelector("use");
  const words = {
    system: gettext("Colours: as the system"),
    light: gettext("Colours: light"),
    dark: gettext("Colours: dark"),
  };
  const icons = { system: "monitor", light: "sun", dark: "moon" };
  const read = () => SCHEMES.find((name) => name === document.documentElement.dataset.scheme) ?? "system";
  const show = () => {
    const scheme = read();
    const [sprite] = (use?.getAttribute("href") ?? "").split("#");
    use?.setAttribute("href", `${sprite}#${icons[scheme]}`);
    button?.setAttribute("aria-label", words[scheme]);
    button?.setAttribute("title", words[scheme]);
  };
  button?.addEventListener("click", () => {
    const next = SCHEMES[(SCHEMES.indexOf(read()) + 1) % SCHEMES.length];
    if (next === "system") delete document.documentElement.dataset.scheme;
    else document.documentElement.dataset.scheme = next;
    keep(next);
    show();
  });
  show();
}

/** @param {string} scheme */
function keep(scheme) {
  try {
    localStorage.setItem("scheme", scheme);
  } catch {
    // Storage is refused to this page: the choice lasts as long as the page.
  }
}

/** A menu closes when something else is pressed, and on Escape; the phone's, when it is no phone. */
export function closeMenus() {
  matchMedia("(width < 900px)").addEventListener("change", () => {
    document.getElementById("rail-rest")?.hidePopover();
  });
  document.addEventListener("click", ({ target }) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(/** @type {Node} */ (target))) menu.removeAttribute("open");
    }
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    const menu = document.querySelector("details.menu[open]");
    menu?.removeAttribute("open");
    menu?.querySelector("summary")?.focus();
  });
}

/** A button with data-opens="id" opens that dialog, one with data-closes its own. */
export function openDialogs() {
  document.addEventListener("click", (event) => {
    const pressed = /** @type {Element} */ (event.target);
    const opener = /** @type {HTMLElement | null} */ (pressed.closest("[data-opens]"));
    const dialog = opener && document.getElementById(opener.dataset.opens ?? "");
    if (dialog instanceof HTMLDialogElement) dialog.showModal();
    if (pressed.closest("[data-closes]")) pressed.closest("dialog")?.close();
    // The backdrop is the dialog itself, outside its box.
    if (pressed instanceof HTMLDialogElement && isOutside(pressed, event)) pressed.close();
  });
}

/**
 * @param {HTMLDialogElement} dialog
 * @param {MouseEvent} event
 */
function isOutside(dialog, { clientX, clientY }) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
