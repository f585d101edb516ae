// Asking the server. An answer is {kind, status, data}; kind says what to do next, whatever went wrong underneath.

const TIMEOUT = 12_000;
const KEEPALIVE_LIMIT = 30_000; // browsers refuse larger bodies on requests that outlive the page

const cookie = (name) => document.cookie.split("; ").find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";

// done · refused (the server will never take it) · conflict · expired (sign in again) · denied (one's role does not allow
// it now) · gone · away (try again later)
function kindOf(response) {
  if (response.type === "opaqueredirect" || response.status === 401 || response.status === 403) return "expired";
  if (response.status === 404) return "gone";
  if (response.status === 409) return "conflict";
  if (response.status >= 500 || response.status === 429 || response.status === 408) return "away";
  return response.ok ? "done" : "refused";
}

async function ask(url, options) {
  try {
    const response = await fetch(url, { credentials: "same-origin", redirect: "manual", signal: AbortSignal.timeout(TIMEOUT), ...options });
    const kind = kindOf(response);
    const json = response.headers.get("Content-Type")?.includes("json");
    const data = json ? await response.json() : null;
    if (response.status === 403 && data?.error) return { kind: "denied", status: 403, data };
    return { kind: kind === "done" && !json ? "expired" : kind, status: response.status, data };
  } catch {
    return { kind: "away", status: 0, data: null };
  }
}

export function post(url, body = {}) {
  const text = JSON.stringify(body);
  const headers = { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": cookie("csrftoken") };
  return ask(url, { method: "POST", headers, body: text, keepalive: text.length < KEEPALIVE_LIMIT });
}

export const get = (url) => ask(url, { headers: { Accept: "application/json" } });

/** A fragment of HTML that the server escaped, or null. */
export async function fragment(url) {
  try {
    const response = await fetch(url, { credentials: "same-origin", redirect: "manual", signal: AbortSignal.timeout(TIMEOUT) });
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
}
