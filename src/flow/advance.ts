// Brings one claim forward as far as it goes: reads its record, looks, decides, acts, and writes what has become of it
// under the record's ETag. Any number may do so at once, and any of them may die between two lines: what each writes
// before it acts is enough for the next.

import { advance } from "../core/advance.ts";
import type { Action } from "../core/advance.ts";
import { claimSchema, parseClaimId } from "../core/claim.ts";
import { stateKeys } from "../core/state-keys.ts";
import type { TaskState } from "../core/task-state.ts";
import type { AdvanceDeps } from "./advance-deps.ts";
import { readClaimedJob } from "./claimed-job.ts";
import { cleanUp } from "./clean-up.ts";
import { close, decide, tell } from "./end-claim.ts";
import { observe } from "./observe.ts";
import type { Seen } from "./observe.ts";
import type { LoadedRunner } from "./runners.ts";
import { announce, prepare, relaunch, run, toRunning } from "./start-claim.ts";
import type { Advanced, Visit } from "./visit.ts";

/** A visit that goes on for longer than this goes in circles: the next one may go on. */
const mostSteps = 40;

/** `task`: what an event has told of one of its tasks. */
export async function advanceClaim(
  deps: AdvanceDeps,
  claimId: string,
  task?: TaskState,
): Promise<Advanced> {
  const id = parseClaimId(claimId);
  if (id === undefined) return { kind: "gone" };
  const key = stateKeys.claim(id);
  const seen: Seen = { task, job: undefined, sent: false, unanswered: 0 };
  // Once a visit: Parameter Store answers an account 40 questions a second, and a burst of jobs is hundreds of visits.
  let runner: Promise<LoadedRunner | undefined> | undefined;
  const remembering: AdvanceDeps = {
    ...deps,
    loadRunner: (name) => (runner ??= deps.loadRunner(name)),
  };
  for (let step = 0; step < mostSteps; step++) {
    const readAt = deps.now();
    const stored = await deps.objects.read(key);
    if (stored === undefined) return { kind: "gone" };
    const claim = claimSchema.parse(JSON.parse(stored.body));
    const job = await readClaimedJob(remembering, claimId, claim);
    const observed = await observe(deps, job, seen);
    const action = advance(claim, observed);
    const visit: Visit = {
      deps,
      claimId,
      job,
      seen,
      observed,
      readAt,
      save: async (next) => {
        const saved = await deps.objects.replace(key, JSON.stringify(next), stored.etag);
        return saved.kind === "written";
      },
    };
    if (action.kind === "wait") {
      return { kind: "waiting", phase: claim.phase.kind, until: action.until };
    }
    const rest = await act(visit, action);
    if (rest !== undefined) return rest;
  }
  deps.logger.warn("a claim is visited in circles", { claim: claimId });
  return { kind: "waiting", phase: "claimed", until: undefined };
}

/** undefined: look again. */
async function act(
  visit: Visit,
  action: Exclude<Action, { kind: "wait" }>,
): Promise<Advanced | undefined> {
  const { deps, job } = visit;
  switch (action.kind) {
    case "announce":
      return await announce(visit, action.launch);
    case "prepare":
      return await prepare(visit, action.launch);
    case "run":
      return await run(visit);
    case "adopt":
      await toRunning(visit, action.taskArn);
      return undefined;
    case "relaunch":
      return await relaunch(visit, action);
    case "decide":
      return await decide(visit, action.verdict);
    case "tell":
      return await tell(visit, action.verdict);
    case "close":
      return await close(visit, action);
    case "stop":
      for (const arn of action.taskArns) await deps.tasks.stop(arn, "The job is over on GitLab");
      return { kind: "waiting", phase: "closing", until: deps.now() + 30_000 };
    case "remove":
      await cleanUp(deps, job.id, job.claim);
      return { kind: "gone" };
  }
}
