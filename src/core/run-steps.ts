// A job may come with `run`, a JSON text of CI steps, in place of scripts. Without native steps it is
// handed to the `step-runner` program of the job's image.

import type { Job } from "./job.ts";
import { Secret } from "./secret.ts";

/** The same job with a script in place of `run`. */
export function withStepRunner(job: Job): Job {
  if (job.run === "") return job;
  const steps = {
    key: "STEPS",
    value: new Secret(job.run),
    public: false,
    masked: false,
    file: false,
    raw: true,
  };
  const script = {
    name: "script",
    script: ["step-runner ci"],
    timeout: 3600,
    when: "on_success",
    allow_failure: false,
  };
  return { ...job, run: "", variables: [...job.variables, steps], steps: [script] };
}
