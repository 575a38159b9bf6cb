// AWS's own command line, for services of which the product has no client.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { SettingsError } from "../../src/core/errors.ts";

const run = promisify(execFile);

type Value = string | readonly string[] | true;

/** As on the command line: `aws("ecs list-tasks", { cluster: "…" })`. Answers in JSON, undefined where there is none. */
export type AwsCommand = (
  command: string,
  options?: Readonly<Record<string, Value>>,
) => Promise<unknown>;

export function createAwsCommand(region: string): AwsCommand {
  const common = { output: "json", region };
  return async (command, options = {}) => {
    const words = commandWords(command, { ...common, ...options });
    try {
      const { stdout } = await run("aws", words, {
        maxBuffer: 64 * 1024 * 1024,
        env: { ...process.env, AWS_PAGER: "" },
      });
      return stdout.trim() === "" ? undefined : JSON.parse(stdout);
    } catch (cause) {
      if (isMissing(cause)) {
        throw new SettingsError("The proof needs AWS's command line (aws), which is not in PATH", {
          cause,
        });
      }
      throw cause;
    }
  };
}

export function commandWords(command: string, options: Readonly<Record<string, Value>>): string[] {
  const flags = Object.entries(options).flatMap(([name, value]) => [
    `--${name}`,
    ...(value === true ? [] : [value].flat()),
  ]);
  return [...command.split(" "), ...flags];
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}
