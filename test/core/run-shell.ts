// Runs shell programs in the shells that this machine has, for tests of what we generate.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Shell {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Knows `set -o pipefail`. */
  readonly pipefail: boolean;
}

const known: readonly Shell["command"][] = [["dash"], ["bash"], ["busybox", "ash"]];

export const shells: readonly Shell[] = known.flatMap((command) => {
  const [program, ...rest] = command;
  try {
    execFileSync(program, [...rest, "-c", ":"], { stdio: "ignore" });
  } catch {
    return [];
  }
  const probe = "(set -o pipefail) 2>/dev/null && echo yes || echo no";
  const answer = execFileSync(program, [...rest, "-c", probe], { encoding: "utf8" });
  return [{ name: command.join(" "), command, pipefail: answer.trim() === "yes" }];
});

export interface ShellRun {
  readonly status: number | null;
  /** stdout and stderr as they came. */
  readonly output: string;
}

/** The program as a file, as boot runs it. */
export function runProgram(
  shell: Shell,
  program: string,
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly onOutput?: (output: string, pid: number) => void;
  } = {},
): Promise<ShellRun> {
  const folder = makeFolder();
  const file = join(folder, "stage");
  writeFileSync(file, program);
  const [name, ...rest] = shell.command;
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", 'exec "$@" 2>&1', "sh", name, ...rest, file], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env["PATH"] ?? "", ...options.env },
      detached: true,
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
      options.onOutput?.(output, child.pid ?? 0);
    });
    child.on("error", reject);
    child.on("close", (status) => {
      rmSync(folder, { recursive: true });
      resolve({ status, output });
    });
  });
}

export function makeFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), "burst-core-")));
}
