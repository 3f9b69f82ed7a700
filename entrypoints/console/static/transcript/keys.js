// @ts-check
/** Keys of the player: space or k, j, l and the arrows. */

const STEP_SECONDS = 5;
const FIELDS = "input, textarea, select, dialog";

/**
 * Handle a key, unless it belongs to a field or a button.
 *
 * @param {KeyboardEvent} event
 * @param {{toggle(): void, step(seconds: number): void}|null} player
 */
export function handleKey(event, player) {
  if (!player || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = /** @type {Element} */ (event.target);
  const action = actionOf(event.key, player);
  if (!action || target.closest(ownersOf(event.key))) return;
  event.preventDefault();
  action();
}

/**
 * @param {string} key
 * @param {{toggle(): void, step(seconds: number): void}} player
 */
function actionOf(key, player) {
  switch (key) {
    case " ":
    case "k":
      return () => player.toggle();
    case "j":
    case "ArrowLeft":
      return () => player.step(-STEP_SECONDS);
    case "l":
    case "ArrowRight":
      return () => player.step(STEP_SECONDS);
    default:
      return null;
  }
}

/**
 * Return a selector of the elements that use a key themselves.
 *
 * @param {string} key
 */
function ownersOf(key) {
  if (key === " ") return `${FIELDS}, button, summary, a`;
  return key.startsWith("Arrow") ? `${FIELDS}, [role=tablist], [role=slider]` : FIELDS;
}
