// The variables of one job, in GitLab's order of precedence (later wins): predefined, of the
// pipeline file, of the user, from dotenv reports, of whoever started the pipeline.

import type { Commit, Job, Pipeline, Project, Ref } from "./model.ts";
import type { WireVariable } from "./pipeline/types.ts";
import { defaultBranch } from "./repository.ts";
import type { Runner } from "./runners.ts";

export const serverVersion = "19.1.0";
export const noCommit = "0".repeat(40);

export interface Site {
  /** Without a slash at its end. */
  readonly url: string;
  /** Host and port of a container registry; undefined when there is none. */
  readonly registry: string | undefined;
}

export function variable(
  key: string,
  value: string,
  flags: Partial<WireVariable> = {},
): WireVariable {
  return { key, value, public: true, masked: false, file: false, raw: false, ...flags };
}

const secret = { public: false, masked: true };

function plain(values: Readonly<Record<string, string>>): WireVariable[] {
  return Object.entries(values).map(([key, value]) => variable(key, value));
}

export function jobVariables(
  site: Site,
  job: Job,
  runner: Runner,
  dependencies: readonly Job[],
): WireVariable[] {
  const { pipeline, spec } = job;
  const { project } = pipeline;
  return [
    ...plain({
      CI_PIPELINE_ID: String(pipeline.id),
      CI_PIPELINE_URL: pipelineUrl(site, pipeline),
      CI_JOB_ID: String(job.id),
      CI_JOB_URL: jobUrl(site, job),
    }),
    variable("CI_JOB_TOKEN", job.token, secret),
    variable("CI_JOB_STARTED_AT", iso(job.startedAt ?? job.createdAt)),
    ...registryVariables(site, project, job.token),
    variable("CI_REPOSITORY_URL", repositoryUrl(site, project, job.token), { public: false }),
    ...plain({
      CI_JOB_NAME: spec.name,
      CI_JOB_NAME_SLUG: slug(spec.name),
      CI_JOB_GROUP_NAME: spec.name.replace(/(?: \d+[/: ]\d+| ?\[.*\])+$/, ""),
      CI_JOB_STAGE: spec.stage,
    }),
    ...(spec.when === "manual" ? [variable("CI_JOB_MANUAL", "true")] : []),
    ...nodeVariables(spec.parallel),
    ...siteVariables(site),
    ...projectVariables(site, project),
    ...commitVariables(pipeline.ref, pipeline.commit),
    ...plain({
      CI_PIPELINE_IID: String(pipeline.iid),
      CI_PIPELINE_SOURCE: pipeline.source,
      CI_PIPELINE_CREATED_AT: iso(pipeline.createdAt),
      CI_PIPELINE_NAME: "",
      CI_RUNNER_ID: String(runner.id),
      CI_RUNNER_DESCRIPTION: runner.settings.description,
      CI_RUNNER_TAGS: JSON.stringify(runner.settings.tags).replaceAll('","', '", "'),
    }),
    ...spec.payload.variables,
    ...userVariables,
    ...dependencies.flatMap((dependency) =>
      [...dependency.dotenv].map(([key, value]) => variable(key, value, { public: false })),
    ),
    ...Object.entries(pipeline.variables).map(([key, value]) =>
      variable(key, value, { public: false }),
    ),
  ];
}

/** What is known before there is a job: for `rules:if` and the like. */
export function pipelineVariables(
  site: Site,
  project: Project,
  at: { readonly ref: Ref; readonly commit: Commit },
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const known = [
    ...siteVariables(site),
    ...projectVariables(site, project),
    ...commitVariables(at.ref, at.commit),
    variable("CI_PIPELINE_SOURCE", "api"),
    ...userVariables,
  ];
  return { ...Object.fromEntries(known.map(({ key, value }) => [key, value])), ...given };
}

const userVariables = plain({
  GITLAB_USER_ID: "1",
  GITLAB_USER_EMAIL: "admin@example.com",
  GITLAB_USER_LOGIN: "root",
  GITLAB_USER_NAME: "Administrator",
});

function nodeVariables(parallel: { readonly index: number; readonly total: number } | undefined) {
  if (parallel === undefined) return [variable("CI_NODE_TOTAL", "1")];
  return plain({ CI_NODE_INDEX: String(parallel.index), CI_NODE_TOTAL: String(parallel.total) });
}

function siteVariables(site: Site): WireVariable[] {
  const { protocol, hostname, host, port } = new URL(site.url);
  const [major = "", minor = "", patch = ""] = serverVersion.split(".");
  return plain({
    CI: "true",
    GITLAB_CI: "true",
    CI_SERVER_FQDN: host,
    CI_SERVER_URL: site.url,
    CI_SERVER_HOST: hostname,
    CI_SERVER_PORT: port === "" ? (protocol === "https:" ? "443" : "80") : port,
    CI_SERVER_PROTOCOL: protocol.replace(":", ""),
    CI_SERVER_SHELL_SSH_HOST: hostname,
    CI_SERVER_SHELL_SSH_PORT: "22",
    CI_SERVER_NAME: "GitLab",
    CI_SERVER_VERSION: serverVersion,
    CI_SERVER_VERSION_MAJOR: major,
    CI_SERVER_VERSION_MINOR: minor,
    CI_SERVER_VERSION_PATCH: patch,
    CI_SERVER_REVISION: "00000000000",
    CI_API_V4_URL: `${site.url}/api/v4`,
    CI_API_GRAPHQL_URL: `${site.url}/api/graphql`,
    CI_TEMPLATE_REGISTRY_HOST: "registry.gitlab.com",
    GITLAB_FEATURES: "",
  });
}

function projectVariables(site: Site, project: Project): WireVariable[] {
  const [namespace = ""] = project.path.split("/");
  return plain({
    CI_PROJECT_ID: String(project.id),
    CI_PROJECT_NAME: project.name,
    CI_PROJECT_TITLE: project.name,
    CI_PROJECT_DESCRIPTION: "",
    CI_PROJECT_TOPICS: "",
    CI_PROJECT_PATH: project.path,
    CI_PROJECT_PATH_SLUG: slug(project.path),
    CI_PROJECT_NAMESPACE: namespace,
    CI_PROJECT_NAMESPACE_ID: "1",
    CI_PROJECT_NAMESPACE_SLUG: slug(namespace),
    CI_PROJECT_ROOT_NAMESPACE: namespace,
    CI_PROJECT_URL: `${site.url}/${project.path}`,
    CI_PROJECT_VISIBILITY: "private",
    CI_PROJECT_REPOSITORY_LANGUAGES: "",
    CI_PROJECT_CLASSIFICATION_LABEL: "",
    CI_DEFAULT_BRANCH: defaultBranch,
    CI_DEFAULT_BRANCH_SLUG: defaultBranch,
    CI_CONFIG_PATH: ".gitlab-ci.yml",
  });
}

function commitVariables(ref: Ref, commit: Commit): WireVariable[] {
  const description =
    commit.title.length < 100
      ? commit.message.slice(commit.title.length).trimStart()
      : commit.message;
  return [
    ...plain({
      CI_COMMIT_SHA: commit.sha,
      CI_COMMIT_SHORT_SHA: commit.sha.slice(0, 8),
      CI_COMMIT_BEFORE_SHA: noCommit,
      CI_COMMIT_REF_NAME: ref.name,
      CI_COMMIT_REF_SLUG: slug(ref.name),
    }),
    ref.kind === "branch"
      ? variable("CI_COMMIT_BRANCH", ref.name)
      : variable("CI_COMMIT_TAG", ref.name),
    ...plain({
      CI_COMMIT_MESSAGE: commit.message,
      CI_COMMIT_TITLE: commit.title,
      CI_COMMIT_DESCRIPTION: description,
      CI_COMMIT_REF_PROTECTED: String(ref.name === defaultBranch && ref.kind === "branch"),
      CI_COMMIT_TIMESTAMP: commit.timestamp,
      CI_COMMIT_AUTHOR: commit.author,
    }),
  ];
}

function registryVariables(site: Site, project: Project, token: string): WireVariable[] {
  if (site.registry === undefined) return [];
  return [
    variable("CI_REGISTRY", site.registry),
    variable("CI_REGISTRY_IMAGE", `${site.registry}/${project.path}`),
    variable("CI_REGISTRY_USER", "gitlab-ci-token"),
    variable("CI_REGISTRY_PASSWORD", token, secret),
  ];
}

export function repositoryUrl(site: Site, project: Project, token: string): string {
  const url = new URL(`${site.url}/${project.path}.git`);
  url.username = "gitlab-ci-token";
  url.password = token;
  return url.href;
}

export function pipelineUrl(site: Site, pipeline: Pipeline): string {
  return `${site.url}/${pipeline.project.path}/-/pipelines/${String(pipeline.id)}`;
}

export function jobUrl(site: Site, job: Job): string {
  return `${site.url}/${job.pipeline.project.path}/-/jobs/${String(job.id)}`;
}

/** As GitLab slugs: lower case, 63 characters, nothing but letters, digits and inner hyphens. */
function slug(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, "-")
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, "");
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");
}
