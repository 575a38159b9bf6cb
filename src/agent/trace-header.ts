// The first lines of a trace: who runs this job, with which feature flags.

import { changedFlags } from "../core/feature-flags.ts";
import type { ReadyJob } from "./ready-job.ts";
import type { Trace } from "./trace.ts";

export function printHeader(trace: Trace, ready: ReadyJob): void {
  const { runner, gitlab } = ready.handOff;
  const revision = runner.revision === "" ? "" : ` (${runner.revision})`;
  trace.log.line(`Running with gitlab-burst ${runner.version}${revision}`);
  trace.log.line(`  on ${runner.name} ${runner.shortToken}, system ID: ${gitlab.systemId}`);
  const flags = changedFlags(ready.featureFlags);
  if (flags !== "") trace.log.line(`  feature flags: ${flags}`);
  for (const warning of ready.warnings) trace.log.warning(warning);
}
