// Settings whose values may open a door: environment variables and registry logins. No complaint about
// them shows a value.

import * as z from "zod";
import { Secret } from "./secret.ts";
import { expected, refuse } from "./settings-field.ts";

const lineForm = /^\s*[A-Za-z_][A-Za-z0-9_]*=/;
const scalar = z.union([z.string(), z.number(), z.boolean()], expected("a text"));

/** "KEY=value", as config.toml lists them; a map is easier on the eye, and becomes such a list. */
export function environment(description: string) {
  return z
    .union(
      [z.array(z.string()), z.record(z.string(), scalar)],
      expected('a list of "KEY=value" or a map of texts'),
    )
    .transform((input, context) => {
      const lines = Array.isArray(input)
        ? input
        : Object.entries(input).map(([key, value]) => `${key}=${value}`);
      const wrong = lines.findIndex((line) => !lineForm.test(line));
      if (wrong < 0) return lines.map((line) => line.trimStart());
      const rule = "a name of letters, digits and underscores that begins with no digit";
      return refuse(
        context,
        undefined,
        `item ${wrong + 1}: expected "KEY=value", KEY being ${rule}`,
      );
    })
    .prefault([])
    .describe(description);
}

const registryLogins = z.looseObject({ auths: z.record(z.string(), z.looseObject({})) });

/** A docker config.json, as its text or as a map; kept as its text. */
export function registryAuth(description: string) {
  const what = 'a docker config.json: {"auths": {"registry.example.com": {"auth": "…"}}}';
  return z
    .union([z.string(), z.record(z.string(), z.unknown())], expected(what))
    .transform((input, context) => {
      if (input === "") return new Secret("");
      const json = typeof input === "string" ? input : JSON.stringify(input);
      const parsed = registryLogins.safeParse(parseJson(json));
      return parsed.success ? new Secret(json) : refuse(context, undefined, `expected ${what}`);
    })
    .prefault("")
    .describe(description);
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
