// @ts-check
/** Timed words of a transcript, and where each stands in the text of its segment. */

import { visible } from "../format.js";

/** @typedef {import("../types.js").Segment} Segment */

/**
 * @typedef {object} PlacedWord
 * @property {number} start
 * @property {number} end
 * @property {number} segment
 * @property {number} from Offset in the text of the segment.
 * @property {number} to
 * @property {number} confidence
 */

/** Words in the order in which they begin; those of different channels may overlap. */
export class WordIndex {
  /** @param {Segment[]} segments */
  constructor(segments) {
    this.texts = segments.map((each) => visible(each.text));
    /** @type {PlacedWord[][]} */
    this.bySegment = segments.map((segment, index) => placed(segment, this.texts[index], index));
    this.words = this.bySegment.flat().sort((one, other) => one.start - other.start);
    this.starts = Float64Array.from(this.words, (each) => each.start);
    this.segmentStarts = Float64Array.from(segments, (each) => each.start);
  }

  /**
   * Find the word that is spoken at a time: the last one that has begun.
   *
   * @param {number} seconds
   * @returns {PlacedWord|null}
   */
  at(seconds) {
    return this.words[lastAtMost(this.starts, seconds)] ?? null;
  }

  /**
   * Find the segment that is spoken at a time; -1 before the first one.
   *
   * @param {number} seconds
   */
  segmentAt(seconds) {
    return this.at(seconds)?.segment ?? lastAtMost(this.segmentStarts, seconds);
  }

  /**
   * Find the word at an offset of a segment's text.
   *
   * @param {number} segment
   * @param {number} offset
   * @returns {PlacedWord|null}
   */
  atOffset(segment, offset) {
    return this.bySegment[segment]?.find((each) => each.from <= offset && offset <= each.to) ?? null;
  }
}

/**
 * Find the index of the last value that is not above a limit, in ascending values; -1 without one.
 *
 * @param {Float64Array} values
 * @param {number} limit
 */
export function lastAtMost(values, limit) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Find each word in the text of its segment; a word that is not there in this form is left out.
 *
 * @param {Segment} segment
 * @param {string} text
 * @param {number} index
 * @returns {PlacedWord[]}
 */
function placed(segment, text, index) {
  /** @type {PlacedWord[]} */
  const found = [];
  let behind = 0;
  for (const word of segment.words ?? []) {
    const shown = visible(word.text).trim();
    const from = shown ? text.indexOf(shown, behind) : -1;
    if (from < 0) continue;
    behind = from + shown.length;
    found.push({ start: word.start, end: word.end, segment: index, from, to: behind, confidence: word.confidence ?? 1 });
  }
  return found;
}
