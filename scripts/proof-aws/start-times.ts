// From RunTask to the job's container, by the size of its image.

import { judge } from "./belief.ts";
import type { Finding } from "./belief.ts";
import type { World } from "./world.ts";

/** As the docs promise. */
const mostSeconds = 60;

export async function startTimes({ probe }: Pick<World, "probe">): Promise<Finding> {
  const rows = await Promise.all(
    (["small", "medium", "large"] as const).map(async (name) => {
      const { task } = await (await probe(name)).end();
      const { createdAt, pullStartedAt, pullStoppedAt, startedAt } = task;
      const pulled = span(pullStartedAt, pullStoppedAt);
      const started = span(createdAt, startedAt);
      return { started, text: `${name}: started after ${started} s, of them ${pulled} s pulling` };
    }),
  );
  return judge(
    rows.every(({ started }) => started <= mostSeconds),
    rows.map(({ text }) => text).join("; "),
  );
}

/** Not started at all is too late. */
function span(from: number | undefined, to: number | undefined): number {
  if (from === undefined || to === undefined) return Number.POSITIVE_INFINITY;
  return Math.round((to - from) / 1000);
}
