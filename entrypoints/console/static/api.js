// @ts-check
/** Requests to the API, and its problems in words. */

/** Name of the event on `document` that tells of an answer 401. */
export const UNAUTHENTICATED = "console:unauthenticated";
const NO_CONTENT = 204;

/** Failure of a request: what failed, and what to do. */
export class Problem extends Error {
  /**
   * @param {string} title
   * @param {string} detail
   * @param {{status?: number, type?: string, retryAfter?: number|null}} [more]
   */
  constructor(title, detail, { status = 0, type = "", retryAfter = null } = {}) {
    super(`${title}: ${detail}`);
    this.title = title;
    this.detail = detail;
    this.status = status;
    this.name = type.split(":").pop() ?? "";
    this.retryAfter = retryAfter;
  }
}

/**
 * Build the address of a path of the API, below the same root as the console.
 *
 * @param {string} path
 * @param {Record<string, string|number|boolean|null|undefined>} [query]
 */
export function apiUrl(path, query = {}) {
  const url = new URL(`../${path}`, document.baseURI);
  url.hash = "";
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  return url.href;
}

/**
 * Send a request; the session's cookie says who asks.
 *
 * @param {string} path
 * @param {{method?: string, query?: Record<string, string|number|boolean|null|undefined>, accept?: string, json?: unknown, headers?: Record<string, string>}} [options]
 * @returns {Promise<Response>}
 */
export async function send(path, { method = "GET", query, accept = "application/json", json, headers } = {}) {
  const response = await answered(apiUrl(path, query), {
    method,
    headers: { Accept: accept, ...(json === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
    body: json === undefined ? undefined : JSON.stringify(json),
    cache: "no-store",
  });
  if (response.ok) return response;
  throw problemFrom(response.status, response.headers.get("Content-Type"), await response.text(), response.headers.get("Retry-After"));
}

/**
 * Send a request and read the JSON of its answer; null where the answer is empty.
 *
 * @template T
 * @param {string} path
 * @param {Parameters<typeof send>[1]} [options]
 * @returns {Promise<T>}
 */
export async function fetchJson(path, options) {
  const response = await send(path, options);
  try {
    return response.status === NO_CONTENT ? null : await response.json();
  } catch {
    throw new Problem("The answer cannot be read", "A proxy before the service may have sent a page of its own. Reload this page.");
  }
}

/**
 * @param {string} url
 * @param {RequestInit} init
 */
async function answered(url, init) {
  try {
    return await fetch(url, init);
  } catch {
    throw new Problem("The service did not answer", "Check the connection, then try again.");
  }
}

/**
 * Describe an answer that is an error: a problem of the service, or a page of a proxy before it.
 *
 * @param {number} status
 * @param {string|null} contentType
 * @param {string} body
 * @param {string|null} retryAfter
 */
export function problemFrom(status, contentType, body, retryAfter) {
  if (status === 401) document.dispatchEvent(new CustomEvent(UNAUTHENTICATED));
  const seconds = retryAfter && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
  const known = /json/.test(contentType ?? "") ? readProblem(body) : null;
  if (known?.title) {
    return new Problem(known.title, known.detail ?? "", { status, type: known.type, retryAfter: seconds });
  }
  const [title, detail] = ofProxy(status);
  return new Problem(title, detail, { status, retryAfter: seconds });
}

/**
 * @param {string} body
 * @returns {import("./types.js").ProblemBody|null}
 */
function readProblem(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/**
 * @param {number} status
 * @returns {[string, string]}
 */
function ofProxy(status) {
  if (status === 413) {
    return [
      "A proxy before the service refuses files of this size",
      "Ask the operator of the proxy to raise its limit for request bodies, or send a smaller file.",
    ];
  }
  if (status >= 502 && status <= 504) {
    return ["The service cannot be reached", `A proxy before it answered ${status}. Try again in a minute.`];
  }
  return [`The request was answered with ${status}`, "The answer does not say why. The log of the service or of its proxy may."];
}

/**
 * Turn what was thrown into a problem.
 *
 * @param {unknown} error
 * @returns {Problem}
 */
export function asProblem(error) {
  if (error instanceof Problem) return error;
  return new Problem("The page has a defect", error instanceof Error ? error.message : String(error));
}
