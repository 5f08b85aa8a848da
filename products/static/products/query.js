/**
 * What the address of a catalogue page asks for, as products/filters.py reads it. No I/O.
 */

/** @typedef {Record<string, any>} Product as in events; without a description where it is not known */

const NARROWING = ["search", "category", "seller", "kind", "minPrice", "maxPrice", "inStock"];
const FALLBACK = "-createdAt";

/** What each ordering compares. @type {Record<string, (product: Product) => string | number>} */
const KEYS = {
  createdAt: (product) => product.createdAt,
  updatedAt: (product) => product.updatedAt,
  price: (product) => Number(product.price),
  stock: (product) => product.stock,
  title: (product) => product.title,
};

export class Query {
  #params;
  #filters;

  /** @param {string} search the address from its "?" on */
  constructor(search) {
    this.#params = new URLSearchParams(search);
    this.page = Number(this.#get("page") || 1);
    this.#filters = Object.fromEntries(NARROWING.map((name) => [name, this.#get(name)]));
    this.isNarrowed = Object.values(this.#filters).some(Boolean);
    this.ordering = this.#get("ordering") || FALLBACK;
    /** Whether it is the page that shows what is new as it comes. */
    this.isPlain = this.page === 1 && !this.isNarrowed && this.ordering === FALLBACK;
  }

  /**
   * Whether the filters let a product through.
   * @param {Product} product
   */
  matches(product) {
    const { category, seller, kind, minPrice, maxPrice, inStock } = this.#filters;
    return (
      product.isActive &&
      (!category || product.category === category.trim()) &&
      (!seller || product.sellerId === Number(seller)) &&
      (!kind || product.kind === kind) &&
      (!minPrice || Number(product.price) >= Number(minPrice)) &&
      (!maxPrice || Number(product.price) <= Number(maxPrice)) &&
      (!inStock || product.stock > 0 === (inStock === "true")) &&
      this.#isFound(product)
    );
  }

  /**
   * Below zero where a product stands before another, above where it stands behind it.
   * @param {Product} one
   * @param {Product} other
   */
  compare(one, other) {
    const sign = this.ordering.startsWith("-") ? -1 : 1;
    const key = KEYS[this.ordering.replace("-", "")];
    const [a, b] = [key(one), key(other)];
    const difference = a < b ? -1 : a > b ? 1 : one.id - other.id;
    return sign * difference;
  }

  /** @param {Product} product */
  #isFound({ title, description, category }) {
    // Cards do not know descriptions: a product that was found stays found.
    if (description === undefined) return true;
    const texts = [title, description, category].map((text) => text.toLowerCase());
    const words = this.#filters.search.toLowerCase().split(/\s+/);
    return words.every((word) => texts.some((text) => text.includes(word)));
  }

  /**
   * @param {string} name
   * @returns {string} the last value, as Django takes it; empty where there is none
   */
  #get(name) {
    return this.#params.getAll(name).at(-1) ?? "";
  }
}
