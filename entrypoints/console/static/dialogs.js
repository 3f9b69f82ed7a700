// @ts-check
/** Questions before actions that cannot be undone. */

import { html, nothing, render } from "./view.js";

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {unknown} body
 * @property {string} action Text of the button.
 * @property {string} [typed] What must be typed before the button works.
 */

/**
 * Ask in a modal dialog; Escape means no.
 *
 * @param {Question} question
 * @returns {Promise<boolean>}
 */
export function ask(question) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "dialog-title");
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    draw(dialog, question, "");
    dialog.showModal();
  });
}

/**
 * @param {HTMLDialogElement} dialog
 * @param {Question} question
 * @param {string} typed
 */
function draw(dialog, question, typed) {
  const isReady = !question.typed || typed.trim() === question.typed;
  const confirm = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (isReady) dialog.close("yes");
  };
  render(
    html`<form @submit=${confirm}>
      <h2 id="dialog-title">${question.title}</h2>
      ${question.body} ${question.typed ? typedField(question.typed, (text) => draw(dialog, question, text)) : nothing}
      <div class="row end">
        <button type="button" @click=${() => dialog.close("")}>Keep as it is</button>
        <button class="danger" ?disabled=${!isReady}>${question.action}</button>
      </div>
    </form>`,
    dialog,
  );
}

/**
 * @param {string} expected
 * @param {(text: string) => void} onInput
 */
function typedField(expected, onInput) {
  return html`<label for="dialog-typed">Type <kbd>${expected}</kbd> to confirm</label>
    <input
      id="dialog-typed"
      autocomplete="off"
      autocapitalize="off"
      spellcheck="false"
      @input=${(/** @type {Event} */ event) => onInput(/** @type {HTMLInputElement} */ (event.target).value)}
    />`;
}
