#!/usr/bin/env node
// burst: the command line. Every command is a file of its own, loaded when it is called for; this one only
// lists them.

import { Command, CommanderError } from "commander";
import { exitCodes } from "./exit.ts";
import { packageVersion } from "./package-version.ts";

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import("./run.ts")).runCommand(),
  demo: async () => (await import("./demo.ts")).demoCommand(),
  "stand-in": async () => (await import("./stand-in.ts")).standInCommand(),
  register: async () => (await import("./register.ts")).registerCommand(),
  settings: async () => (await import("./settings.ts")).settingsCommand(),
  logs: async () => (await import("./logs.ts")).logsCommand(),
  destroy: async () => (await import("./destroy.ts")).destroyCommand(),
};

const program = new Command("burst")
  .description(
    "gitlab-burst: a GitLab CI runner with no server, and all of it on one machine to try",
  )
  .version(packageVersion())
  .showHelpAfterError("(burst --help lists the commands)")
  // Bad arguments set an exit code; nothing ends the process while output is on its way.
  .exitOverride();

const name = process.argv[2] ?? "";
const called = commands[name];
for (const load of called === undefined ? Object.values(commands) : [called]) {
  program.addCommand((await load()).copyInheritedSettings(program));
}
if (called !== undefined) {
  program.commands[0]?.showHelpAfterError(`(burst ${name} --help shows its flags)`);
}

try {
  await program.parseAsync();
} catch (cause) {
  if (!(cause instanceof CommanderError)) throw cause;
  process.exitCode = cause.exitCode === 0 ? exitCodes.done : exitCodes.usage;
}
