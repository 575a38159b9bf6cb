// The parts of an image's name: [registry/]path[:tag][@digest], by the rules of Docker.

export interface ImageReference {
  /** The name as it was written. */
  readonly name: string;
  /** Host and port, or "" where none is written: then Docker Hub is meant. */
  readonly registry: string;
  readonly path: string;
  readonly tag: string;
  readonly digest: string;
}

export type ReadReference =
  | { readonly kind: "reference"; readonly reference: ImageReference }
  | { readonly kind: "invalid"; readonly message: string };

const registryForm =
  /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)(?::\d+)?$/;
const pathForm =
  /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*$/;
const tagForm = /^\w[\w.-]{0,127}$/;
const digestForm = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** Docker Hub, by all its names. */
const dockerHub: ReadonlySet<string> = new Set([
  "",
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
]);

export function readReference(name: string): ReadReference {
  const [beforeDigest = "", ...digests] = name.split("@");
  const slash = beforeDigest.indexOf("/");
  const first = beforeDigest.slice(0, Math.max(slash, 0));
  const registry = isRegistry(first) ? first : "";
  const rest = registry === "" ? beforeDigest : beforeDigest.slice(slash + 1);
  const colon = rest.lastIndexOf(":");
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? "" : rest.slice(colon + 1);
  const digest = digests.join("@");

  if (path === "") return invalid("it has no name");
  if (registry !== "" && !registryForm.test(registry)) return invalid(`${registry} is no registry`);
  if (/[A-Z]/.test(path)) return invalid("names of images are in lower case");
  if (!pathForm.test(path)) return invalid(`${JSON.stringify(path)} is no name of an image`);
  if (colon >= 0 && !tagForm.test(tag)) return invalid(`${JSON.stringify(tag)} is no tag`);
  if (digests.length > 0 && !digestForm.test(digest)) {
    return invalid(`${JSON.stringify(digest)} is no digest`);
  }
  return { kind: "reference", reference: { name, registry, path, tag, digest } };
}

function invalid(message: string): ReadReference {
  return { kind: "invalid", message };
}

function isRegistry(first: string): boolean {
  return /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
}

/** The name with `:latest` where it says neither tag nor digest. */
export function fullName(reference: ImageReference): string {
  const { name, tag, digest } = reference;
  return tag === "" && digest === "" ? `${name}:latest` : name;
}

/** For Docker's official images what follows `library/`, tag and digest included; else undefined. */
export function officialName(reference: ImageReference): string | undefined {
  if (!dockerHub.has(reference.registry)) return undefined;
  const path = reference.path.replace(/^library\//, "");
  if (path.includes("/")) return undefined;
  const tag = reference.tag === "" ? "" : `:${reference.tag}`;
  const digest = reference.digest === "" ? "" : `@${reference.digest}`;
  return `${path}${tag}${digest}`;
}

/** The host that an image is pulled from, as credentials name it. */
export function registryHost(reference: ImageReference): string {
  return dockerHub.has(reference.registry) ? "docker.io" : reference.registry;
}

/** The names by which a service's image makes it known: slashes become `__`, and also `-`. */
export function serviceHostnames(reference: ImageReference): readonly string[] {
  const host = reference.registry.replace(/:\d+$/, "");
  const service = host === "" ? reference.path : `${host}/${reference.path}`;
  return [...new Set([service.replaceAll("/", "__"), service.replaceAll("/", "-")])];
}
