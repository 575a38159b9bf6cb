// Keys of config.toml that are no settings here, each with the reason and what to do instead. Whoever moves
// from gitlab-runner copies them; an "unknown key" would leave them guessing. A key that asks for nothing
// (false, 0, "") is let pass: generated files are full of those.

const groups: readonly (readonly [keys: readonly string[], answer: string])[] = [
  // Where it belongs
  [
    ["token"],
    "a token does not belong into settings, which are kept in plain text: give it by --token or CI_SERVER_TOKEN, on AWS in the encrypted parameter runners/<name>/token",
  ],
  [
    ["id", "token_obtained_at", "token_expires_at"],
    "GitLab knows this from the token: remove the key",
  ],
  [
    ["runners"],
    "these are the settings of one runner: give what stands in its [[runners]] section",
  ],
  [["docker"], "the keys of [runners.docker] stand at the top level here: move them up by one"],
  [
    ["executor"],
    "the executor is chosen by `burst run --executor`, and on AWS is always Fargate: remove the key",
  ],
  [
    ["concurrent"],
    "this is for all runners together: give `burst run --concurrent`, or `limit` for this runner",
  ],
  [["log_level", "log_format"], "the log is set up by `burst run --log-format`: remove the key"],
  [
    ["tls_ca_file"],
    "settings are read on other machines too: give the certificate's text as tls_ca_certificate, or its file by `burst run --tls-ca-file`",
  ],
  [
    ["tls_cert_file", "tls_key_file"],
    "certificates of clients are not supported: GitLab knows a runner by its token",
  ],
  [["pre_clone_script"], "its name has become pre_get_sources_script"],
  [["post_clone_script"], "its name has become post_get_sources_script"],
  [
    ["helper_image", "helper_image_flavor"],
    "the agent does the helper's work: its image is chosen by `burst run --agent-image`, on AWS by the deployment's agentImage",
  ],
  [
    ["host", "tls_cert_path", "tls_verify"],
    "the engine is found by DOCKER_HOST: set it for `burst run`",
  ],
  [
    ["cache.s3.access_key", "cache.s3.secret_key", "cache.s3.session_token"],
    "keys do not belong into settings, which are kept in plain text: the runner uses AWS's own chain (environment, profile, role); set cache.s3.role_arn for another account",
  ],
  [
    ["cache.s3.authentication_type"],
    "the runner always uses AWS's own chain of credentials (environment, profile, role): remove the key",
  ],
  [["cache.s3.upload_role_arn"], "its name has become role_arn"],
  // What cannot be
  [
    [
      "privileged",
      "services_privileged",
      "allowed_privileged_images",
      "allowed_privileged_services",
    ],
    "Fargate has no privileged mode, and containers on one machine are kept to what Fargate can do, so that what passes here passes there. To build images use a builder that needs no privileges, such as kaniko, or one elsewhere, such as CodeBuild",
  ],
  [
    ["pid_mode", "ipcmode", "userns_mode"],
    "a job sharing namespaces with its machine could reach the runner: remove the key",
  ],
  [
    ["oom_kill_disable"],
    "a job without memory would hang until its time is up: ask for more by `memory`",
  ],
  [
    ["oom_score_adjust"],
    "the job gives way to its agent by itself when memory runs out: remove the key",
  ],
  [
    ["links", "volumes_from", "mac_address", "enable_ipv6", "network_mtu"],
    "a job's containers share a network and a volume of their own, made new for every job: run what the job must reach as one of its `services`",
  ],
  [
    ["volume_driver", "volume_driver_ops", "volume_keep", "disable_cache"],
    "nothing of a job's containers outlives it, so there are no volumes to keep: use `cache`",
  ],
  [["isolation"], "this is for Windows, and jobs run on Linux only: remove the key"],
  [
    [
      "cgroup_parent",
      "service_cgroup_parent",
      "use_slot_cgroups",
      "slot_cgroup_template",
      "service_slot_cgroup_template",
    ],
    "a job's limits are its size: set `sizes`, or `cpus` and `memory`",
  ],
  [["log_options"], "a job's output goes to GitLab, and on AWS to CloudWatch Logs: remove the key"],
  [
    ["cache.gcs", "cache.azure"],
    "caches are kept in a directory by `burst run` and in the deployment's bucket on AWS: remove the key",
  ],
  [
    ["machine", "autoscaler", "instance"],
    "there are no machines to keep idle: every job gets a task of its own; `limit` and `vcpu_budget` say how many at once",
  ],
  [
    ["custom", "ssh", "kubernetes", "parallels", "virtualbox"],
    "there is no such executor here: jobs run as processes, in containers, or on Fargate",
  ],
  [["session_server"], "there is no web terminal: nothing listens for GitLab; on AWS use ECS Exec"],
  [
    ["listen_address", "sentry_dsn", "referees", "monitoring"],
    "there is no such endpoint: on AWS see the metrics and alarms in CloudWatch",
  ],
  [
    ["connection_max_age", "shutdown_timeout", "experimental", "proxy_exec", "step_runner_image"],
    "it has no meaning here: remove the key",
  ],
];

const answers: ReadonlyMap<string, string> = new Map(
  groups.flatMap(([keys, answer]) => keys.map((key) => [bare(key), answer] as const)),
);

/** config.toml writes `tls-ca-file` and `AccessKey` as well. */
function bare(path: string): string {
  return path.toLowerCase().replaceAll(/[-_]/g, "");
}

function asksForNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === "")
    return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.values(value).every(asksForNothing);
}

export interface Sifted {
  /** The input without nulls and without keys that are answered here. */
  readonly rest: unknown;
  readonly complaints: readonly { readonly path: string; readonly message: string }[];
}

/** Takes out what has an answer of its own, before the schema sees it. */
export function siftElsewhere(input: unknown, at = ""): Sifted {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return { rest: input, complaints: [] };
  }
  const rest: Record<string, unknown> = {};
  const complaints: { readonly path: string; readonly message: string }[] = [];
  for (const [key, value] of Object.entries(input)) {
    const path = at === "" ? key : `${at}.${key}`;
    const message = answers.get(bare(path));
    if (message !== undefined) {
      if (!asksForNothing(value)) complaints.push({ path, message });
    } else if (value !== null) {
      const inner = siftElsewhere(value, path);
      rest[key] = inner.rest;
      complaints.push(...inner.complaints);
    }
  }
  return { rest, complaints };
}
