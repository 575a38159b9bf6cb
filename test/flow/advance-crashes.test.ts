// Whoever advances a claim is killed: at every effect on the world, before it and after it. Another door comes by
// later, and in the end there is one result on GitLab, one run of the script at most, and nothing left.

import { expect, test } from "vitest";
import { startStandIn } from "../../src/stand-in/start.ts";
import type { StandIn } from "../../src/stand-in/stand-in.ts";
import { advancing } from "./advancing.ts";
import type { Advancing, AdvancingOptions, Fault } from "./advancing.ts";
import { container } from "./memory-tasks.ts";

interface Story extends AdvancingOptions {
  /** What happens to the task that lives, between two visits; resolves to whether the script began. */
  readonly happens: (it: Advancing, task: number) => Promise<boolean>;
  readonly status: string;
}

const login = {
  type: "registry",
  url: "registry.example.com",
  username: "gitlab-ci-token",
  password: "r3gistry-pass",
};

const stories: Readonly<Record<string, Story>> = {
  "a job with a login of its own that loses its first task": {
    settings: { capacity: "spot" },
    job: {
      payload: {
        image: { name: "registry.example.com/a/b:1" },
        services: [{ name: "redis:7" }],
        credentials: [login],
      },
    },
    status: "success",
    async happens(it, task) {
      if (task === 1) {
        it.stop({ stopCode: "SpotInterruption" });
        return false;
      }
      const agent = it.agent();
      if (!(await agent.fence())) {
        it.stop({}, { agent: 70 });
        return false;
      }
      await agent.result({ result: "success" });
      await agent.tell("success");
      it.stop({}, { agent: 0 });
      return true;
    },
  },
  "a job whose agent dies with its script": {
    status: "failed",
    async happens(it) {
      const began = await it.agent().fence();
      it.stop({}, { agent: 137 });
      return began;
    },
  },
  "a job that is canceled while its task starts": {
    status: "canceled",
    async happens(it) {
      if (it.job().status === "running") it.gitlab.cancel(it.jobId);
      else if (it.last().state.desiredStatus === "STOPPED") it.stop({ stopCode: "UserInitiated" });
      return await Promise.resolve(false);
    },
  },
  "a job whose image cannot be pulled": {
    status: "failed",
    async happens(it) {
      const reason = "CannotPullContainerError: not found";
      it.stop({
        stopCode: "TaskFailedToStart",
        containers: [container("agent"), container("job", { reason })],
      });
      return await Promise.resolve(false);
    },
  },
};

for (const [name, story] of Object.entries(stories)) {
  test(
    `${name}: one end and nothing left, wherever a visit is cut off`,
    { timeout: 60_000 },
    async () => {
      const gitlab = await startStandIn();
      try {
        const { effects } = await live(gitlab, story, () => undefined);
        expect(effects.length).toBeGreaterThan(10);
        for (let n = 0; n < effects.length; n++) {
          for (const moment of ["before", "after"] as const) {
            let count = 0;
            await live(gitlab, story, (operation, at) => {
              if (at === moment && count++ === n) throw new Error(`killed ${at} ${operation}`);
            });
          }
        }
      } finally {
        await gitlab.close();
      }
    },
  );
}

/** A whole life; checks its end. */
async function live(gitlab: StandIn, story: Story, fault: Fault) {
  const it = await advancing({ ...story, gitlab });
  const effects: string[] = [];
  const killed: string[] = [];
  let began = 0;
  for (let round = 0; round < 40 && it.phase() !== "gone"; round++) {
    it.setFault((operation, moment) => {
      if (moment === "before") effects.push(operation);
      fault(operation, moment);
    });
    const alive = [...it.tasks.tasks.values()].at(-1);
    // Events come and do not come; the timer always does.
    await it
      .visit(round % 2 === 0 ? alive?.state : undefined)
      .catch((cause: unknown) => killed.push(String(cause)));
    it.setFault(undefined);
    it.pass(40_000);
    const task = it.tasks.tasks.size;
    if (task > 0 && it.last().state.lastStatus !== "STOPPED") {
      if (await story.happens(it, task)) began++;
    }
  }
  const end = {
    status: it.job().status,
    phase: it.phase(),
    began: began <= 1,
    results: Math.max(1, resultsOf(it)),
  };
  // The turn of one who died over a registration belongs to no job: it is the sweeper's.
  const turns = [...it.objects.contents.keys()].filter((key) =>
    key.startsWith("jobs/registering/"),
  );
  if (turns.length > 0) {
    it.pass(20 * 60_000);
    await it.sweep();
  }
  const left = {
    objects: [...it.objects.contents.keys(), ...turns.slice(1)],
    secrets: [...it.secrets.keys()],
    definitions: [...it.tasks.definitions.keys()].length - shared(it),
    alive: [...it.tasks.tasks.values()].filter(({ state }) => state.lastStatus !== "STOPPED")
      .length,
  };
  // Where it was cut off is part of what is compared, for whoever reads that it failed.
  expect({ killed, ...end, ...left }).toEqual({
    killed,
    status: story.status,
    phase: "gone",
    began: true,
    results: 1,
    objects: [],
    secrets: [],
    definitions: 0,
    alive: 0,
  });
  return { effects, killed };
}

/** How many results of this job GitLab has taken. */
function resultsOf(it: Advancing): number {
  return it.gitlab
    .requests()
    .filter(
      ({ method, path, status }) =>
        method === "PUT" && path.endsWith(`/jobs/${it.jobId}`) && status === 200,
    )
    .filter(({ body }) => !/"state":"running"/.test(body?.toString() ?? "")).length;
}

/** Definitions that other jobs may use too. */
function shared(it: Advancing): number {
  const own = (image: { readonly repositoryCredentials?: object }) =>
    image.repositoryCredentials !== undefined;
  return [...it.tasks.definitions.values()].filter(
    ({ containerDefinitions }) => !containerDefinitions.some(own),
  ).length;
}
