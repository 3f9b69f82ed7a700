// @ts-check
/** Differences of two texts word by word, in windows: the cost grows with the length, not with its square. */

const WINDOW = 300;
/** Share of a window whose result is used: near its end, words are cut off from their partners. */
const USED = 0.7;
/** Share of matches below which the texts have come apart, as where a long passage was left out. */
const APART = 0.25;
/** Words that must be the same in a row where the texts come together again, and how far they are looked for. */
const ANCHOR = 6;
const REACH = 4000;

/**
 * @typedef {{kind: "same"|"removed"|"added", before: string[], after: string[]}} Run
 */

/**
 * Compare two texts; each step yields the runs of one window, so that a caller can pause between them.
 *
 * @param {string} before
 * @param {string} after
 * @returns {Generator<Run[], void, void>}
 */
export function* compareTexts(before, after) {
  const [old, fresh] = [wordsOf(before), wordsOf(after)];
  const [oldKeys, freshKeys] = [old.map(keyOf), fresh.map(keyOf)];
  let [i, j] = [0, 0];
  while (i < old.length || j < fresh.length) {
    const { pairs, ends } = stepAt(oldKeys, freshKeys, i, j);
    yield runsOf(old.slice(i, i + ends[0]), fresh.slice(j, j + ends[1]), pairs);
    [i, j] = [i + ends[0], j + ends[1]];
  }
}

/**
 * Compare one window: the matches to use, and how many words of each text are done with them.
 *
 * @param {string[]} old
 * @param {string[]} fresh
 * @param {number} i
 * @param {number} j
 * @returns {{pairs: [number, number][], ends: [number, number]}}
 */
function stepAt(old, fresh, i, j) {
  const pairs = matches(old.slice(i, i + WINDOW), fresh.slice(j, j + WINDOW));
  if (i + WINDOW >= old.length && j + WINDOW >= fresh.length) return { pairs, ends: [old.length - i, fresh.length - j] };
  const isApart = pairs.length < WINDOW * APART;
  const anchor = isApart ? findAnchor(old.slice(i, i + REACH), fresh.slice(j, j + REACH)) : null;
  if (anchor) return { pairs: [], ends: anchor };
  const used = pairs.filter(([one, other]) => one < WINDOW * USED && other < WINDOW * USED);
  return { pairs: used, ends: endOf(used) };
}

/**
 * Find the nearest place where both texts go on with the same words; null without one, or where it is here.
 *
 * @param {string[]} old
 * @param {string[]} fresh
 * @returns {[number, number]|null}
 */
function findAnchor(old, fresh) {
  const places = new Map();
  for (let at = old.length - ANCHOR; at >= 0; at--) places.set(old.slice(at, at + ANCHOR).join(" "), at);
  /** @type {[number, number]|null} */
  let nearest = null;
  for (let at = 0; at <= fresh.length - ANCHOR && (!nearest || at < nearest[0] + nearest[1]); at++) {
    const place = places.get(fresh.slice(at, at + ANCHOR).join(" "));
    if (place !== undefined && (!nearest || place + at < nearest[0] + nearest[1])) nearest = [place, at];
  }
  return nearest && nearest[0] + nearest[1] > 0 ? nearest : null;
}

/** @param {string} text */
export function wordsOf(text) {
  return text.split(/\s+/).filter(Boolean);
}

/**
 * Reduce a word to what is compared: neither case nor punctuation is a difference.
 *
 * @param {string} word
 */
function keyOf(word) {
  return word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "") || word;
}

/**
 * End of the used part of a window; without any match, a large part is passed over.
 *
 * @param {[number, number][]} used
 * @returns {[number, number]}
 */
function endOf(used) {
  const last = used.at(-1);
  return last ? [last[0] + 1, last[1] + 1] : [Math.floor(WINDOW * USED), Math.floor(WINDOW * USED)];
}

/**
 * Find a longest common subsequence (Myers, "An O(ND) Difference Algorithm and Its Variations").
 *
 * @param {string[]} old
 * @param {string[]} fresh
 * @returns {[number, number][]} Pairs of indices, ascending.
 */
function matches(old, fresh) {
  const most = old.length + fresh.length;
  const reach = new Int32Array(2 * most + 3);
  /** @type {Int32Array[]} */
  const trace = [];
  for (let edits = 0; edits <= most; edits++) {
    trace.push(reach.slice());
    for (let line = -edits; line <= edits; line += 2) {
      const isDown = line === -edits || (line !== edits && reach[most + line - 1] < reach[most + line + 1]);
      let x = isDown ? reach[most + line + 1] : reach[most + line - 1] + 1;
      while (x < old.length && x - line < fresh.length && old[x] === fresh[x - line]) x++;
      reach[most + line] = x;
      if (x >= old.length && x - line >= fresh.length) return walkBack(trace, old.length, fresh.length, most);
    }
  }
  return [];
}

/**
 * @param {Int32Array[]} trace Furthest points before each number of edits.
 * @param {number} x
 * @param {number} y
 * @param {number} most
 * @returns {[number, number][]}
 */
function walkBack(trace, x, y, most) {
  /** @type {[number, number][]} */
  const pairs = [];
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const reach = trace[edits];
    const line = x - y;
    const isDown = line === -edits || (line !== edits && reach[most + line - 1] < reach[most + line + 1]);
    const from = isDown ? line + 1 : line - 1;
    const [oldX, oldY] = edits ? [reach[most + from], reach[most + from] - from] : [0, 0];
    while (x > oldX && y > oldY) pairs.push([--x, --y]);
    [x, y] = [oldX, oldY];
  }
  return pairs.reverse();
}

/**
 * @param {string[]} old
 * @param {string[]} fresh
 * @param {[number, number][]} pairs
 * @returns {Run[]}
 */
function runsOf(old, fresh, pairs) {
  /** @type {Run[]} */
  const runs = [];
  let [i, j] = [0, 0];
  for (const [one, other] of [...pairs, /** @type {[number, number]} */ ([old.length, fresh.length])]) {
    if (one > i) push(runs, "removed", old.slice(i, one), []);
    if (other > j) push(runs, "added", [], fresh.slice(j, other));
    if (one < old.length) push(runs, "same", [old[one]], [fresh[other]]);
    [i, j] = [one + 1, other + 1];
  }
  return runs;
}

/**
 * @param {Run[]} runs
 * @param {Run["kind"]} kind
 * @param {string[]} before
 * @param {string[]} after
 */
function push(runs, kind, before, after) {
  const last = runs.at(-1);
  if (last?.kind !== kind) return runs.push({ kind, before, after });
  last.before.push(...before);
  last.after.push(...after);
}
