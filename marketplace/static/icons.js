/** Icons for what JavaScript builds: the same sprite as {% icon %}. */

const SPRITE = new URL("./vendor/lucide/sprite.svg", import.meta.url);
const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} name as Lucide names it
 * @param {"small" | "large" | ""} [size]
 * @returns {SVGSVGElement}
 */
export function makeIcon(name, size = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", size ? `icon icon-${size}` : "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${SPRITE.pathname}#${name}`);
  svg.append(use);
  return svg;
}
