// @ts-check
/** Marks in texts by the CSS Custom Highlight API: one range for the spoken word, and no element per word. */

const SPOKEN = "spoken-word";
const UNSURE = "unsure-word";
const UNSURE_BELOW = 0.5;

/** @typedef {import("./words.js").WordIndex} WordIndex */

export class WordHighlighter {
  /** True where the browser can mark single words; else the segment alone is marked. */
  static isSupported = typeof Highlight === "function" && "highlights" in CSS;
  #range = new Range();
  /** @type {import("./words.js").PlacedWord|null} */
  #shown = null;

  /**
   * @param {WordIndex} index
   * @param {Text[]} texts Text node of each segment.
   */
  constructor(index, texts) {
    this.index = index;
    this.texts = texts;
    if (WordHighlighter.isSupported) CSS.highlights.set(SPOKEN, new Highlight(this.#range));
  }

  /**
   * Move the mark to the word that is spoken at a time.
   *
   * @param {number} seconds
   */
  show(seconds) {
    if (!WordHighlighter.isSupported) return;
    const word = this.index.at(seconds);
    if (word === this.#shown) return;
    this.#shown = word;
    if (!word) return this.#range.collapse();
    this.#range.setStart(this.texts[word.segment], word.from);
    this.#range.setEnd(this.texts[word.segment], word.to);
  }

  /**
   * Mark the words of some segments that the engine is not sure of.
   *
   * @param {Iterable<number>} segments
   */
  showUnsure(segments) {
    if (!WordHighlighter.isSupported) return;
    const ranges = [...segments].flatMap((segment) => this.#unsureIn(segment));
    CSS.highlights.set(UNSURE, new Highlight(...ranges));
  }

  /** @param {number} segment */
  #unsureIn(segment) {
    const node = this.texts[segment];
    const words = this.index.bySegment[segment].filter((each) => each.confidence < UNSURE_BELOW);
    return words.map(
      (each) => new StaticRange({ startContainer: node, startOffset: each.from, endContainer: node, endOffset: each.to }),
    );
  }

  detach() {
    if (!WordHighlighter.isSupported) return;
    CSS.highlights.delete(SPOKEN);
    CSS.highlights.delete(UNSURE);
  }
}

/**
 * Find the text node and the offset at a point of the window.
 *
 * @param {number} x
 * @param {number} y
 * @returns {{node: Node, offset: number}|null}
 */
export function caretAt(x, y) {
  const position = document.caretPositionFromPoint?.(x, y);
  if (position) return { node: position.offsetNode, offset: position.offset };
  const range = document.caretRangeFromPoint?.(x, y);
  return range ? { node: range.startContainer, offset: range.startOffset } : null;
}
