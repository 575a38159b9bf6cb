// From where to fetch, and to whom the job's token may be shown. Pure. Nothing made here but `password`
// holds a token: addresses go into .git/config and onto command lines (`git remote-https …`) that
// every user of the machine can list.

import { posix } from "node:path";
import { RunnerError } from "../../core/errors.ts";
import type { Job } from "../../core/job.ts";
import { Secret } from "../../core/secret.ts";
import type { Vars } from "./source-variables.ts";
import { decodeUrlPart } from "./url-part.ts";

export interface RepositoryAccess {
  /** The remote's address, without credentials. */
  readonly remoteUrl: string;
  /** `https://gitlab.example.com[:port]`: these, and only these, are given the credentials. */
  readonly origins: readonly string[];
  readonly user: string;
  readonly password: Secret;
  /** Addresses that begin with `from` are fetched as if they began with `to`. */
  readonly rewrites: readonly { readonly from: string; readonly to: string }[];
}

export interface AccessInput {
  readonly job: Job;
  readonly variables: Vars;
  /** `clone_url` of the settings: another address for the same GitLab. */
  readonly cloneUrl?: string | undefined;
  /** GIT_SUBMODULE_FORCE_HTTPS. */
  readonly forceHttps: boolean;
}

export function repositoryAccess(input: AccessInput): RepositoryAccess {
  const { job, variables } = input;
  const repository = parsed(job.git_info.repo_url.reveal(), "the job's git_info.repo_url");
  const clone = input.cloneUrl ? parsed(input.cloneUrl, "clone_url of the settings") : undefined;
  const server = optional(variables.get("CI_SERVER_URL"));
  const remote = clone === undefined ? repository : projectBelow(clone, job, variables);
  const remoteUrl = withoutCredentials(remote);
  return {
    remoteUrl,
    origins: [...new Set([remote, server, repository].flatMap(httpOrigin))],
    user: repository.password === "" ? "gitlab-ci-token" : decodeUrlPart(repository.username),
    password:
      repository.password === "" ? job.token : new Secret(decodeUrlPart(repository.password)),
    rewrites: [
      // To itself: being the longest match, it wins over a rewrite in the machine user's own
      // configuration (https to ssh, say), which has no key for this job.
      { from: remoteUrl, to: remoteUrl },
      ...(input.forceHttps ? sshRewrites(clone ?? server ?? repository, variables) : []),
    ],
  };
}

function parsed(text: string, what: string): URL {
  if (URL.canParse(text)) return new URL(text);
  throw new RunnerError(
    "runner_configuration_error",
    `${what} is not a URL of the form https://host/path (its value is not shown: it may hold a token)`,
  );
}

function optional(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function projectBelow(clone: URL, job: Job, variables: Vars): URL {
  const project = variables.get("CI_PROJECT_PATH") || job.job_info.project_full_path;
  const url = new URL(clone);
  url.pathname = posix.join("/", url.pathname, `${project}.git`);
  return url;
}

function withoutCredentials(from: URL): string {
  const url = new URL(from);
  url.password = "";
  if (url.protocol === "ssh:") url.username ||= "git";
  else url.username = "";
  return url.href;
}

function httpOrigin(url: URL | undefined): readonly string[] {
  if (url === undefined || !isHttp(url)) return [];
  return [`${url.protocol}//${url.host}`];
}

function isHttp(url: URL): boolean {
  return url.protocol === "https:" || url.protocol === "http:";
}

/** `git@host:group/project` and `ssh://git@host/group/project`, as GitLab writes its ssh addresses. */
function sshRewrites(base: URL, variables: Vars): RepositoryAccess["rewrites"] {
  if (!isHttp(base)) return [];
  const host =
    variables.get("CI_SERVER_SHELL_SSH_HOST") || variables.get("CI_SERVER_HOST") || base.hostname;
  const port = variables.get("CI_SERVER_SHELL_SSH_PORT");
  const to = withoutCredentials(base).replace(/\/+$/, "");
  if (port !== "" && port !== "22") return [{ from: `ssh://git@${host}:${port}`, to }];
  return [
    { from: `git@${host}:`, to: `${to}/` },
    { from: `ssh://git@${host}`, to },
  ];
}
