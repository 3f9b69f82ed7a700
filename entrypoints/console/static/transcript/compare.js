// @ts-check
/** Raw transcript beside the cleaned one; the differences are found and shown in slices. */

import { number, visible } from "../format.js";
import { View, html } from "../view.js";
import { compareTexts } from "./diff.js";

const SLICE_MILLISECONDS = 8;

class CompareTexts extends View {
  static properties = { raw: { attribute: false }, cleaned: { attribute: false } };
  #run = 0;
  #summary = "";
  #counts = { removed: 0, added: 0 };

  constructor() {
    super();
    this.raw = "";
    this.cleaned = "";
  }

  render() {
    return html`<p class="quiet" role="status">${this.#summary}</p>
      <p class="hint">
        <del>Struck words</del> are left out, <ins>underlined words</ins> are new. Capitals and punctuation are not marked.
      </p>
      <table class="compare">
        <caption class="unseen">Raw and cleaned transcript, side by side</caption>
        <thead><tr><th scope="col">Raw</th><th scope="col">Cleaned</th></tr></thead>
        <tbody></tbody>
      </table>`;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#run++;
  }

  /** @param {Map<string, unknown>} changed */
  updated(changed) {
    if (changed.has("raw") || changed.has("cleaned")) void this.#compare();
  }

  /** Fill the table; another comparison, or the end of the element, ends this one. */
  async #compare() {
    const run = ++this.#run;
    const body = /** @type {HTMLElement} */ (this.querySelector("tbody"));
    body.replaceChildren();
    this.#counts = { removed: 0, added: 0 };
    this.#tell("Comparing");
    let end = performance.now() + SLICE_MILLISECONDS;
    for (const runs of compareTexts(this.raw, this.cleaned)) {
      body.append(this.#row(runs));
      if (performance.now() < end) continue;
      await new Promise((resolve) => setTimeout(resolve));
      if (run !== this.#run) return;
      end = performance.now() + SLICE_MILLISECONDS;
    }
    this.#tell(`${number(this.#counts.removed)} words left out, ${number(this.#counts.added)} words new`);
  }

  /** @param {string} text */
  #tell(text) {
    this.#summary = text;
    this.requestUpdate();
  }

  /** @param {import("./diff.js").Run[]} runs */
  #row(runs) {
    const row = document.createElement("tr");
    const [raw, cleaned] = [row.insertCell(), row.insertCell()];
    raw.dataset.label = "Raw";
    cleaned.dataset.label = "Cleaned";
    for (const cell of [raw, cleaned]) cell.dir = "auto";
    for (const run of runs) {
      if (run.kind !== "same") this.#counts[run.kind] += run.before.length + run.after.length;
      if (run.before.length) raw.append(marked(run.before, run.kind === "removed" ? "del" : null), " ");
      if (run.after.length) cleaned.append(marked(run.after, run.kind === "added" ? "ins" : null), " ");
    }
    return row;
  }
}

/**
 * @param {string[]} words
 * @param {"del"|"ins"|null} mark
 */
function marked(words, mark) {
  const text = visible(words.join(" "));
  if (!mark) return text;
  const element = document.createElement(mark);
  element.textContent = text;
  return element;
}

customElements.define("compare-texts", CompareTexts);
