// @ts-check
/** Segments of a transcript: a button with the time, labels, and the text as one plain text node each. */

import { clock, visible } from "../format.js";
import { iconElement } from "../icons.js";
import { WordHighlighter, caretAt } from "./highlighter.js";
import { WordIndex } from "./words.js";

/** @typedef {import("../types.js").Segment} Segment */

/** Segments that the browser lays out together; each element of its own would cost at every frame. */
const GROUP = 25;
const ITEM_REM = 5.3;
/** Share of the window that the player may cover. */
const TOP_SHARE = 0.35;

/** Event `seek` of the list: a time was chosen. */
export class SeekEvent extends Event {
  /** @param {number} seconds */
  constructor(seconds) {
    super("seek", { bubbles: true });
    this.seconds = seconds;
  }
}

/** List that is built once and then only marked, so that 36,000 words cost nothing while they play. */
export class SegmentList extends HTMLElement {
  /** @type {HTMLLIElement[]} */
  #items = [];
  /** @type {WordHighlighter|null} */
  #highlighter = null;
  /** @type {IntersectionObserver|null} */
  #observer = null;
  #current = -1;
  /** @type {Set<number>} Groups near the window. */
  #near = new Set();
  /** @type {Segment[]} */
  segments = [];

  connectedCallback() {
    this.addEventListener("click", this.#click);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this.#click);
    this.#observer?.disconnect();
    this.#highlighter?.detach();
  }

  /** @param {Segment[]} segments */
  show(segments) {
    if (segments === this.segments) return;
    this.segments = segments;
    this.index = new WordIndex(segments);
    this.#items = segments.map((each, index) => itemOf(each, index, /** @type {WordIndex} */ (this.index).texts[index]));
    this.replaceChildren(...groupsOf(this.#items));
    const texts = this.#items.map((each) => /** @type {Text} */ (each.lastElementChild?.firstChild));
    this.#highlighter = new WordHighlighter(this.index, texts);
    this.#observe();
  }

  /**
   * Mark what is spoken at a time.
   *
   * @param {number} seconds
   * @param {boolean} follows Scroll to the segment when it begins.
   */
  mark(seconds, follows) {
    if (!this.index) return;
    this.#highlighter?.show(seconds);
    const segment = this.index.segmentAt(seconds);
    if (segment === this.#current) return;
    this.#items[this.#current]?.removeAttribute("aria-current");
    this.#items[segment]?.setAttribute("aria-current", "true");
    this.#current = segment;
    if (follows) this.#scrollToCurrent();
  }

  #scrollToCurrent() {
    const item = this.#items[this.#current];
    if (!item) return;
    const { top, bottom } = item.getBoundingClientRect();
    if (top < innerHeight * TOP_SHARE || bottom > innerHeight) item.scrollIntoView({ block: "center" });
  }

  /** Underline unsure words only near the window: a mark costs at each step of the spoken word. */
  #observe() {
    this.#observer?.disconnect();
    this.#near.clear();
    this.#observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const group = Number(/** @type {HTMLElement} */ (entry.target).dataset.group);
        if (entry.isIntersecting) this.#near.add(group);
        else this.#near.delete(group);
      }
      const segments = [...this.#near].flatMap((group) => [...Array(GROUP).keys()].map((each) => group * GROUP + each));
      this.#highlighter?.showUnsure(segments.filter((each) => each < this.#items.length));
    });
    for (const group of this.children) this.#observer.observe(group);
  }

  /** @param {MouseEvent} event */
  #click = (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const index = Number(target.closest("li")?.dataset.index ?? -1);
    if (index < 0) return;
    if (target.closest("button")) this.dispatchEvent(new SeekEvent(this.segments[index].start));
    else if (target.closest(".words")) this.#seekToWord(index, event);
  };

  /**
   * Seek to the word under the pointer; a selection of text is left alone.
   *
   * @param {number} index
   * @param {MouseEvent} event
   */
  #seekToWord(index, event) {
    if (!(getSelection()?.isCollapsed ?? true)) return;
    const caret = caretAt(event.clientX, event.clientY);
    const word = caret && this.index?.atOffset(index, caret.offset);
    this.dispatchEvent(new SeekEvent(word ? word.start : this.segments[index].start));
  }
}

/**
 * Put the items into lists, each of which is laid out when it comes near the window.
 *
 * @param {HTMLLIElement[]} items
 */
function groupsOf(items) {
  return Array.from({ length: Math.ceil(items.length / GROUP) }, (_, group) => {
    const members = items.slice(group * GROUP, (group + 1) * GROUP);
    const list = document.createElement("ol");
    list.className = "segments";
    list.start = group * GROUP + 1;
    list.dataset.group = String(group);
    list.style.setProperty("contain-intrinsic-size", `auto ${members.length * ITEM_REM}rem`);
    list.append(...members);
    return list;
  });
}

/**
 * @param {Segment} segment
 * @param {number} index
 * @param {string} text
 */
function itemOf(segment, index, text) {
  const item = document.createElement("li");
  item.dataset.index = String(index);
  const head = element("div", "head", timeButton(segment.start), ...labelsOf(segment));
  const words = element("p", "words", document.createTextNode(text));
  words.dir = "auto";
  item.append(head, words);
  return item;
}

/** @param {number} start */
function timeButton(start) {
  const button = /** @type {HTMLButtonElement} */ (element("button", "time", clock(start)));
  button.type = "button";
  button.setAttribute("aria-label", `Play from ${clock(start)}`);
  return button;
}

/** @param {Segment} segment */
function labelsOf({ speaker, channel, track, is_doubtful: isDoubtful }) {
  const labels = [speaker && visible(speaker), channel && `Channel ${channel}`, track && `Track ${track}`].filter(Boolean);
  const marks = labels.map((each) => element("span", "label", String(each)));
  if (isDoubtful) marks.push(element("span", "doubt", iconElement("warning"), " Doubtful"));
  return marks;
}

/**
 * @param {string} name
 * @param {string} className
 * @param {...(Node|string)} content
 */
function element(name, className, ...content) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...content);
  return made;
}

customElements.define("segment-list", SegmentList);
