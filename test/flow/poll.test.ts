import { expect, test } from "vitest";
import type { ClaimRecord } from "../../src/core/claim.ts";
import type { Obstacle } from "../../src/core/obstacle.ts";
import { Secret } from "../../src/core/secret.ts";
import { patient } from "../harness/patient.ts";
import { polling } from "./polling.ts";

test("a job is recorded with GitLab's very words, and then its name is handed to the launcher", async () => {
  const scene = await polling();
  const job = await scene.gitlab.enqueue();
  const polled = await scene.poll(0.3);
  expect(polled).toEqual({ kind: "polled", claimed: 1 });
  const [claim] = scene.claims();
  expect(claim).toMatchObject({
    jobId: job.id,
    url: scene.gitlab.url,
    systemId: "s_0123456789ab",
    phase: { kind: "claimed" },
    trace: "",
  });
  expect(JSON.parse(claim?.body ?? "")).toMatchObject({ id: job.id, token: claim?.token });
  expect(claim?.id).toMatch(/^team\/1024\/[0-9a-f]{32}$/);
  expect(scene.invoked).toEqual([JSON.stringify(["the-launcher", { claim: claim?.id }])]);
  expect(JSON.stringify([scene.lines, scene.invoked])).not.toContain(claim?.token ?? "?");
});

test("no more jobs are taken than the budget of vCPU has room for", async () => {
  const scene = await polling();
  scene.parameters.put("settings", "check_interval: 0\nvcpu_budget: 2\n");
  for (let count = 0; count < 4; count++) await scene.gitlab.enqueue();
  await scene.poll(0.3);
  expect(scene.claims()).toHaveLength(2);
  expect(scene.requests()).toHaveLength(2);
});

test("a poller that was killed after the record leaves the job to the next one, which hands it over again", async () => {
  const scene = await polling();
  await scene.gitlab.enqueue();
  scene.launcher.fail = true;
  await scene.poll(0.3);
  expect(scene.invoked).toEqual([]);
  scene.launcher.fail = false;
  scene.clock.ahead += 61_000;
  await scene.poll(0.3, "poller-2");
  expect(scene.invoked).toHaveLength(1);
});

test("where the bucket fails after the 201, GitLab hears at once that the job failed, and why", async () => {
  const scene = await polling();
  const job = await scene.gitlab.enqueue();
  scene.objects.fault = (operation, key) => {
    if (operation === "create" && key.startsWith("claims/")) throw new Error("S3 is down");
  };
  await scene.poll(0.3);
  const { status, failureReason, trace } = scene.gitlab.job(job.id);
  expect({ status, failureReason }).toEqual({
    status: "failed",
    failureReason: "runner_system_failure",
  });
  expect(String(trace())).toContain("could not write down");
  expect(scene.claims()).toEqual([]);
});

test("a lost answer to a write that happened is no reason for a second poller's record", async () => {
  const scene = await polling();
  await scene.gitlab.enqueue();
  let lost = 0;
  scene.objects.fault = (operation, key, moment) => {
    if (operation !== "replace" || key !== "poller/lease.json" || moment !== "after") return;
    if (lost++ === 0) throw new Error("the answer is lost");
  };
  expect(await scene.poll(0.3)).toEqual({ kind: "polled", claimed: 1 });
});

test("three refusals of the token end the asking, for another poller too; a corrected token is tried at once", async () => {
  const scene = await polling();
  scene.parameters.put("runners/team/token", new Secret("glrt-wrong"));
  await scene.poll(0.3);
  expect(scene.requests()).toHaveLength(3);
  expect(scene.counted.get("TokenRefused")).toBe(3);
  expect(JSON.stringify(scene.lines)).not.toContain("glrt-wrong");
  await scene.poll(0.3, "poller-2");
  expect(scene.requests()).toHaveLength(3);
  // Told each minute, as long as it rests.
  expect(scene.counted.get("TokenRefused")).toBe(4);

  await scene.gitlab.enqueue();
  scene.parameters.put("runners/team/token", new Secret(scene.gitlab.runnerToken));
  expect(await scene.poll(0.3, "poller-3")).toEqual({ kind: "polled", claimed: 1 });
});

test("of two pollers one polls, and the other ends", async () => {
  const scene = await polling();
  const first = scene.poll(1.5, "poller-1");
  await expect.poll(() => scene.requests().length, patient).toBeGreaterThan(0);
  const farAhead = { holder: "poller-2", killedAt: scene.now() + 75_000 };
  const { poll } = await import("../../src/flow/poll.ts");
  expect(await poll(scene.newDeps(), farAhead)).toEqual({ kind: "held", holder: "poller-1" });
  await first;
});

test("a poller whose lease another has taken asks for nothing more", async () => {
  const scene = await polling();
  const first = scene.poll(20, "poller-1");
  await expect.poll(() => scene.requests().length, patient).toBeGreaterThan(0);
  const lease = JSON.parse(scene.objects.contents.get("poller/lease.json") ?? "{}") as object;
  const other = { ...lease, holder: "poller-2", expiresAt: scene.now() + 3_600_000 };
  await scene.objects.write("poller/lease.json", JSON.stringify(other));
  scene.clock.ahead += 11_000;
  await first;
  expect(scene.lines.map(({ message }) => message)).toContain(
    "The lease is lost; another poller asks from now on",
  );
});

test("one runner's mistake is told and does not keep the others from work", async () => {
  const scene = await polling();
  scene.parameters.put("runners/other/settings", `url: ${scene.gitlab.url}\n`);
  scene.parameters.put("runners/other/token", new Secret(scene.gitlab.runnerToken));
  scene.parameters.put("runners/bad/settings", "limt: 3\n");
  scene.parameters.put("runners/bad/token", new Secret("glrt-secret-of-bad"));
  await scene.gitlab.enqueue();
  expect(await scene.poll(0.3)).toEqual({ kind: "polled", claimed: 1 });
  expect(scene.lines).toContainEqual({
    level: "error",
    message: '/gitlab-burst/test/runners/bad/settings: unknown key "limt"; did you mean "limit"?',
    fields: {},
  });
  expect(scene.counted.get("TokenRefused")).toBeUndefined();
});

test("where the claims cannot be listed nobody asks: they could not be recorded either", async () => {
  const scene = await polling();
  scene.objects.fault = (operation) => {
    if (operation === "list") throw new Error("S3 is down");
  };
  await scene.poll(0.3);
  expect(scene.requests()).toEqual([]);
});

test("a setting that was changed acts at the next request", async () => {
  const scene = await polling();
  const polled = scene.poll(3);
  await expect.poll(() => scene.requests().length, patient).toBeGreaterThan(0);
  scene.parameters.put("settings", "paused: true\n");
  expect(await polled).toEqual({ kind: "idle" });
});

test("a token is decrypted when it is new, and not again", async () => {
  const scene = await polling();
  await scene.poll(1.3);
  expect(scene.parameters.decrypted).toEqual(["/gitlab-burst/test/runners/team/token"]);
});

const waitingClaim = `team/1024/${"a".repeat(32)}`;

async function putWaiting(scene: Awaited<ReturnType<typeof polling>>, obstacle?: Obstacle) {
  const name = waitingClaim;
  const launch = { attempt: 1, rung: 0, try: 0 };
  const record: ClaimRecord = {
    version: 1,
    id: name,
    url: scene.gitlab.url,
    systemId: "s_0123456789ab",
    jobId: 1,
    token: "t",
    claimedAt: scene.now(),
    body: "{}",
    trace: "",
    phase: {
      kind: "waiting",
      launch,
      until: scene.now() + 700,
      since: scene.now(),
      why: "no room",
      obstacle,
    },
    owned: [],
  };
  await scene.objects.write(`claims/${name}.json`, JSON.stringify(record));
}

test("a claim that waits for quota is handed over when its time has come, and until then nobody asks for more", async () => {
  const scene = await polling();
  await putWaiting(scene, "quota");
  await scene.gitlab.enqueue();
  await scene.poll(0.4);
  expect(scene.invoked).toEqual([]);
  await scene.poll(1.5, "poller-2");
  expect(scene.invoked).toEqual([JSON.stringify(["the-launcher", { claim: waitingClaim }])]);
  expect(scene.requests()).toEqual([]);
});

test.each([["no-capacity"], [undefined]] as const)(
  "a claim that waits for capacity, or does not say for what, takes its place and nobody else's: %s",
  async (obstacle) => {
    const scene = await polling();
    scene.parameters.put("settings", "check_interval: 0\nvcpu_budget: 2\n");
    await putWaiting(scene, obstacle);
    for (let count = 0; count < 2; count++) await scene.gitlab.enqueue();
    expect(await scene.poll(0.4)).toEqual({ kind: "polled", claimed: 1 });
    expect(scene.claims()).toHaveLength(2);
  },
);

test("no request begins after the end, and the answer of one that is under way is waited for and recorded", async () => {
  const scene = await polling();
  await scene.gitlab.enqueue();
  scene.gitlab.addFault({ match: "POST /api/v4/jobs/request", latency_ms: 1200 });
  expect(await scene.poll(0.2)).toEqual({ kind: "polled", claimed: 1 });
  expect(scene.requests()).toHaveLength(1);
  expect(scene.invoked).toHaveLength(1);
  const lease = JSON.parse(scene.objects.contents.get("poller/lease.json") ?? "{}") as object;
  expect(lease).toMatchObject({ holder: "", left: { requests: { team: 1 } } });
});

test("a long poll that has been silent for 20 s is ended with the poller, and none before", async () => {
  const scene = await polling({ longPollSeconds: 60 });
  let isOver = false;
  const polled = scene.poll(1).finally(() => {
    isOver = true;
  });
  await expect.poll(() => scene.requests().length, patient).toBe(2);
  scene.clock.ahead += 18_000;
  await new Promise((resolve) => {
    setTimeout(resolve, 1200);
  });
  expect(isOver).toBe(false);
  await polled;
  expect(scene.requests()).toHaveLength(2);
});

test("what GitLab's queue tells is echoed, so that it may hold the request", async () => {
  const scene = await polling({ longPollSeconds: 60 });
  const polled = scene.poll(1.5);
  await expect.poll(() => scene.requests().length, patient).toBe(2);
  await scene.gitlab.enqueue();
  await expect.poll(() => scene.claims().length, patient).toBe(1);
  scene.clock.ahead += 22_000;
  await polled;
});
