// @ts-check
/** Messages about changes: shown for some seconds, and read politely by assistive technology. */

const SHOWN_MILLISECONDS = 6000;
/** @type {ReturnType<typeof setTimeout>|undefined} */
let timer;

/** @param {string} text */
export function announce(text) {
  const region = document.getElementById("status");
  if (!region) return;
  region.textContent = text;
  clearTimeout(timer);
  timer = setTimeout(() => (region.textContent = ""), SHOWN_MILLISECONDS);
}
