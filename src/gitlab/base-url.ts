// From the URL a person configures to the one every call starts with: `<url>/api/v4/`.

import { SettingsError } from "../core/errors.ts";

/** `https://host/gitlab/ci/` and `https://host/gitlab` both give `https://host/gitlab/api/v4/`. */
export function apiUrl(configured: string): URL {
  const text = configured.trim();
  if (text === "") {
    throw new SettingsError("GitLab's URL is empty: give one like https://gitlab.example.com.");
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new SettingsError(
      `GitLab's URL ${quoted(text)} is not a URL: give one like https://gitlab.example.com.`,
    );
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new SettingsError(
      `GitLab's URL ${quoted(text)} begins with ${quoted(url.protocol)}: only http: and https: are possible.`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new SettingsError(
      `GitLab's URL for ${url.host} holds a user name or password: leave them out, the runner signs in with its token.`,
    );
  }
  const path = url.pathname.replace(/\/+$/, "").replace(/\/ci$/, "").replace(/\/+$/, "");
  return new URL(`${url.origin}${path}/api/v4/`);
}

/** What was typed, short enough for one line and without what might be a password before an `@`. */
function quoted(text: string): string {
  const shown = text.replace(/^([^/]*\/\/)?[^/]*@/, "$1…@");
  return JSON.stringify(shown.length > 100 ? `${shown.slice(0, 100)}…` : shown);
}
