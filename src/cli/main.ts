#!/usr/bin/env node
// burst: the command line. Every command is a file of its own; this one only lists them.

import { Command, CommanderError } from "commander";
import { demoCommand } from "./demo.ts";
import { exitCodes } from "./exit.ts";
import { packageVersion } from "./package-version.ts";
import { runCommand } from "./run.ts";
import { standInCommand } from "./stand-in.ts";

const program = new Command("burst")
  .description(
    "gitlab-burst: a GitLab CI runner with no server, and all of it on one machine to try",
  )
  .version(packageVersion())
  .showHelpAfterError("(burst --help lists the commands)");

program.exitOverride();
for (const command of [runCommand(), demoCommand(), standInCommand()]) {
  // Bad arguments set an exit code; nothing ends the process while output is on its way.
  program.addCommand(command.copyInheritedSettings(program));
}
try {
  await program.parseAsync();
} catch (cause) {
  if (!(cause instanceof CommanderError)) throw cause;
  process.exitCode = cause.exitCode === 0 ? exitCodes.done : exitCodes.usage;
}
