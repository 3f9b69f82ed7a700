// @ts-check
/** Base of the elements, and templates that several views use. */

import { LitElement, html, nothing } from "./vendor/lit-element.js";
import { visible } from "./format.js";

export { LitElement, html, nothing, render, svg } from "./vendor/lit-element.js";
export { repeat } from "./vendor/directives/repeat.js";

/** Element in light DOM; `follows` are stores whose event `change` renders it again. */
export class View extends LitElement {
  /** @type {EventTarget[]} */
  follows = [];
  #update = () => this.requestUpdate();

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    for (const store of this.follows) store.addEventListener("change", this.#update);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    for (const store of this.follows) store.removeEventListener("change", this.#update);
  }
}

/**
 * Show a problem; assistive technology reads it at once.
 *
 * @param {{title?: string, detail?: string}|null|undefined} problem
 * @param {unknown} [action]
 */
export function problemBox(problem, action = nothing) {
  if (!problem) return nothing;
  return html`<div class="note bad" role="alert">
    <p><strong>${visible(problem.title ?? "")}</strong></p>
    ${problem.detail ? html`<p>${visible(problem.detail)}</p>` : nothing} ${action}
  </div>`;
}

/** @param {string} text */
export function loading(text) {
  return html`<p class="quiet loading" role="status">${text}</p>`;
}

/**
 * Title of a view, which takes the focus after navigation.
 *
 * @param {unknown} text
 */
export function title(text) {
  return html`<h1 tabindex="-1">${text}</h1>`;
}

/**
 * Show a time, with the exact one in its `datetime`.
 *
 * @param {string|null|undefined} iso
 * @param {string} text
 */
export function time(iso, text) {
  return iso ? html`<time datetime=${iso}>${text}</time>` : html`${text}`;
}

/**
 * Cell of a table; `label` names it where the table is stacked.
 *
 * @param {string} label
 * @param {unknown} content
 */
export function cell(label, content) {
  return html`<td data-label=${label}><div>${content}</div></td>`;
}
