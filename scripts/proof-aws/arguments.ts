// What the proof is called with.

import { Command, CommanderError } from "commander";

export interface ProofArguments {
  readonly env: string;
  readonly region?: string;
  readonly prefix?: string;
  readonly only: readonly string[];
  readonly yes: boolean;
}

export type ParsedArguments =
  | { readonly kind: "arguments"; readonly arguments: ProofArguments }
  /** Said already: help, or what is wrong. */
  | { readonly kind: "ended"; readonly exitCode: 0 | 2 };

export function parseArguments(
  argv: readonly string[],
  known: readonly string[],
  write: (text: string) => void,
): ParsedArguments {
  const command = new Command("proof:aws")
    .description("see on AWS what docs/unproven.md only believes; takes a deployed environment")
    .option("--env <name>", "the environment, as it was deployed", "default")
    .option("--region <name>", "AWS's region (or AWS_REGION, or the profile's)")
    .option("--prefix <name>", "the deployment's namePrefix (default: gitlab-burst-<env>)")
    .option("--only <names>", "these alone, by commas, as docs/unproven.md names them")
    .option("--yes", "do it, instead of only saying what it would do and cost")
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: write });
  try {
    command.parse([...argv], { from: "user" });
  } catch (cause) {
    if (!(cause instanceof CommanderError)) throw cause;
    return { kind: "ended", exitCode: cause.exitCode === 0 ? 0 : 2 };
  }
  const { only, yes, ...place } = command.opts<{
    env: string;
    region?: string;
    prefix?: string;
    only?: string;
    yes?: boolean;
  }>();
  const names = (only ?? "").split(",").filter((name) => name !== "");
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    write(`--only ${unknown.join(",")}: docs/unproven.md has no such line\n`);
    return { kind: "ended", exitCode: 2 };
  }
  return { kind: "arguments", arguments: { ...place, only: names, yes: yes === true } };
}
