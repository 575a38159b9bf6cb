// Which login an image is pulled with. The logins come from the runner's settings, from the job's variable
// DOCKER_AUTH_CONFIG (both docker config.json files) and from GitLab's payload; the first source that knows
// the image's registry is used.

import * as z from "zod";
import { registryHost } from "./image-reference.ts";
import type { ImageReference } from "./image-reference.ts";
import type { ContainerExecutor } from "./image-unrunnable.ts";
import type { Job } from "./job.ts";
import { Secret } from "./secret.ts";

export type LoginSource = "settings" | "DOCKER_AUTH_CONFIG" | "job";

export type RegistryLogin =
  /** Amazon's own registry: the task's execution role opens it. */
  | { readonly kind: "ecr" }
  | {
      readonly kind: "login";
      readonly registry: string;
      readonly source: LoginSource;
      readonly username: string;
      readonly password: Secret;
    };

interface KnownLogin {
  /** Host, or host and the beginning of a path. */
  readonly place: string;
  readonly username: string;
  readonly password: Secret;
}

export interface Logins {
  readonly find: (image: ImageReference) => RegistryLogin | undefined;
  readonly warnings: readonly string[];
}

export interface LoginInput {
  readonly executor: ContainerExecutor;
  /** `registry_auth` of the settings. */
  readonly registryAuth: Secret;
  /** The job's DOCKER_AUTH_CONFIG, or "". */
  readonly dockerAuthConfig: string;
  readonly credentials: Job["credentials"];
}

/**
 * GitLab's order is the job's variable, the runner, the payload. On Fargate every login that is not the
 * runner's costs a secret and a task definition of its own, so there the runner's come first.
 */
export function collectLogins(input: LoginInput): Logins {
  const settings = readConfig(input.registryAuth.reveal());
  const variable = readConfig(input.dockerAuthConfig);
  const payload = input.credentials
    .filter(({ type }) => type === "registry")
    .map(({ url, username, password }) => ({ place: placeOf(url), username, password }));
  const [first, second]: readonly LoginSource[] =
    input.executor === "fargate"
      ? ["settings", "DOCKER_AUTH_CONFIG"]
      : ["DOCKER_AUTH_CONFIG", "settings"];
  const known: Readonly<Record<LoginSource, readonly KnownLogin[]>> = {
    settings: settings ?? [],
    DOCKER_AUTH_CONFIG: variable ?? [],
    job: payload,
  };
  return {
    find: (image) => {
      if (input.executor === "fargate" && isEcr(image.registry)) return { kind: "ecr" };
      for (const source of [first, second, "job"] as const) {
        const login = source === undefined ? undefined : nearestLogin(known[source], image);
        if (source === undefined || login === undefined) continue;
        const { username, password } = login;
        return { kind: "login", registry: registryHost(image), source, username, password };
      }
      return undefined;
    },
    warnings:
      variable === undefined
        ? [
            'DOCKER_AUTH_CONFIG is left out: it is no docker config.json, {"auths": {…}}. It must be a variable of type Variable, not File',
          ]
        : [],
  };
}

function isEcr(registry: string): boolean {
  return /^\d{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$/.test(
    registry,
  );
}

/** The login for the longest beginning of the image's path. */
function nearestLogin(
  logins: readonly KnownLogin[],
  image: ImageReference,
): KnownLogin | undefined {
  const full = `${registryHost(image)}/${image.path}`;
  const fitting = logins.filter(({ place }) => full === place || full.startsWith(`${place}/`));
  return fitting.toSorted((left, right) => right.place.length - left.place.length)[0];
}

const entry = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
});
const config = z.looseObject({ auths: z.record(z.string(), entry) });

/** The logins of a docker config.json; undefined where the text is none. */
function readConfig(json: string): readonly KnownLogin[] | undefined {
  if (json.trim() === "") return [];
  const parsed = config.safeParse(parseJson(json));
  if (!parsed.success) return undefined;
  return Object.entries(parsed.data.auths).flatMap(([place, { auth, username, password }]) => {
    const login = auth === undefined || auth === "" ? undefined : decode(auth);
    if (login !== undefined) return [{ place: placeOf(place), ...login }];
    if (username === undefined || password === undefined) return [];
    return [{ place: placeOf(place), username, password: new Secret(password) }];
  });
}

function decode(auth: string) {
  try {
    const bytes = Uint8Array.from(atob(auth), (character) => character.charCodeAt(0));
    const [username = "", ...rest] = new TextDecoder().decode(bytes).split(":");
    if (rest.length === 0) return undefined;
    return { username, password: new Secret(rest.join(":")) };
  } catch {
    return undefined;
  }
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Without scheme and the API's version; Docker Hub under its one name. */
function placeOf(written: string): string {
  const place = written
    .replace(/^https?:\/\//i, "")
    .replace(/\/+$/, "")
    .replace(/\/v[12]$/, "");
  return place.replace(/^(?:index\.docker\.io|registry-1\.docker\.io)(?=\/|$)/, "docker.io");
}
