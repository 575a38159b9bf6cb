// Whose job a task is: for labels of containers, tags of tasks, and the cost reports made from those.

import type { Job } from "./job.ts";
import type { Settings } from "./settings.ts";

export interface LabelVariables {
  get(key: string): string;
  expand(text: string): string;
}

/** Empty ones are left out; the settings' own win. */
export function planLabels(
  job: Job,
  settings: Settings,
  variables: LabelVariables,
): Readonly<Record<string, string>> {
  const { job_info, git_info } = job;
  const own: Readonly<Record<string, string>> = {
    project: job_info.project_full_path || variables.get("CI_PROJECT_PATH"),
    pipeline: variables.get("CI_PIPELINE_ID") || textOf(job_info.pipeline_id),
    job: String(job.id),
    job_name: job_info.name,
    ref: git_info.ref,
    user: variables.get("GITLAB_USER_LOGIN"),
    runner: settings.name,
    environment: variables.get("CI_ENVIRONMENT_NAME"),
  };
  const configured = Object.entries(settings.container_labels).map(
    ([name, value]): [string, string] => [name, variables.expand(value)],
  );
  return Object.fromEntries(
    [...Object.entries(own), ...configured].filter(([, value]) => value !== ""),
  );
}

function textOf(id: number): string {
  return id === 0 ? "" : String(id);
}
