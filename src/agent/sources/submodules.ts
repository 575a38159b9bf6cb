// Submodules: registered, cleaned, brought to the commits that the project names, and left able to
// authenticate like the project itself. Git passes our settings and environment on to its commands
// within them.

import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { shellQuote } from "../../core/shell-quote.ts";
import type { JobLog } from "../../core/job-log.ts";
import { kindOf, moduleDirs } from "./clean-repository.ts";
import { removeForeignWorktrees } from "./clean-submodules.ts";
import { configText } from "./config-text.ts";
import type { Git } from "./git-command.ts";
import { lfsFilters, pullWhereUsed } from "./lfs.ts";
import type { SourceOptions } from "./strategy.ts";

export interface SubmodulesInput {
  readonly git: Git;
  readonly projectDir: string;
  readonly options: SourceOptions;
  /** The repository was there before: its submodules may be, too, in whatever state. */
  readonly reused: boolean;
  readonly resetConfig: boolean;
  readonly jobSettingsFile: string;
  /** git-lfs is there, and wanted. */
  readonly lfs: boolean;
  readonly log: JobLog;
}

export async function updateSubmodules(input: SubmodulesInput): Promise<void> {
  const { log, options, git, projectDir } = input;
  if (options.submodules.strategy === "none") {
    log.info("Skipping Git submodules setup");
    return;
  }
  log.info(announcement(options));
  // Nothing to do, and `git submodule` (a shell script, in older gits) need not be started to say so.
  if (input.options.checkout && (await kindOf(join(projectDir, ".gitmodules"))) === "nothing")
    return;
  const commands = submoduleCommands(options);
  if (input.reused) {
    if (input.resetConfig) await removeForeignWorktrees(git, projectDir);
    await git.run(["submodule", "init"]);
    await git.run(commands.sync);
    await git.succeeds(commands.clean);
  } else if (options.submodules.paths.length > 0) {
    // `update` below registers these paths only; scripts may want to update the others later.
    await git.run(["submodule", "init"]);
  }
  await update(input, commands);
  if (input.reused) await git.succeeds(commands.clean);
  log.info("Configuring submodules to use parent git credentials...");
  await includeJobSettings(projectDir, input.jobSettingsFile);
  if (!input.lfs) return;
  log.info("Pulling LFS files...");
  await git.run([...lfsFilters, ...commands.foreach, pullWhereUsed]);
}

async function update(
  { git, log, options }: SubmodulesInput,
  commands: ReturnType<typeof submoduleCommands>,
): Promise<void> {
  if (await git.succeeds(commands.update)) {
    log.info("Updated submodules");
    return;
  }
  log.warning("Updating submodules failed. Retrying...");
  if (options.submodules.updateFlags.some((flag) => flag.toLowerCase() === "--remote")) {
    // A branch named in .gitmodules that is not the default one is found only among all the heads.
    const fetch = "git fetch origin '+refs/heads/*:refs/remotes/origin/*'";
    await git.succeeds([...commands.foreach, fetch]);
  }
  await git.run(commands.sync);
  await git.run(commands.update);
  await git.run([...commands.foreach, "git reset --quiet --hard"]);
}

function announcement({ submodules }: SourceOptions): string {
  const recursively = submodules.strategy === "recursive" ? " recursively" : "";
  const depth = submodules.depth > 0 ? ` with git depth set to ${String(submodules.depth)}` : "";
  return `Updating/initializing submodules${recursively}${depth}...`;
}

function submoduleCommands({ submodules, cleanFlags }: SourceOptions) {
  const recursive = submodules.strategy === "recursive" ? ["--recursive"] : [];
  const depth = submodules.depth > 0 ? ["--depth", String(submodules.depth)] : [];
  const paths = submodules.paths.length > 0 ? ["--", ...submodules.paths] : [];
  const foreach = ["submodule", "--quiet", "foreach", ...recursive];
  // GIT_CLEAN_FLAGS=none speaks of the project; GitLab Runner cleans submodules all the same.
  const clean = cleanFlags.length > 0 ? cleanFlags : ["-ffdx"];
  return {
    foreach,
    sync: ["submodule", "sync", ...recursive, ...paths],
    // One text: gits of 2.22 read options after `foreach` as their own.
    clean: [...foreach, `git clean ${clean.map(shellQuote).join(" ")} && git reset --quiet --hard`],
    update: [
      "submodule",
      "update",
      "--init",
      ...recursive,
      ...depth,
      ...submodules.updateFlags,
      ...paths,
    ],
  };
}

/** So that `cd vendor/lib && git fetch` works in a script, at every level. */
async function includeJobSettings(projectDir: string, file: string): Promise<void> {
  const include = configText([["include.path", file]]);
  for await (const moduleDir of moduleDirs(join(projectDir, ".git"))) {
    const config = join(moduleDir, "config");
    if ((await kindOf(config)) !== "file") continue;
    if (!(await readFile(config, "utf8")).includes(include)) await appendFile(config, include);
  }
}
