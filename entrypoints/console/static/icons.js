// @ts-check
/** The few icons; texts beside them say the same. */

import { html } from "./view.js";

const PATHS = {
  play: "M7 4.5v15l12-7.5z",
  pause: "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z",
  warning: "M12 3 1.5 21h21zM11 10h2v5h-2zm0 6.5h2v2h-2z",
  check: "m9.5 17.6-5-5L6 11l3.5 3.500L18 6l1.500 1.600z",
};

/** @param {keyof typeof PATHS} name */
export function icon(name) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path fill-rule="evenodd" d=${PATHS[name]}></path></svg>`;
}

/**
 * Make an icon without a template, for long lists.
 *
 * @param {keyof typeof PATHS} name
 */
export function iconElement(name) {
  const space = "http://www.w3.org/2000/svg";
  const element = document.createElementNS(space, "svg");
  element.setAttribute("class", "icon");
  element.setAttribute("viewBox", "0 0 24 24");
  element.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("fill-rule", "evenodd");
  path.setAttribute("d", PATHS[name]);
  element.append(path);
  return element;
}
