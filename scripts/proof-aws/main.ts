// npm run proof:aws: sees on AWS what docs/unproven.md only believes, and writes it down with the date.

import { readFileSync, writeFileSync } from "node:fs";
import { onAws } from "../../src/cli/aws-place.ts";
import { exitCodes } from "../../src/cli/exit.ts";
import { packageVersion } from "../../src/cli/package-version.ts";
import { SettingsError } from "../../src/core/errors.ts";
import { parseArguments } from "./arguments.ts";
import type { ProofArguments } from "./arguments.ts";
import type { Belief, Finding } from "./belief.ts";
import { beliefs } from "./beliefs.ts";
import { findEnvironment, openWorld } from "./open-world.ts";
import { expectedDollars, probeNames } from "./probe-spec.ts";
import { printedLine, proofPage, summary } from "./report.ts";
import type { Found } from "./report.ts";
import { createUndo } from "./undo.ts";
import { unprovenLines } from "./unproven.ts";
import type { World } from "./world.ts";

const docs = new URL("../../docs/", import.meta.url);
const say = (line: string) => void process.stdout.write(`${line}\n`);

async function prove(options: ProofArguments): Promise<void> {
  const environment = await onAws(() => findEnvironment(options));
  const chosen = beliefs.filter(
    ({ name }) => options.only.length === 0 || options.only.includes(name),
  );
  // The probes, and three that are started with the launcher's role.
  const tasks = probeNames.length + 3;
  say(
    `In the environment ${options.env} this looks at ${chosen.length} beliefs of docs/unproven.md:`,
  );
  say(`up to ${tasks} small tasks on Fargate, one function, one queue, one rule, one secret.`);
  say(`It takes about half an hour and costs about $${expectedDollars(tasks).toFixed(2)}.`);
  say("All that it makes is removed at the end. Jobs of the environment go on meanwhile.");
  if (!options.yes) throw new SettingsError("Nothing was done: give --yes to do it");
  const undo = createUndo();
  const interrupted = new Promise<undefined>((resolve) => {
    process.once("SIGINT", () => {
      process.exitCode = exitCodes.interrupted;
      resolve(undefined);
    });
  });
  try {
    const world = await openWorld(environment, options, undo);
    const all = Promise.all(chosen.map((belief) => findOne(world, belief)));
    const found = await Promise.race([all, interrupted]);
    if (found === undefined) say("Interrupted: what was made is removed, which takes a minute");
    else keep(world.region, found);
  } finally {
    const left = await undo.all();
    for (const what of left) process.stderr.write(`still there: ${what}\n`);
    if (left.length > 0) process.exitCode = exitCodes.failed;
    // Assertions may still wait for something that is gone now.
    if (process.exitCode === exitCodes.interrupted) process.exit();
  }
}

async function findOne(world: World, { name, find }: Belief): Promise<Found> {
  let finding: Finding;
  try {
    finding = await find(world);
  } catch (cause) {
    finding = { kind: "unclear", seen: cause instanceof Error ? cause.message : String(cause) };
  }
  const found = { name, finding };
  say(printedLine(found));
  return found;
}

function keep(region: string, found: readonly Found[]): void {
  if (process.env["AWS_ENDPOINT_URL"] !== undefined) {
    say(
      `${summary(found)}; nothing is written down, for AWS_ENDPOINT_URL is set: this was not AWS`,
    );
    return;
  }
  const date = new Date().toISOString().slice(0, 10);
  const lines = unprovenLines(readFileSync(new URL("unproven.md", docs), "utf8"));
  const place = { date, region, version: packageVersion() };
  writeFileSync(new URL(`proof-${date}.md`, docs), proofPage(place, found, lines));
  say(`${summary(found)}; docs/proof-${date}.md has it all`);
  if (found.some(({ finding }) => finding.kind === "wrong")) process.exitCode = exitCodes.failed;
}

const parsed = parseArguments(
  process.argv.slice(2),
  beliefs.map(({ name }) => name),
  (text) => void process.stderr.write(text),
);
if (parsed.kind === "ended") process.exitCode = parsed.exitCode;
else {
  try {
    await prove(parsed.arguments);
  } catch (cause) {
    process.stderr.write(`proof:aws: ${cause instanceof Error ? cause.message : String(cause)}\n`);
    process.exitCode = cause instanceof SettingsError ? exitCodes.usage : exitCodes.failed;
  }
}
