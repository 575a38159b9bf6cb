// Thrown where another attempt of this job may run its script, or nobody can say that this one may: nothing is run, and
// GitLab hears no more from here.

import { ContainerGone } from "./container-gone.ts";

/** Ends the job as a container that is gone does: without a word on its result. */
export class FenceLost extends ContainerGone {}
