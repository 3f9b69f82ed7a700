// @ts-check
/** Tabs by the pattern of the ARIA Authoring Practices: arrows move, Home and End go to the ends. */

import { html } from "../view.js";

/**
 * @param {Record<string, string>} names Text of each tab.
 * @param {string} chosen
 * @param {(name: string) => void} onChoose
 */
export function tabList(names, chosen, onChoose) {
  const keys = Object.keys(names);
  const move = (/** @type {KeyboardEvent} */ event) => {
    const next = nextOf(keys, chosen, event.key);
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    onChoose(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return html`<div class="tabs" role="tablist" aria-label="Form of the text" @keydown=${move}>
    ${keys.map(
      (key) => html`<button
        type="button"
        role="tab"
        id="tab-${key}"
        aria-selected=${key === chosen}
        aria-controls="panel"
        tabindex=${key === chosen ? 0 : -1}
        @click=${() => onChoose(key)}
      >
        ${names[key]}
      </button>`,
    )}
  </div>`;
}

/**
 * @param {string[]} keys
 * @param {string} chosen
 * @param {string} key
 */
function nextOf(keys, chosen, key) {
  const at = keys.indexOf(chosen);
  /** @type {Record<string, number>} */
  const targets = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: keys.length - 1 };
  const target = targets[key];
  return target === undefined ? null : keys[(target + keys.length) % keys.length];
}
