// What git and the like are started with, beside the job: the agent's own surroundings, and where they fetch for the
// job, its variables. None of those may choose which programs run here, or load code of the job's into them.

import type { JobRun } from "./job-run.ts";

type Environment = Readonly<Record<string, string>>;

/** They speak of the job's image, not of the agent's: search paths, loaders, shells' start files. */
const ofTheJobsImage =
  /^(?:PATH|LD_.*|DYLD_.*|GIT_EXEC_PATH|BASH_ENV|ENV|BASH_FUNC_.*|SHELLOPTS|BASHOPTS|PS4|IFS|NODE_.*)$/;
/** By these we know what is ours, and tell it where things are. */
const ofOurs = /^BURST_/;
/** On a machine that both share these are the same for both. */
const ofItsUser = /^(?:HOME|XDG_CONFIG_HOME)$/;

/** For what runs in a tree that a script has had in its hands: nothing of the job's. */
export function ownEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith("NODE_"),
    ),
  );
}

export function sourcesEnvironment(
  { variables, handOff }: Pick<JobRun, "variables" | "handOff">,
  own: Environment = ownEnvironment(),
): Environment {
  const shared = handOff.executor === "process";
  const jobs = [...variables.environment()].filter(
    ([name]) =>
      !ofTheJobsImage.test(name) && !ofOurs.test(name) && (shared || !ofItsUser.test(name)),
  );
  return { ...own, ...Object.fromEntries(jobs) };
}
