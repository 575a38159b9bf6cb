// One get_sources of the agent, or the same by git commands alone, in a process of its own. Tells the milliseconds
// of the work alone.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "../src/agent/clock.ts";
import { readyJob } from "../src/agent/ready-job.ts";
import { getSources } from "../src/agent/sources/get-sources.ts";
import type { JobLog } from "../src/core/job-log.ts";
import { childTask, tellResult } from "./measured-child.ts";
import { timed } from "./rounds.ts";

export interface SourcesTask {
  readonly how: "agent" | "git";
  /** The payload. */
  readonly job: string;
  readonly folder: string;
}

const said: string[] = [];
const say = (text: string) => void said.push(text);
const log: JobLog = {
  line: say,
  info: say,
  warning: say,
  error: say,
  output: (bytes) => say(Buffer.from(bytes).toString()),
};

/** As the stage does it, with the process executor's settings. */
async function byAgent({ job, folder }: SourcesTask) {
  const ready = readyJob({
    version: 1,
    gitlab: { url: "http://127.0.0.1", systemId: "s_bench" },
    runner: {
      name: "",
      shortToken: "bench",
      version: "0.0.0",
      revision: "",
      shell: "sh",
      labels: {},
    },
    executor: "process",
    settings: {},
    job,
    claimedAt: Date.now(),
    concurrentId: 0,
    concurrentProjectId: 0,
    folders: { control: folder, builds: folder, cache: folder, scratch: folder },
  });
  const { variables, projectDir, tempDir } = ready;
  const took = await timed(() =>
    getSources({
      job: ready.job,
      variables,
      projectDir,
      tempDir,
      buildsDir: folder,
      settings: { cleanGitConfig: false, safeDirectoryCheckout: true },
      environment: { ...ownEnvironment(), ...Object.fromEntries(variables.environment()) },
      userAgent: "gitlab-burst",
      log,
      signal: new AbortController().signal,
      sleep,
    }),
  );
  return { took, projectDir, sha: ready.job.git_info.sha };
}

function ownEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}

/** What one would type, with what the job asks for: its refspecs, its depth, its flags. */
async function byHand({ job, folder }: SourcesTask) {
  const { git_info: info } = JSON.parse(job) as {
    git_info: { repo_url: string; sha: string; refspecs: readonly string[]; depth: number };
  };
  const projectDir = join(folder, "by-hand");
  mkdirSync(projectDir, { recursive: true });
  const git = (...args: readonly string[]) =>
    execFileSync("git", args, { cwd: projectDir, stdio: ["ignore", "ignore", "pipe"] });
  const isKept = existsSync(join(projectDir, ".git"));
  const depth = info.depth > 0 ? [`--depth=${info.depth}`] : [];
  const took = await timed(async () => {
    if (!isKept) {
      git("init", "--quiet");
      git("remote", "add", "origin", info.repo_url);
    } else git("remote", "set-url", "origin", info.repo_url);
    git("fetch", "--quiet", "--prune", ...depth, "origin", ...info.refspecs);
    git("checkout", "--force", "--quiet", info.sha);
    if (isKept) git("clean", "-ffdx");
  });
  return { took, projectDir, sha: info.sha };
}

const task = childTask() as SourcesTask;
const { took, projectDir, sha } = await (task.how === "agent" ? byAgent(task) : byHand(task));
const read = (...args: readonly string[]) =>
  execFileSync("git", args, { cwd: projectDir, encoding: "utf8" }).trim();
if (read("rev-parse", "HEAD") !== sha)
  throw new Error(`another commit is checked out\n${said.join("\n")}`);
if (read("status", "--porcelain") !== "") throw new Error("the checkout is not clean");
tellResult(took);
