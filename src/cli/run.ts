// `burst run`: a runner on this machine.

import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { SettingsError } from "../core/errors.ts";
import { exitCodes, reportFailure } from "./exit.ts";
import { packageVersion } from "./package-version.ts";
import { formatEvent } from "./run-output.ts";
import type { LogFormat } from "./run-output.ts";
import { readRunSource } from "./run-settings.ts";
import { listenForSignals } from "./two-signals.ts";

interface RunOptions {
  readonly url?: string;
  readonly token?: string;
  readonly executor: "process" | "docker";
  readonly agentImage?: string;
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
      new Option("--executor <name>", "what a job runs in")
        .choices(["process", "docker"])
        .default("process"),
    )
    .option("--agent-image <image>", "what the agent's container is made from (docker)")
    .option("--concurrent <n>", "jobs at once (default: 1)", wholeNumber("--concurrent"))
    .option("--max-jobs <n>", "end after this many jobs", wholeNumber("--max-jobs"))
    .option("--builds-dir <dir>", "where projects are checked out (default: ./.burst/builds)")
    .option("--cache-dir <dir>", "where caches are kept (default: ./.burst/cache)")
    .option("--name <name>", "the runner's name in job logs (default: this machine's)")
    .option("--settings <file>", "one runner's settings, YAML or JSON; flags win")
    .option("--tls-ca-file <file>", "certificates to trust besides the system's, PEM")
    .addOption(
      new Option("--log-format <format>", "of the lines on stdout")
        .choices(["text", "json"])
        .default("text"),
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
  const { url, token, settings, raw } = readRunSource(options, process.env);
  const diagnose = (text: string) => process.stderr.write(`burst: ${text.trimEnd()}\n`);
  const signals = listenForSignals(
    () => diagnose("no new jobs; waiting for those that run (again to end them now)"),
    () => diagnose("ending the running jobs"),
  );
  try {
    // Loaded when the flags are known to be good.
    const { runLocally } = await import("./local-runner.ts");
    await runLocally({
      url,
      token,
      settings,
      rawSettings: raw,
      version: packageVersion(),
      name: options.name,
      executor: options.executor,
      agentImage: options.agentImage,
      concurrent: options.concurrent ?? (settings.limit || 1),
      maxJobs: options.maxJobs ?? Number.POSITIVE_INFINITY,
      stateDir: ".burst",
      buildsDir: options.buildsDir ?? (settings.builds_dir || ".burst/builds"),
      cacheDir: options.cacheDir ?? (settings.cache_dir || ".burst/cache"),
      ca: readCa(options.tlsCaFile) ?? (settings.tls_ca_certificate || undefined),
      stop: signals.stop,
      interrupt: signals.interrupt,
      onEvent: (event) =>
        process.stdout.write(`${formatEvent(event, options.logFormat, new Date())}\n`),
      onReady: () => diagnose(`waiting for jobs of ${url}`),
      onDiagnostic: diagnose,
    });
    if (signals.interrupt.aborted) process.exitCode = exitCodes.interrupted;
  } finally {
    signals.release();
  }
}

function readCa(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new SettingsError(`--tls-ca-file ${file}: the file cannot be read`, { cause });
  }
}

function wholeNumber(flag: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value > 0) return value;
    throw new InvalidArgumentError(`${flag} takes a whole number from 1 on.`);
  };
}
