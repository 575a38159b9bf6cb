// The image of a container: which one, whether it may be used, how it is started, as whom, and when it is
// pulled. One set of rules for jobs and services.

import { matchesPattern } from "./image-pattern.ts";
import { readReference } from "./image-reference.ts";
import type { ImageReference } from "./image-reference.ts";
import { rewriteImage } from "./image-rewrite.ts";
import { doubtful, tooLong, unrunnable } from "./image-unrunnable.ts";
import type { ContainerExecutor } from "./image-unrunnable.ts";
import { refusal } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import type { PullPolicy } from "./settings-container.ts";
import type { Settings } from "./settings.ts";

export interface ImageContext {
  readonly executor: ContainerExecutor;
  readonly settings: Settings;
  /** Puts the job's variables into a text. */
  readonly expand: (text: string) => string;
}

/** What a payload says about an image: the same for jobs and services. */
export interface ImageWish {
  readonly name: string;
  readonly entrypoint?: readonly string[] | undefined;
  readonly pull_policy: readonly string[];
  readonly executor_opts?: ExecutorOptions | null | undefined;
}

export interface ExecutorOptions {
  readonly docker?:
    | { readonly platform: string; readonly user: string; readonly [key: string]: unknown }
    | null
    | undefined;
  readonly kubernetes?: Readonly<Record<string, unknown>> | null | undefined;
}

export interface PlannedImage {
  readonly kind: "image";
  /** The name as the job has it, variables put in. */
  readonly requested: ImageReference;
  /** The name to pull. */
  readonly image: ImageReference;
  /** undefined: the image's own; empty: none. */
  readonly entrypoint: readonly string[] | undefined;
  /** "": the image's own. */
  readonly user: string;
  /** "": the machine's own. */
  readonly platform: string;
  /** To be tried in this order. */
  readonly pullPolicies: readonly PullPolicy[];
  readonly warnings: readonly string[];
}

/** The job's image, or the settings' where it names none. */
export function planJobImage(wish: ImageWish, context: ImageContext): PlannedImage | Refusal {
  const usual = context.expand(context.settings.image);
  const named = wish.name === "" ? usual : context.expand(wish.name);
  if (wish.name === "" && usual === "") {
    return refusal(
      "The job names no image, and its runner has none for such jobs. Write `image:` into .gitlab-ci.yml, " +
        "or set `image` in the runner's settings",
    );
  }
  const { allowed_images } = context.settings;
  if (named !== usual) {
    const refused = refuseDisallowed(named, allowed_images, "image", "allowed_images");
    if (refused !== undefined) return refused;
  }
  return planImage({ ...wish, name: named }, "image", context);
}

/** An image whose name is final. `what` is the keyword it stands under. */
export function planImage(
  wish: ImageWish,
  what: "image" | "service",
  context: ImageContext,
): PlannedImage | Refusal {
  const { executor, settings } = context;
  const unknown = unknownOptions(wish.executor_opts);
  if (unknown !== undefined) return refuseOptions(what, unknown);
  const requested = readReference(wish.name);
  if (requested.kind === "invalid") return refuseName(what, wish.name, requested.message);
  const rewritten =
    executor === "fargate" ? rewriteImage(requested.reference, settings) : wish.name;
  const image = readReference(rewritten);
  if (image.kind === "invalid") return refuseName(what, rewritten, image.message);
  const obstacle =
    unrunnable(requested.reference, what, executor) ??
    unrunnable(image.reference, what, executor) ??
    (executor === "fargate" ? tooLong(image.reference) : undefined);
  if (obstacle !== undefined) return refusal(`The ${what} ${obstacle}`);

  const pull = effectivePullPolicies(wish, what, settings);
  if (pull.kind === "refusal") return pull;
  const user = chooseUser(wish, what, context);
  if (user.kind === "refusal") return user;
  const entrypoint = chooseEntrypoint(wish.entrypoint, settings);
  const warnings = [doubtful(requested.reference, executor), entrypoint.warning];
  if (executor === "fargate" && pull.policies.every((policy) => policy === "never")) {
    warnings.push(
      `The pull policy "never" means nothing on Fargate, which pulls every image anew: ${rewritten}`,
    );
  }
  return {
    kind: "image",
    requested: requested.reference,
    image: image.reference,
    entrypoint: entrypoint.words,
    user: user.name,
    platform: context.expand(wish.executor_opts?.docker?.platform ?? ""),
    pullPolicies: pull.policies,
    warnings: warnings.filter((warning) => warning !== undefined),
  };
}

function refuseName(what: string, name: string, message: string): Refusal {
  return refusal(
    `The ${what} ${JSON.stringify(name)} cannot be the name of an image: ${message}. ` +
      "Right would be, for example, ruby:3.3 or registry.example.com/group/image:tag",
  );
}

/** No list allows everything. */
export function refuseDisallowed(
  name: string,
  allowed: readonly string[],
  what: "image" | "service",
  setting: "allowed_images" | "allowed_services",
): Refusal | undefined {
  if (allowed.length === 0 || allowed.some((pattern) => matchesPattern(pattern, name)))
    return undefined;
  return refusal(
    `The ${what} ${name} is not one that this runner allows: ${allowed.join(", ")}. ` +
      `Use one of those, or have ${setting} in the runner's settings widened`,
  );
}

/** Options that no runner knows, in the words of GitLab's documentation; undefined where all are known. */
export function unknownOptions(options: object | null | undefined): string | undefined {
  const known: Readonly<Record<string, readonly string[]>> = {
    docker: ["platform", "user"],
    kubernetes: ["user"],
  };
  for (const [executor, settings] of Object.entries(options ?? {})) {
    const keys = known[executor];
    if (keys === undefined) return `${executor}; known are docker and kubernetes`;
    const extra = Object.keys(settings ?? {}).filter((key) => !keys.includes(key));
    if (extra.length > 0) return `${executor}:${extra.join(", ")}; known are ${keys.join(" and ")}`;
  }
  return undefined;
}

/** GitLab Runner ends such a job with exit code 3. */
export function refuseOptions(what: string, unknown: string): Refusal {
  return refusal(
    `The ${what} has options that are not known: ${unknown}`,
    "runner_system_failure",
    3,
  );
}

function chooseEntrypoint(words: readonly string[] | undefined, settings: Settings) {
  if (words === undefined || words.length === 0) return { words: undefined, warning: undefined };
  if (settings.disable_entrypoint_overwrite) {
    const warning = "The entrypoint is not replaced: the runner's settings do not allow it";
    return { words: undefined, warning };
  }
  return { words: words.every((word) => word === "") ? [] : words, warning: undefined };
}

type Pull = { readonly kind: "pull"; readonly policies: readonly PullPolicy[] } | Refusal;

/** The job's list, else the settings', as far as the settings allow them. */
function effectivePullPolicies(wish: ImageWish, what: string, settings: Settings): Pull {
  const { pull_policy, allowed_pull_policies } = settings;
  const usual = pull_policy.length === 0 ? (["always"] as const) : pull_policy;
  const allowed = allowed_pull_policies.length === 0 ? usual : allowed_pull_policies;
  const wanted: readonly string[] = wish.pull_policy.length === 0 ? usual : wish.pull_policy;
  const policies = wanted.flatMap((policy) => allowed.filter((one) => one === policy));
  if (policies.length > 0) return { kind: "pull", policies: [...new Set(policies)] };
  const whose =
    wish.pull_policy.length === 0 ? "the runner's settings" : `the ${what} ${wish.name}`;
  return refusal(
    `pull_policy ${wanted.join(", ")} of ${whose} is not one that this runner allows: ${allowed.join(", ")}`,
  );
}

type User = { readonly kind: "user"; readonly name: string } | Refusal;

/** The settings' user beats the job's; services run as the job says. */
function chooseUser(wish: ImageWish, what: "image" | "service", context: ImageContext): User {
  const { user, allowed_users } = context.settings;
  if (what === "image" && user !== "") return { kind: "user", name: user };
  const name = context.expand(wish.executor_opts?.docker?.user ?? "");
  if (name === "" || allowed_users.length === 0 || allowed_users.includes(name)) {
    return { kind: "user", name };
  }
  return refusal(
    `The user ${JSON.stringify(name)} of the ${what} ${wish.name} is not one that this runner allows: ` +
      allowed_users.join(", "),
  );
}
