// Which keywords there are: supported, accepted without effect, or refused with advice. A table.

/** Keywords at the top level of the file. */
export const FILE_KEYWORDS: readonly string[] = [
  "stages",
  "default",
  "variables",
  "workflow",
  "include",
];

/** Old places of defaults: GitLab still reads them at the top level. */
export const OLD_DEFAULT_KEYWORDS = [
  "image",
  "services",
  "before_script",
  "after_script",
  "cache",
] as const;

export const DEFAULT_KEYWORDS = [
  ...OLD_DEFAULT_KEYWORDS,
  "artifacts",
  "hooks",
  "retry",
  "tags",
  "timeout",
  "interruptible",
] as const;

export const JOB_KEYWORDS = [
  "script",
  "before_script",
  "after_script",
  "stage",
  "image",
  "services",
  "variables",
  "artifacts",
  "cache",
  "dependencies",
  "needs",
  "tags",
  "when",
  "allow_failure",
  "timeout",
  "retry",
  "parallel",
  "rules",
  "extends",
  "hooks",
  "inherit",
  "interruptible",
  "coverage",
  "manual_confirmation",
] as const;

/** What GitLab does with them has no bearing on what a runner runs. */
export const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  interruptible: "no pipeline makes another one redundant here.",
  coverage: "the log is not searched for a coverage figure.",
  manual_confirmation: "it only concerns GitLab's pages.",
};

export const REFUSED_IN_FILE: Readonly<Record<string, string>> = {
  types: "write stages instead.",
  spec: "pipelines have no inputs here; write the values into the file.",
  pages: "there are no Pages here; give the job another name and keep public/ as an artifact.",
};

export const REFUSED_IN_JOB: Readonly<Record<string, string>> = {
  only: 'write rules instead, such as rules: [{if: $CI_COMMIT_BRANCH == "main"}].',
  except: "write rules instead, such as rules: [{if: ..., when: never}, {when: on_success}].",
  trigger: "there are no downstream pipelines; run the work in a job with a script.",
  environment: "there are no environments or deployments; set what the script needs in variables.",
  release: "there are no releases; keep the files as artifacts.",
  pages: "there are no Pages; keep public/ as an artifact.",
  publish: "there are no Pages; keep public/ as an artifact.",
  resource_group: "jobs are not kept from running at the same time; put them into two stages.",
  start_in: "delayed jobs are not supported; write when: manual, or no when at all.",
  secrets: "there is no secret store to ask; set the value in variables.",
  id_tokens: "no ID tokens are issued.",
  identity: "no identity tokens are issued.",
  run: "CI steps are not supported; write script.",
  inputs: "jobs have no inputs here; use variables.",
  type: "write stage instead.",
  dast_configuration: "there are no DAST profiles.",
};

/** Names that no job may have. */
export const RESERVED_NAMES: readonly string[] = ["true", "false", "nil", "pages:deploy"];
