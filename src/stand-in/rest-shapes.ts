// Projects, pipelines and jobs as GitLab's REST API shows them.

import type { Commit, Job, Pipeline, Project } from "./model.ts";
import { completed } from "./model.ts";
import { defaultBranch } from "./repository.ts";
import { isoOrNull } from "./runner-api.ts";
import { managerShape, runnerShape } from "./runner-shapes.ts";
import type { Runner } from "./runners.ts";
import { jobUrl, noCommit, pipelineUrl } from "./variables.ts";
import type { Site } from "./variables.ts";

const administrator = {
  id: 1,
  username: "root",
  name: "Administrator",
  state: "active",
  locked: false,
  avatar_url: null,
};

function user(site: Site) {
  return { ...administrator, web_url: `${site.url}/root` };
}

export function projectShape(site: Site, project: Project) {
  const url = `${site.url}/${project.path}`;
  const createdAt = isoOrNull(project.createdAt);
  return {
    id: project.id,
    description: null,
    name: project.name,
    name_with_namespace: `Administrator / ${project.name}`,
    path: project.name,
    path_with_namespace: project.path,
    created_at: createdAt,
    default_branch: defaultBranch,
    tag_list: [],
    topics: [],
    ssh_url_to_repo: `git@${new URL(site.url).hostname}:${project.path}.git`,
    http_url_to_repo: `${url}.git`,
    web_url: url,
    readme_url: null,
    forks_count: 0,
    avatar_url: null,
    star_count: 0,
    last_activity_at: createdAt,
    visibility: "private",
    archived: false,
    empty_repo: false,
    namespace: {
      id: 1,
      name: "Administrator",
      path: "root",
      kind: "user",
      full_path: "root",
      parent_id: null,
      avatar_url: null,
      web_url: `${site.url}/root`,
    },
  };
}

export function pipelineShape(site: Site, pipeline: Pipeline) {
  return {
    id: pipeline.id,
    iid: pipeline.iid,
    project_id: pipeline.project.id,
    sha: pipeline.commit.sha,
    ref: pipeline.ref.name,
    status: pipeline.status,
    source: pipeline.source,
    created_at: isoOrNull(pipeline.createdAt),
    updated_at: isoOrNull(pipeline.updatedAt),
    web_url: pipelineUrl(site, pipeline),
  };
}

export function pipelineDetails(site: Site, pipeline: Pipeline) {
  const { startedAt, finishedAt } = pipeline;
  const warned =
    pipeline.status === "success" &&
    pipeline.jobs.some((job) => !job.retried && job.status === "failed" && job.allowFailure);
  const text = warned ? "passed" : (statusWords[pipeline.status] ?? pipeline.status);
  return {
    ...pipelineShape(site, pipeline),
    before_sha: noCommit,
    tag: pipeline.ref.kind === "tag",
    yaml_errors: null,
    user: user(site),
    started_at: isoOrNull(startedAt),
    finished_at: isoOrNull(finishedAt),
    committed_at: null,
    duration: seconds(startedAt, finishedAt),
    queued_duration: seconds(pipeline.createdAt, startedAt),
    coverage: null,
    name: null,
    detailed_status: {
      icon: `status_${pipeline.status}`,
      text: warned ? "Warning" : capitalised(text),
      label: warned ? "passed with warnings" : text,
      group: warned ? "success-with-warnings" : pipeline.status,
      tooltip: text,
      has_details: true,
      details_path: `/${pipeline.project.path}/-/pipelines/${String(pipeline.id)}`,
      illustration: null,
      favicon: null,
    },
  };
}

const statusWords: Readonly<Record<string, string>> = { success: "passed", manual: "blocked" };

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function jobShape(
  site: Site,
  job: Job,
  context: { runner: Runner | undefined; now: number },
) {
  const { pipeline } = job;
  const { runner, now } = context;
  const archive = job.artifacts.get("archive");
  const manager = runner?.managers.get(job.systemId ?? "");
  const end = job.finishedAt ?? (completed(job.status) ? undefined : now);
  return {
    id: job.id,
    status: job.status,
    stage: job.spec.stage,
    name: job.spec.name,
    ref: pipeline.ref.name,
    tag: pipeline.ref.kind === "tag",
    coverage: null,
    allow_failure: job.allowFailure,
    created_at: isoOrNull(job.createdAt),
    started_at: isoOrNull(job.startedAt),
    finished_at: isoOrNull(job.finishedAt),
    erased_at: null,
    duration: seconds(job.startedAt, end),
    queued_duration: seconds(job.queuedAt, job.startedAt ?? end),
    user: user(site),
    commit: commitShape(site, pipeline.project, pipeline.commit),
    pipeline: pipelineShape(site, pipeline),
    ...(job.status === "failed" ? { failure_reason: job.failureReason } : {}),
    web_url: jobUrl(site, job),
    project: { ci_job_token_scope_enabled: false },
    ...(archive === undefined
      ? {}
      : { artifacts_file: { filename: archive.filename, size: archive.size } }),
    artifacts: artifactList(job),
    runner: runner === undefined ? null : runnerShape(runner, now),
    runner_manager: manager === undefined ? null : managerShape(manager, now),
    artifacts_expire_at: isoOrNull(archive?.expireAt),
    archived: false,
    tag_list: job.spec.tags,
  };
}

function artifactList(job: Job) {
  const trace =
    completed(job.status) && job.trace.size > 0
      ? [{ file_type: "trace", size: job.trace.size, filename: "job.log", file_format: null }]
      : [];
  const kept = [...job.artifacts.values()].map(({ type, size, filename, format }) => ({
    file_type: type,
    size,
    filename,
    file_format: format,
  }));
  return [...kept, ...trace];
}

function commitShape(site: Site, project: Project, commit: Commit) {
  const [, name = "", email = ""] = /^(.*) <(.*)>$/.exec(commit.author) ?? [];
  return {
    id: commit.sha,
    short_id: commit.sha.slice(0, 8),
    created_at: commit.timestamp,
    parent_ids: [],
    title: commit.title,
    message: commit.message,
    author_name: name,
    author_email: email,
    authored_date: commit.timestamp,
    committer_name: name,
    committer_email: email,
    committed_date: commit.timestamp,
    trailers: {},
    web_url: `${site.url}/${project.path}/-/commit/${commit.sha}`,
  };
}

function seconds(from: number | undefined, to: number | undefined): number | null {
  return from === undefined || to === undefined ? null : (to - from) / 1000;
}
