// Docs/unproven.md, "Inside a task": what a probe's agent and job saw of each other.

import { judge } from "./belief.ts";
import type { Belief, Finding } from "./belief.ts";

type Said = ReadonlyMap<string, string>;

/** Each from what the containers of one task have said. */
const told: Readonly<Record<string, (said: Said) => Finding>> = {
  "starts-while-pulling": (said) => {
    const first = said.get("first") ?? "nothing";
    return judge(
      ["NONE", "MANIFEST_PULLED"].includes(first),
      `the job's container was ${first} when the agent began, then ${said.get("statuses") ?? "not seen"}`,
    );
  },
  "fifo-on-volume": (said) => {
    const [done, uid] = [said.get("job.done"), said.get("job.uid")];
    return judge(done === "1" && uid === "1000", `the job (uid ${uid ?? "unknown"}) was heard`);
  },
  "hosts-own": (said) => {
    const seen = said.get("job.hosts");
    const text = { "0": "each container has its own", "1": "all containers share one" }[seen ?? ""];
    return judge(text !== undefined, text ?? "the job could not read it");
  },
  "oom-score": (said) =>
    judge(said.get("job.oom") === "1000", `oom_score_adj ${said.get("job.oom") ?? "unchanged"}`),
  "no-credentials": (said) => {
    const found = [said.get("credentials"), said.get("job.credentials")];
    return judge(
      found.every((text) => text === ""),
      found.every((text) => text === "") ? "none in agent and job" : "there are some",
    );
  },
  "metadata-fields": (said) => metadataFields(said.get("task") ?? "{}"),
  "metadata-memory": (said) =>
    judge(Number(said.get("memory")) > 0, `${said.get("memory") ?? "no"} bytes`),
};

export const insideBeliefs: readonly Belief[] = [
  ...Object.entries(told).map(([name, read]): Belief => ({
    name,
    find: async ({ probe }) => read(await (await probe("meeting")).said()),
  })),
  {
    name: "entry-drops-cmd",
    find: async ({ probe }) => {
      const [line = "nothing"] = await (await probe("meeting")).lines("echo");
      return judge(line.trim() === "called-with:", line);
    },
  },
  {
    name: "log-stream",
    find: async ({ probe }) => {
      const lines = await (await probe("meeting")).lines();
      return judge(lines.length > 0, `${lines.length} lines in proof/agent/<task id>`);
    },
  },
];

/** What src/agent/task/metadata.ts reads. */
export function metadataFields(text: string): Finding {
  const task: unknown = JSON.parse(text);
  const lacking = (["TaskARN", "DesiredStatus", "PullStartedAt", "Containers"] as const).filter(
    (field) => !hasField(task, field),
  );
  const containers =
    hasField(task, "Containers") && Array.isArray(task.Containers) ? task.Containers : [];
  const inContainers = ["DockerId", "Name", "Image", "KnownStatus", "StartedAt"].filter(
    (field) => !containers.some((container: unknown) => hasField(container, field)),
  );
  const all = [...lacking, ...inContainers.map((field) => `Containers[].${field}`)];
  return judge(all.length === 0, all.length === 0 ? "all there" : `missing: ${all.join(", ")}`);
}

function hasField<K extends string>(value: unknown, field: K): value is Record<K, unknown> {
  return typeof value === "object" && value !== null && field in value;
}
