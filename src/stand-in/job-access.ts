// Who may do what with a job, by its token. GitLab never answers 404 here: a 403 is what makes a
// runner stop, and `Job-Status` tells it why.

import type { Exchange, Params } from "./http/exchange.ts";
import type { Reply } from "./http/reply.ts";
import { refuse } from "./http/reply.ts";
import type { Job } from "./model.ts";
import { executing } from "./model.ts";
import type { World } from "./world.ts";

export type JobAccess =
  | { readonly kind: "job"; readonly job: Job }
  | { readonly kind: "refused"; readonly reply: Reply };

/** The job of the path, if the token is its own and it is executing. */
export function executingJob(world: World, exchange: Exchange, params: Params): JobAccess {
  const job = world.jobs.get(Number(exchange.captured["id"]));
  if (job === undefined || job.token !== tokenOf(exchange, params)) {
    return { kind: "refused", reply: refuse(403) };
  }
  if (!executing(job.status)) {
    const reply = refuse(403, "Job is not processing", { "job-status": job.status });
    return { kind: "refused", reply };
  }
  return { kind: "job", job };
}

/** GitLab looks at the parameter first and at the header only without it. */
export function tokenOf(exchange: Exchange, params: Params): string {
  const given = params["token"] ?? exchange.headers["job-token"] ?? "";
  return typeof given === "string" ? given : "";
}
