// Masks tokens by how they begin: `glpat-abc` becomes `glpat-[MASKED]`.

import type { ByteFilter } from "./byte-filter.ts";
import { maskedRunFilter } from "./masked-run.ts";

const personalAccessToken = "glpat-";

const otherDefaults = [
  "gloas-",
  "gldt-",
  "glrt-",
  "glcbt-",
  "glrtr-",
  "glptt-",
  "glft-",
  "glimt-",
  "glagent-",
  "glsoat-",
  "glffct-",
  "_gitlab_session=",
  "gltok-",
];

/** As many as the official runner looks for. */
const mostPrefixes = 15;

const tokenBytes = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z0-9\-._=]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/** The prefixes of a job: `extra` from its payload, the rest of GitLab's own with FF_MASK_ALL_DEFAULT_TOKENS. */
export function jobTokenPrefixes(
  extra: readonly string[],
  maskAllDefaultTokens: boolean,
): readonly string[] {
  return usedPrefixes([...extra, ...(maskAllDefaultTokens ? otherDefaults : [])]);
}

export function createTokenPrefixMask(prefixes: readonly string[]): ByteFilter {
  return maskedRunFilter({
    leads: usedPrefixes(prefixes),
    anyCase: false,
    runBytes: tokenBytes,
    masksEmptyRuns: false,
  })();
}

/** Always with `glpat-`; of too many, the shortest. */
function usedPrefixes(prefixes: readonly string[]): readonly string[] {
  const distinct = new Set([personalAccessToken, ...prefixes.map((prefix) => prefix.trim())]);
  distinct.delete("");
  return [...distinct].toSorted(shortestFirst).slice(0, mostPrefixes);
}

function shortestFirst(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}
