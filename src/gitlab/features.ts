// `info.features`: what this runner can do now, and nothing more. GitLab drops a job that needs a
// feature which is missing here, and hands out jobs that need those which are true.

const absent = {
  variables: false,
  image: false,
  services: false,
  artifacts: false,
  cache: false,
  fallback_cache_keys: false,
  shared: false,
  upload_multiple_artifacts: false,
  upload_raw_artifacts: false,
  session: false,
  terminal: false,
  refspecs: false,
  masking: false,
  proxy: false,
  raw_variables: false,
  artifacts_exclude: false,
  multi_build_steps: false,
  trace_reset: false,
  trace_checksum: false,
  trace_size: false,
  vault_secrets: false,
  cancelable: false,
  return_exit_code: false,
  service_variables: false,
  service_multiple_aliases: false,
  image_executor_opts: false,
  service_executor_opts: false,
  cancel_gracefully: false,
  native_steps_integration: false,
  two_phase_job_commit: false,
  job_inputs: false,
};

export type Features = Readonly<Record<keyof typeof absent, boolean>>;

/** What needs no help from the executor: the client, the trace and the job's stages do it. */
const always: Partial<Features> = {
  variables: true,
  artifacts: true,
  cache: true,
  fallback_cache_keys: true,
  upload_multiple_artifacts: true,
  upload_raw_artifacts: true,
  refspecs: true,
  masking: true,
  raw_variables: true,
  artifacts_exclude: true,
  multi_build_steps: true,
  trace_reset: true,
  trace_checksum: true,
  trace_size: true,
  cancelable: true,
  return_exit_code: true,
  cancel_gracefully: true,
  two_phase_job_commit: true,
  job_inputs: true,
};

const containers = {
  image: true,
  services: true,
  service_variables: true,
  service_multiple_aliases: true,
  image_executor_opts: true,
  service_executor_opts: true,
};

/** What each executor adds. A task on Fargate is what containers on one machine are kept to. */
const byExecutor = {
  process: { shared: true },
  docker: containers,
  fargate: containers,
} satisfies Readonly<Record<string, Partial<Features>>>;

export type ExecutorName = keyof typeof byExecutor;

export function featuresOf(executor: ExecutorName): Features {
  return { ...absent, ...always, ...byExecutor[executor] };
}
