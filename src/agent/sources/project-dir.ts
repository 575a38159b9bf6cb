// Where a job's project lies below builds_dir. Pure: looks at no disk.

import { isAbsolute, join, normalize, posix, relative } from "node:path";
import { RunnerError } from "../../core/errors.ts";
import type { Job } from "../../core/job.ts";
import type { GitStrategy } from "./strategy.ts";
import { decodeUrlPart } from "./url-part.ts";

export type BuildsLayout =
  /** The folder is this job's alone: `<builds_dir>/<namespace>/<project>`. */
  | { readonly kind: "docker" }
  /** Shared with other runners and jobs of one machine. */
  | {
      readonly kind: "shared";
      readonly shortToken: string;
      readonly concurrentProjectId: number;
    };

export interface ProjectDirInput {
  readonly job: Job;
  readonly buildsDir: string;
  readonly layout: BuildsLayout;
  readonly strategy: GitStrategy;
  /** GIT_CLONE_PATH, expanded; "" if not set. */
  readonly clonePath: string;
  /** custom_build_dir of the settings. */
  readonly clonePathAllowed: boolean;
}

export function resolveProjectDir(input: ProjectDirInput): string {
  const { buildsDir, layout, clonePath } = input;
  if (clonePath !== "") return checkedClonePath(input);
  const project = projectPath(input.job) + (input.strategy === "empty" ? "-empty" : "");
  if (layout.kind === "docker") return join(buildsDir, project);
  return join(buildsDir, layout.shortToken, String(layout.concurrentProjectId), project);
}

function checkedClonePath({ buildsDir, clonePath, clonePathAllowed }: ProjectDirInput): string {
  if (!clonePathAllowed) {
    throw new RunnerError(
      "runner_configuration_error",
      "setting GIT_CLONE_PATH is not allowed, enable `custom_build_dir` feature",
    );
  }
  const below = relative(buildsDir, clonePath);
  const outside = below === ".." || below.startsWith("../");
  // builds_dir itself is refused too: strategy clone removes the folder, with all other projects.
  if (!isAbsolute(clonePath) || outside || below === "") {
    throw new RunnerError(
      "runner_configuration_error",
      `the GIT_CLONE_PATH=${JSON.stringify(clonePath)} has to be within ${JSON.stringify(buildsDir)}`,
    );
  }
  return normalize(clonePath).replace(/\/+$/, "");
}

/** The path of the repository's URL, as in GitLab's own: with a relative URL root if there is one. */
function projectPath(job: Job): string {
  const fallback = `project-${String(job.job_info.project_id)}`;
  const url = job.git_info.repo_url.reveal();
  if (!URL.canParse(url)) return fallback;
  const { host, pathname } = new URL(url);
  const path = posix.normalize(decodeUrlPart(pathname).replace(/\.git$/, ""));
  if (host === "" || path === "/" || path === "." || /\.\.|\0/.test(path)) return fallback;
  return path;
}
