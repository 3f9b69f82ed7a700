// @ts-check
/** Options of the transcription, which apply to the files that are added after they were set. */

import { html } from "../view.js";

const LANGUAGES = ["ar", "cs", "da", "de", "el", "en", "es", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "tr", "uk", "vi", "zh"];
const MAX_TERMS = 100;
const MAX_TERM_LENGTH = 64;

export function optionFields() {
  return html`<fieldset class="options card">
    <legend>Options for the files that you add next</legend>
    <div class="grid">
      <div>
        <label for="language">Language</label>
        <input id="language" name="language" list="languages" pattern="[a-z]{2,3}" autocomplete="off" placeholder="found by the engine" aria-describedby="language-hint" />
        <datalist id="languages">${LANGUAGES.map((code) => html`<option value=${code}>${nameOf(code)}</option>`)}</datalist>
        <p class="hint" id="language-hint">Its code, such as en. Empty: the engine finds it, if it can.</p>
      </div>
      <div>
        <label for="channels">Channels</label>
        <select id="channels" name="channels">
          <option value="">Mixed into one</option>
          <option value="separate">Each by itself</option>
        </select>
      </div>
      <div>
        <label for="tracks">Sound tracks</label>
        <select id="tracks" name="tracks">
          <option value="">The main one</option>
          <option value="all">All, each by itself</option>
        </select>
      </div>
      <div class="wide">
        <label for="vocabulary">Vocabulary</label>
        <input id="vocabulary" name="vocabulary" autocomplete="off" placeholder="Acme, EventBridge" aria-describedby="vocabulary-hint" />
        <p class="hint" id="vocabulary-hint">Names and product words that are likely to be spoken, with commas between them. Not every engine takes them.</p>
      </div>
    </div>
  </fieldset>`;
}

/** @param {string} code */
function nameOf(code) {
  return new Intl.DisplayNames(["en"], { type: "language" }).of(code) ?? code;
}

/**
 * Read the options; null where a field has a value that the service would refuse, which is then shown.
 *
 * @param {HTMLFormElement} form
 * @returns {import("./queue.js").Options|null}
 */
export function optionsOf(form) {
  const vocabulary = /** @type {HTMLInputElement} */ (form.elements.namedItem("vocabulary"));
  vocabulary.setCustomValidity(faultOf(vocabulary.value));
  if (!form.reportValidity()) return null;
  const value = (/** @type {string} */ name) => String(new FormData(form).get(name) ?? "").trim();
  return { language: value("language"), channels: value("channels"), tracks: value("tracks"), vocabulary: value("vocabulary") };
}

/** @param {string} text */
function faultOf(text) {
  const terms = text.split(",").map((each) => each.trim()).filter(Boolean);
  if (terms.length > MAX_TERMS) return `At most ${MAX_TERMS} terms.`;
  if (terms.some((each) => each.length > MAX_TERM_LENGTH)) return `A term has at most ${MAX_TERM_LENGTH} characters.`;
  return /[<>]/.test(text) ? "Terms have no < and no >." : "";
}
