// `burst run`: a runner on this machine.

import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { sleep } from "../agent/clock.ts";
import { SettingsError } from "../core/errors.ts";
import { shortToken } from "../core/short-token.ts";
import { runRunner } from "../flow/run-runner.ts";
import { settleAbandoned } from "../flow/settle-abandoned.ts";
import { createGitLabClient } from "../gitlab/client.ts";
import type { GitLabClient } from "../gitlab/client.ts";
import { credentialsKey, trackHealth } from "../gitlab/health.ts";
import { runnerInfo } from "../gitlab/info.ts";
import { readSystemId } from "../gitlab/system-id.ts";
import { openClaimBook } from "../local/claims.ts";
import { createProcessExecutor } from "../local/process-executor.ts";
import { exitCodes, reportFailure } from "./exit.ts";
import { packageVersion } from "./package-version.ts";
import { formatEvent } from "./run-output.ts";
import type { LogFormat } from "./run-output.ts";
import { readRunSource } from "./run-settings.ts";
import { listenForSignals } from "./two-signals.ts";

interface RunOptions {
  readonly url?: string;
  readonly token?: string;
  readonly executor: "process";
  readonly concurrent?: number;
  readonly maxJobs?: number;
  readonly buildsDir?: string;
  readonly cacheDir?: string;
  readonly name?: string;
  readonly settings?: string;
  readonly tlsCaFile?: string;
  readonly logFormat: LogFormat;
}

export function runCommand(): Command {
  return new Command("run")
    .description("run jobs of a GitLab on this machine")
    .option("--url <url>", "GitLab's address (or CI_SERVER_URL)")
    .option("--token <token>", "the runner's token, glrt-… (or CI_SERVER_TOKEN)")
    .addOption(
      new Option("--executor <name>", "what a job runs in").choices(["process"]).default("process"),
    )
    .option("--concurrent <n>", "jobs at once (default: 1)", wholeNumber("--concurrent"))
    .option("--max-jobs <n>", "end after this many jobs", wholeNumber("--max-jobs"))
    .option("--builds-dir <dir>", "where projects are checked out (default: ./.burst/builds)")
    .option("--cache-dir <dir>", "where caches are kept (default: ./.burst/cache)")
    .option("--name <name>", "the runner's name in job logs (default: this machine's)")
    .option("--settings <file>", "one runner's settings, YAML or JSON; flags win")
    .option("--tls-ca-file <file>", "certificates to trust besides the system's, PEM")
    .addOption(
      new Option("--log-format <format>", "of the lines on stdout").choices(["text", "json"]).default("text"),
    )
    .action(async (options: RunOptions) => {
      try {
        await run(options);
      } catch (cause) {
        reportFailure(cause);
      }
    });
}

async function run(options: RunOptions): Promise<void> {
  const source = readRunSource(options, process.env);
  const { settings } = source;
  const version = packageVersion();
  const systemId = await readSystemId(resolve(".burst/system_id"));
  const identity = { version, executor: options.executor, shell: "sh", labels: settings.labels };
  const gitlab = createGitLabClient({
    url: source.url,
    token: source.token,
    systemId,
    info: runnerInfo(identity),
    ...(options.tlsCaFile === undefined ? {} : { caFile: options.tlsCaFile }),
  });
  const diagnose = (text: string) => process.stderr.write(`burst: ${text.trimEnd()}\n`);
  const signals = listenForSignals(
    () => diagnose("no new jobs; waiting for those that run (again to end them now)"),
    () => diagnose("ending the running jobs"),
  );
  try {
    await verify(gitlab, diagnose);
    const key = credentialsKey(source.url, source.token);
    const claims = openClaimBook(resolve(".burst/claims", key.slice(0, 16)));
    await settleAbandoned({ gitlab, claims, sleep, onDiagnostic: diagnose });
    await runRunner(
      {
        gitlab,
        claims,
        health: trackHealth(key, {
          unhealthyRequestsLimit: settings.unhealthy_requests_limit,
          unhealthyIntervalSeconds: settings.unhealthy_interval,
        }),
        executor: createProcessExecutor({
          environment: process.env,
          secrets: [source.token.reveal()],
          onDiagnostic: (jobId, text) => diagnose(`job ${jobId}: ${text}`),
        }),
        sleep,
        now: Date.now,
        onEvent: (event) =>
          process.stdout.write(`${formatEvent(event, options.logFormat, new Date())}\n`),
        onDiagnostic: diagnose,
      },
      {
        concurrent: options.concurrent ?? (settings.limit || 1),
        maxJobs: options.maxJobs ?? Number.POSITIVE_INFINITY,
        checkIntervalSeconds: settings.check_interval,
        handOff: {
          version: 1,
          gitlab: { url: source.url, systemId, ...caOf(options) },
          runner: {
            name: options.name ?? (settings.name || hostname()),
            shortToken: shortToken(source.token.reveal()),
            version,
            revision: "",
            shell: identity.shell,
            labels: settings.labels,
          },
          executor: options.executor,
          settings: source.raw,
        },
        buildsDir: resolve(options.buildsDir ?? (settings.builds_dir || ".burst/builds")),
        cacheDir: resolve(options.cacheDir ?? (settings.cache_dir || ".burst/cache")),
        stop: signals.stop,
        interrupt: signals.interrupt,
      },
    );
    if (signals.interrupt.aborted) process.exitCode = exitCodes.interrupted;
  } finally {
    signals.release();
    await gitlab.close();
  }
}

/** A token or address that cannot work is told now; a GitLab that is merely away is waited for. */
async function verify(gitlab: GitLabClient, diagnose: (text: string) => void): Promise<void> {
  const reply = await gitlab.verifyRunner();
  if (reply.kind === "valid") return;
  if (reply.kind === "invalid") throw new SettingsError(`--token: ${reply.message}`);
  diagnose(reply.message);
}

function caOf(options: RunOptions): { ca?: string } {
  return options.tlsCaFile === undefined ? {} : { ca: readFileSync(options.tlsCaFile, "utf8") };
}

function wholeNumber(flag: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value > 0) return value;
    throw new InvalidArgumentError(`${flag} takes a whole number from 1 on.`);
  };
}
