// Where a redirect leads, and whether a token may go along.

/** The address in a `Location` header; undefined where it is none that HTTP can follow. */
export function redirectTarget(location: string | undefined, from: URL): URL | undefined {
  if (location === undefined || !URL.canParse(location, from.href)) return undefined;
  const target = new URL(location, from);
  return target.protocol === "http:" || target.protocol === "https:" ? target : undefined;
}

/** The same host and port, or the step from plain http to https on the default ports. */
export function isSameHost(gitlab: URL, target: URL): boolean {
  if (gitlab.origin === target.origin) return true;
  const upgrades = gitlab.protocol === "http:" && target.protocol === "https:";
  return (
    upgrades && gitlab.hostname === target.hostname && gitlab.port === "" && target.port === ""
  );
}
