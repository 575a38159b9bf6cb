// The settings of a runner as GitLab sees it: what config.toml has under [[runners]].

import * as z from "zod";
import { environment } from "./settings-environment.ts";
import { duration, expected, flag, refuse, section, text, whole } from "./settings-field.ts";

const label = {
  most: 32,
  name: /^[a-zA-Z0-9_][a-zA-Z0-9._-]{2,64}$/,
  value: /^[a-zA-Z0-9._-]{1,256}$/,
};

function webAddress(description: string, fallback: string) {
  const what = "an address beginning with https:// or http://";
  return z
    .string(expected(what))
    .refine((value) => value === fallback || isWebAddress(value), {
      error: `expected ${what}, without spaces, user name or password`,
    })
    .default(fallback)
    .describe(description);
}

function isWebAddress(value: string): boolean {
  if (!/^https?:\/\/\S+$/i.test(value) || !URL.canParse(value)) return false;
  const url = new URL(value);
  return url.username === "" && url.password === "";
}

const labels = z
  .record(z.string(), z.string(expected("a text")), expected("a map of texts"))
  .transform((map, context) => {
    const entries = Object.entries(map);
    if (entries.length > label.most) {
      return refuse(context, map, `expected ${label.most} labels at most, found ${entries.length}`);
    }
    for (const [name, value] of entries) {
      const says = `label ${JSON.stringify(name)}`;
      if (!label.name.test(name)) {
        const rule = "3 to 65 letters, digits, dots, dashes and underscores";
        return refuse(context, map, `${says}: expected a name of ${rule}`);
      }
      if (!label.value.test(value)) {
        const rule = "1 to 256 letters, digits, dots, dashes and underscores";
        return refuse(context, map, `${says}: expected a value of ${rule}`);
      }
    }
    return map;
  })
  .prefault({})
  .describe("Labels that GitLab shows and jobs can be routed by, at most 32.");

function featureFlags() {
  return z
    .record(
      z.string().regex(/^FF_[A-Z0-9_]+$/, { error: "expected names that begin with FF_" }),
      z.boolean(expected("true or false", true)),
      { error: "expected names that begin with FF_, each true or false" },
    )
    .default({})
    .describe("Feature flags by name, such as FF_TIMESTAMPS; what is set here wins over the job.");
}

export const runnerShape = {
  name: text(
    "What the runner calls itself in the log of a job; the parameter's name or the host's without it.",
  ),
  url: webAddress("Address of the GitLab that gives the jobs.", "https://gitlab.com"),
  clone_url: webAddress("Address to clone from, where that is another than `url`.", ""),
  tls_ca_certificate: text(
    "Certificates in PEM form to trust besides the system's, for a GitLab with a certificate of its own.",
  ),
  paused: flag(
    "Whether the runner asks for no jobs for the time being; running jobs go on.",
    false,
  ),
  limit: whole("How many jobs of this runner may run at once; 0 for no limit of its own.", 0),
  request_concurrency: whole("How many requests for jobs may be under way at once.", 1, {
    from: 1,
  }),
  check_interval: duration(
    "How long to wait between requests for jobs, where GitLab does not hold them.",
    3,
  ),
  strict_check_interval: flag("Whether to wait the interval even after a job was received.", false),
  unhealthy_requests_limit: whole("After how many refusals in a row the runner stops asking.", 3, {
    from: 1,
  }),
  unhealthy_interval: duration("For how long it then stops asking.", "60m"),
  job_status_final_update_retry_limit: whole(
    "How often the last word on a job is tried to be told.",
    10,
  ),
  labels,
  output_limit: whole(
    "The most of a job's log that is kept, in KiB; what follows is dropped.",
    4096,
    { from: 1 },
  ),
  shell: z
    .enum(["bash", "sh"], {
      error:
        'expected "bash" or "sh": jobs run in the POSIX shell of their image, and no other is served',
    })
    .default("bash")
    .describe("`bash` where the image has it, else `sh`; or always `sh`."),
  builds_dir: text(
    "Directory that projects are cloned into; without it /builds, for processes ./.burst/builds.",
  ),
  cache_dir: text(
    "Directory of caches kept locally; without it /cache, for processes ./.burst/cache.",
  ),
  custom_build_dir: section("a map with the key enabled", {
    enabled: flag("Whether jobs may choose their directory by GIT_CLONE_PATH.", true),
  })
    .prefault({})
    .describe("Directories that jobs choose themselves."),
  environment: environment("Variables for every job; a job's own variables win over them."),
  pre_get_sources_script: text("Commands before the sources are fetched."),
  post_get_sources_script: text("Commands after the sources were fetched."),
  pre_build_script: text("Commands before a job's script, in the same shell."),
  post_build_script: text(
    "Commands after a job's script, in the same shell, before its after_script.",
  ),
  debug_trace_disabled: flag("Whether CI_DEBUG_TRACE is ignored.", false),
  safe_directory_checkout: flag("Whether git is told that the project's directory is safe.", true),
  clean_git_config: z
    .boolean(expected("true or false", true))
    .optional()
    .describe(
      "Whether git's configuration and hooks are removed before and after a job; unless said otherwise, yes, except for processes.",
    ),
  prepare_timeout: duration("How long preparing a job may take; 0 for as long as the job may.", 0),
  get_sources_timeout: duration(
    "How long fetching the sources may take; 0 for as long as the job may.",
    0,
  ),
  artifact: section("a map with upload_timeout and response_header_timeout", {
    upload_timeout: duration("How long one upload may take.", "1h"),
    response_header_timeout: duration("How long GitLab may take to answer after an upload.", "10m"),
  })
    .prefault({})
    .describe("Uploading of artifacts."),
  feature_flags: featureFlags(),
} as const;
