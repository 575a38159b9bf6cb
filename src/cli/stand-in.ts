// `burst stand-in`: a small GitLab on this machine, for any runner. Says where it is in one line of
// JSON and serves until it is told to stop.

import { Command } from "commander";
import { SettingsError } from "../core/errors.ts";
import { BadOption } from "../stand-in/bad-option.ts";
import { startStandIn } from "../stand-in/start.ts";
import { reportFailure } from "./exit.ts";
import { listenForSignals } from "./two-signals.ts";

interface StandInFlags {
  readonly listen: string;
  readonly port: string;
  readonly project?: readonly string[];
  readonly token?: string;
}

/** What GitLab.com and a current GitLab of one's own do. */
const longPollSeconds = 50;

export function standInCommand(): Command {
  return new Command("stand-in")
    .description("serve a small GitLab on this machine, for any runner to talk to")
    .option("--listen <address>", "address to listen on", "127.0.0.1")
    .option("--port <n>", "port to listen on, 0 for any free one", "0")
    .option("--project <dir>", "a folder to serve as root/<its name>; may be repeated", collect)
    .option("--token <token>", "the runner's token, glrt-… (default: a new one)")
    .action(async (flags: StandInFlags) => {
      try {
        await serve(flags);
      } catch (cause) {
        reportFailure(cause instanceof BadOption ? settingsError(cause) : cause);
      }
    });
}

async function serve(flags: StandInFlags): Promise<void> {
  const signals = listenForSignals(
    () => undefined,
    () => undefined,
  );
  try {
    const standIn = await startStandIn({
      listen: flags.listen,
      port: portNumber(flags.port),
      projects: flags.project ?? [],
      longPollSeconds,
      // Any runner shall work with it, and the official one carries its token to the storage.
      storageRefusesTokens: false,
      ...(flags.token === undefined ? {} : { runnerToken: runnerToken(flags.token) }),
    });
    const { url, runnerToken: token, apiToken } = standIn;
    process.stdout.write(`${JSON.stringify({ url, runner_token: token, api_token: apiToken })}\n`);
    await aborted(signals.stop);
    await standIn.close();
  } finally {
    signals.release();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function settingsError(cause: BadOption): SettingsError {
  return new SettingsError(cause.message, { cause });
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new SettingsError(`--port ${text}: a number from 0 to 65535 is needed`);
}

function runnerToken(text: string): string {
  if (/^glrt-[\w.-]+$/.test(text)) return text;
  throw new SettingsError(
    "--token: a runner's authentication token is needed, glrt- and then letters, digits, _, - or a dot",
  );
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
