// How `burst demo` shows itself: a pipeline's picture, each job's trace as it comes, and what came of it.

import type { JobView, PipelineView } from "../../stand-in/views.ts";
import { createTraceView } from "./trace-view.ts";
import type { TraceView } from "./trace-view.ts";

const anyColour = /\u001B\[[\d;]*[A-Za-z]/g;

export interface Screen {
  say(text: string): void;
  pipeline(pipeline: PipelineView): void;
  trace(job: Pick<JobView, "id" | "name" | "stage">, bytes: Uint8Array): void;
  /** Closes a job's trace; `places` are where its artifacts lie. */
  jobEnd(job: JobView, places: readonly string[]): void;
}

/** `coloured`: whether the reader's terminal shows colours. */
export function createScreen(write: (text: string) => void, coloured: boolean): Screen {
  const views = new Map<number, TraceView>();
  const line = (text: string) => write(`${coloured ? text : text.replaceAll(anyColour, "")}\n`);
  const paint = (code: number, text: string) => `\u001B[${code}m${text}\u001B[0m`;
  const bold = (text: string) => paint(1, text);
  const dim = (text: string) => paint(2, text);

  return {
    say: line,
    pipeline(pipeline) {
      const stages = pipeline.stages.filter((stage) => jobsOf(pipeline, stage).length > 0);
      const picture = stages.map((stage) => `${stage} (${jobsOf(pipeline, stage).join(", ")})`);
      line("");
      line(`${bold(pipeline.project)}  pipeline ${pipeline.id} for ${pipeline.ref}`);
      line(`  ${picture.join("  ->  ")}`);
    },
    trace(job, bytes) {
      let view = views.get(job.id);
      if (view === undefined) {
        view = createTraceView();
        views.set(job.id, view);
        line("");
        line(`  ${bold(`${job.stage} / ${job.name}`)}  ${dim(`job ${job.id}`)}`);
      }
      for (const text of view.take(bytes)) line(`  ${dim("|")} ${text}`);
    },
    jobEnd(job, places) {
      const view = views.get(job.id);
      views.delete(job.id);
      for (const text of view?.end() ?? []) line(`  ${dim("|")} ${text}`);
      const times = (view?.sections ?? []).map(
        ({ name, seconds }) => `${name} ${seconds.toFixed(2)} s`,
      );
      const colour = job.status === "success" ? 32 : 31;
      const reason = job.failureReason === undefined ? "" : ` (${job.failureReason})`;
      line(`  ${dim("`-")} ${paint(colour, job.status)}${reason} in ${seconds(job)}`);
      if (times.length > 0) line(`     ${dim(times.join(", "))}`);
      for (const place of places) line(`     artifacts: ${place}`);
    },
  };
}

function jobsOf(pipeline: PipelineView, stage: string): readonly string[] {
  return pipeline.jobs.filter((job) => job.stage === stage).map(({ name }) => name);
}

function seconds(job: JobView): string {
  if (job.startedAt === undefined || job.finishedAt === undefined) return "no time";
  return `${((job.finishedAt - job.startedAt) / 1000).toFixed(1)} s`;
}
