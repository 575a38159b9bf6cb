// `info`: how the runner introduces itself in every JSON call.

import { SettingsError } from "../core/errors.ts";
import { featuresOf, type ExecutorName, type Features } from "./features.ts";

export interface RunnerInfo {
  readonly name: string;
  readonly version: string;
  readonly revision: string;
  readonly platform: string;
  readonly architecture: string;
  readonly executor: string;
  readonly shell: string;
  readonly features: Features;
  readonly config: { readonly gpus: string };
  readonly labels?: Readonly<Record<string, string>>;
}

export interface RunnerIdentity {
  /** The version in package.json. */
  readonly version: string;
  readonly revision?: string;
  readonly executor: ExecutorName;
  readonly shell: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** As Node names them; those of this process where not given. */
  readonly platform?: string;
  readonly architecture?: string;
}

export function runnerInfo(identity: RunnerIdentity): RunnerInfo {
  const labels = checkedLabels(identity.labels ?? {});
  return {
    name: "gitlab-burst",
    version: identity.version,
    revision: identity.revision ?? "",
    platform: goPlatform(identity.platform ?? process.platform),
    architecture: goArchitecture(identity.architecture ?? process.arch),
    executor: identity.executor,
    shell: identity.shell,
    features: featuresOf(identity.executor),
    config: { gpus: "" },
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
  };
}

/** GitLab knows platforms and architectures by Go's names. */
function goPlatform(node: string): string {
  return node === "win32" ? "windows" : node;
}

function goArchitecture(node: string): string {
  const names: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le" };
  return names[node] ?? node;
}

const labelLimit = 32;
const labelKey = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{2,64}$/;
const labelValue = /^[a-zA-Z0-9._-]{1,256}$/;

function checkedLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(labels);
  if (entries.length > labelLimit) {
    throw new SettingsError(
      `${entries.length} labels are too many: GitLab takes ${labelLimit} at most.`,
    );
  }
  for (const [key, value] of entries) {
    if (!labelKey.test(key)) {
      throw new SettingsError(
        `The label name ${JSON.stringify(key)} is not possible: 3 to 65 letters, digits, dots, dashes or underscores, the first a letter, digit or underscore.`,
      );
    }
    if (!labelValue.test(value)) {
      throw new SettingsError(
        `The value ${JSON.stringify(value)} of label ${key} is not possible: 1 to 256 letters, digits, dots, dashes or underscores.`,
      );
    }
  }
  return labels;
}
