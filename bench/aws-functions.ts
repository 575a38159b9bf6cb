// The functions as they are shipped: how large each is, and how long a new process takes to load it, beside Node's own
// start with nothing to load.

import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { functionNames } from "../infra/bundles.ts";
import { variables } from "../test/aws/one-process.ts";
import { functionFile } from "../test/harness/functions.ts";
import { timesOf } from "./rounds.ts";
import { milliseconds } from "./row.ts";
import type { Benchmark, Row } from "./row.ts";

export const awsFunctions: Benchmark = {
  name: "aws-functions",
  async run({ quick, note }) {
    const rows: Row[] = [];
    for (const name of functionNames) {
      const file = await functionFile(name);
      const rounds = Array.from({ length: quick ? 2 : 5 }, () => ({
        ours: startOf(`await import(${JSON.stringify(file)})`),
        bare: startOf(""),
      }));
      const ours = timesOf(rounds.map((round) => round.ours.whole)).best;
      const bare = timesOf(rounds.map((round) => round.bare.whole)).best;
      const ready = timesOf(rounds.map((round) => round.ours.ready)).best;
      note(
        `${name}: ${(statSync(file).size / 1e6).toFixed(2)} MB, import to ready ${milliseconds(ready)}`,
      );
      rows.push({
        name: `start of the ${name}`,
        measured: milliseconds(ours),
        baseline: milliseconds(bare),
        ratio: ours / bare,
        aim: undefined,
        memory: undefined,
      });
    }
    return rows;
  },
};

/** A process that loads it, and ends. */
function startOf(code: string): { whole: number; ready: number } {
  const program = `const began = performance.now(); ${code}; console.error("ready " + (performance.now() - began)); process.exit(0);`;
  const began = performance.now();
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    env: {
      ...variables,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "BENCH",
      AWS_SECRET_ACCESS_KEY: "nothing",
    },
    encoding: "utf8",
  });
  const whole = performance.now() - began;
  const ready = /^ready ([\d.]+)$/m.exec(child.stderr)?.[1];
  if (ready === undefined) throw new Error(`a function does not load: ${child.stderr}`);
  return { whole, ready: Number(ready) };
}
