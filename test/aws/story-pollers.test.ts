// Who asks GitLab for jobs, and with which settings: pollers that die, that are two, and parameters that change
// between two requests. The tasks are simulated.

import { afterAll, beforeAll, expect, test } from "vitest";
import { createPaperAgent } from "./paper-agent.ts";
import {
  claimsGone,
  endOf,
  isClaim,
  logOf,
  stateBucket,
  storyReport,
  taskOf,
  tasksOf,
  until,
} from "./story-report.ts";
import { startWorld } from "./world.ts";
import type { World } from "./world.ts";

let world: World;
const agent = createPaperAgent(() => ({
  endpoint: world.front.url,
  region: world.deployment.region,
}));
const troubles: unknown[] = [];

beforeAll(async () => {
  world = await startWorld({
    tasks: (task) => {
      agent.play(task).catch((cause: unknown) => troubles.push(cause));
    },
    // Each event of Lambda's comes twice.
    lambda: { duplicates: 1, retrySeconds: [0.2, 0.4] },
  });
  world.tick("poller");
});

afterAll(() => world?.close());

const settingsOf = (more: object) => ({ url: world.gitlab.url, ...more });
const pollers = () =>
  world.lambda.invocations.filter(
    ({ functionName }) => functionName === world.deployment.functions.poller.name,
  );

/** As when the minute is over for which a dead poller holds its lease, and a launcher has its time. */
async function timePasses() {
  const bucket = stateBucket(world);
  await bucket.change("poller/lease.json", { expiresAt: Date.now() - 1 });
  for (const key of await bucket.keys("claims/")) {
    await bucket.change(key, { claimedAt: Date.now() - 70_000 });
  }
}

test("of two pollers at once one polls, and jobs of events that come twice are run once", async () => {
  const jobs = [];
  for (let count = 0; count < 5; count++) jobs.push(await world.enqueue());
  for (const { id } of jobs) {
    await endOf(world, id, "success");
    expect(tasksOf(world, id)).toHaveLength(1);
  }
  await until(
    "one of them to leave it",
    () => pollers().length === 1,
    () => JSON.stringify(pollers()) + storyReport(world),
  );
  expect(logOf(world, "poller")).toContain('"kind":"held"');
  const asked = new Set(world.front.requests.filter(isClaim).map(({ session }) => session));
  expect([...asked].filter((session) => session.includes("poller"))).toHaveLength(1);
});

test("settings that change between two requests act on the next job", async () => {
  const first = await world.enqueue();
  await endOf(world, first.id, "success");
  expect((await taskOf(world, first.id)).cpuUnits).toBe(1024);
  await world.putParameter(
    "runners/team/settings",
    settingsOf({ sizes: { default: { cpu: 2, memory: "4G" } } }),
  );
  await settingsRead();
  const second = await world.enqueue();
  await endOf(world, second.id, "success");
  expect((await taskOf(world, second.id)).cpuUnits).toBe(2048);
});

test("a runner whose settings are wrong is told, and the others go on", async () => {
  await world.putParameter("runners/other/settings", settingsOf({ imagee: "x" }));
  await world.putParameter("runners/other/token", world.gitlab.runnerToken);
  await until("the mistake to be told", () => logOf(world, "poller").includes("imagee"));
  const line = logOf(world, "poller")
    .split("\n")
    .find((text) => text.includes("imagee"));
  expect(line).toContain("/gitlab-burst/default/runners/other/settings");
  expect(line).toContain("image");
  const { id } = await world.enqueue();
  await endOf(world, id, "success");
  expect((await taskOf(world, id)).request.startedBy).toMatch(/^team\//);
});

test("a token that was revoked is refused three times and rests; a corrected one is used at once", async () => {
  await world.putParameter("runners/team/token", "glrt-revoked-0000000000000000");
  await until(
    "the refusal to be told",
    () =>
      /"TokenRefused"/.test(logOf(world, "poller")) ||
      /not asked again until/.test(logOf(world, "poller")),
    () => storyReport(world),
  );
  const { id } = await world.enqueue();
  expect(world.gitlab.job(id).status).toBe("pending");
  expect(logOf(world, "poller")).not.toContain("glrt-revoked");
  await world.putParameter("runners/team/token", world.gitlab.runnerToken);
  await endOf(world, id, "success");
});

test("a poller that dies after it wrote a claim leaves it to the next one", async () => {
  world.front.addFault({ when: isClaim, do: { kind: "kill-after" } });
  const { id } = await world.enqueue();
  await until("the poller's death", () =>
    pollers().some(({ outcome }) => outcome !== "throttled" && outcome.kind === "died"),
  );
  expect(tasksOf(world, id)).toHaveLength(0);
  await timePasses();
  world.tick("poller");
  await endOf(world, id, "success");
  expect(tasksOf(world, id)).toHaveLength(1);
});

test("a poller that dies between GitLab's 201 and the claim loses that job and no other", async () => {
  const died = pollers().length;
  world.front.addFault({ when: isClaim, do: { kind: "kill-before" } });
  const { id } = await world.enqueue();
  await until("the poller's death", () =>
    pollers()
      .slice(died)
      .some(({ outcome }) => outcome !== "throttled" && outcome.kind === "died"),
  );
  await timePasses();
  world.tick("poller");
  const next = await world.enqueue();
  await endOf(world, next.id, "success");
  // Nobody but GitLab knows of it: its own limit for silent jobs ends it.
  expect(world.gitlab.job(id).status).toBe("running");
  expect(tasksOf(world, id)).toHaveLength(0);
});

test("nothing is left of any of them, and nothing went wrong unseen", async () => {
  await claimsGone(world);
  expect(await world.leftovers()).toMatchObject({ secrets: [], tasks: [] });
  expect(troubles).toEqual([]);
  // The two pollers that the test has killed.
  expect(await world.failures.receive()).toHaveLength(2);
});

/** The next request is made with what is in Parameter Store now. */
async function settingsRead() {
  const from = world.front.requests.length;
  const looks = () =>
    world.front.requests
      .slice(from)
      .filter(({ service, status }) => service === "ssm" && status === 200).length;
  await until("the settings to be read", () => looks() >= 2);
}
