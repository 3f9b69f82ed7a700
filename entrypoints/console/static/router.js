// @ts-check
/** Routes in the address behind `#`, such as `#/jobs?state=failed` and `#/jobs/<id>`. */

/**
 * @typedef {object} Route
 * @property {string} view
 * @property {string} id
 * @property {URLSearchParams} query
 */

/**
 * @param {string} hash
 * @returns {Route}
 */
export function parseRoute(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [name, id = ""] = path.split("/");
  const view = name === "jobs" && id ? "transcript" : name || "upload";
  return { view, id: safeDecode(id), query: new URLSearchParams(query) };
}

/** @param {string} text */
function safeDecode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Change parameters of the present address, without those that are empty; the view stays.
 *
 * @param {Record<string, string>} changes
 */
export function changeQuery(changes) {
  const [path, query = ""] = location.hash.split("?", 2);
  const parameters = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) parameters.set(name, value);
    else parameters.delete(name);
  }
  location.hash = [path || "#/upload", parameters.toString()].filter(Boolean).join("?");
}
