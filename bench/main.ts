// npm run bench [-- [names…] [--quick]]: ratios against baselines measured in the same run. Never asserts on time:
// it fails only where a result is wrong.

import { parseArgs } from "node:util";
import { artifactsBenchmark } from "./artifacts.ts";
import { awsBurst } from "./aws-burst.ts";
import { awsClaim } from "./aws-claim.ts";
import { awsFunctions } from "./aws-functions.ts";
import { awsPoller } from "./aws-poller.ts";
import { cacheBenchmark } from "./cache.ts";
import { dockerJob } from "./docker-job.ts";
import { jobsAtOnce } from "./jobs-at-once.ts";
import { noOpJob } from "./no-op-job.ts";
import { formatTable } from "./row.ts";
import type { Benchmark, Row } from "./row.ts";
import { sourcesBenchmark } from "./sources.ts";
import { traceBenchmark } from "./trace.ts";

const benchmarks: readonly Benchmark[] = [
  noOpJob,
  jobsAtOnce,
  traceBenchmark,
  sourcesBenchmark,
  artifactsBenchmark,
  cacheBenchmark,
  dockerJob,
  awsFunctions,
  awsClaim,
  awsPoller,
  awsBurst,
];

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { quick: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const names = benchmarks.map(({ name }) => name);
  const unknown = positionals.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    console.error(`bench: no benchmark "${unknown.join(", ")}"; there are ${names.join(", ")}`);
    process.exitCode = 2;
    return;
  }
  const rows: Row[] = [];
  const note = (text: string) => console.log(`  ${text}`);
  for (const benchmark of benchmarks) {
    if (positionals.length > 0 && !positionals.includes(benchmark.name)) continue;
    console.log(`${benchmark.name} …`);
    rows.push(...(await benchmark.run({ quick: values.quick, note })));
  }
  console.log(`\n${formatTable(rows)}`);
}

try {
  await main();
} catch (cause) {
  console.error(`bench: ${cause instanceof Error ? cause.message : String(cause)}`);
  process.exitCode = 1;
}
