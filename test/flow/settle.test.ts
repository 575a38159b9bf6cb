import { expect, test } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { defaultSettings } from "../../src/core/settings.ts";
import { parseJob } from "../../src/core/job.ts";
import { debtOf, settle } from "../../src/flow/settle.ts";
import { claiming } from "./claiming.ts";
import type { RawJob } from "../../src/stand-in/raw-job.ts";

const settlement = { reason: "runner_system_failure", message: "Job failed: of no use" } as const;

/** A job that somebody claimed, with `text` in its log. */
async function indebted(text: string, raw?: RawJob) {
  const { gitlab, deps, waits } = await claiming();
  await gitlab.enqueue(raw);
  const reply = await deps.gitlab.requestJob();
  if (reply.kind !== "job") throw new Error(`no job, but ${reply.kind}`);
  const { jobId, token, payload } = reply;
  const bytes = Buffer.from(text);
  if (text !== "") await deps.gitlab.patchTrace({ jobId, token, bytes, offset: 0 });
  const parsed = parseJob(payload);
  const debt = debtOf(
    jobId,
    token,
    parsed.kind === "job" ? parsed.job : undefined,
    defaultSettings(),
  );
  const tools = { gitlab: deps.gitlab, sleep: deps.sleep, wallClock: () => 0 };
  return { gitlab, debt, tools, waits, job: () => gitlab.job(jobId) };
}

test("the reason stands at the end of the log, whatever is there, and GitLab hears it", async () => {
  const { debt, tools, job } = await indebted("what came before\n");
  expect(await settle(tools, debt, settlement)).toBe("told");
  expect(job()).toMatchObject({ status: "failed", failureReason: "runner_system_failure" });
  expect(job().trace().toString()).toBe(
    "what came before\n1970-01-01T00:00:00.000000Z 00O \u001B[31;1mERROR: Job failed: of no use\u001B[0;m\n",
  );
});

test("a secret of the job's in the reason is masked", async () => {
  const masked = { public: false, masked: true, file: false, raw: false };
  const { debt, tools, job } = await indebted("", {
    variables: [{ key: "PASSWORD", value: "not-for-you", ...masked }],
  });
  await settle(tools, debt, { ...settlement, message: "it said: not-for-you" });
  expect(job().trace().toString()).toContain("ERROR: it said: [MASKED]");
});

test("without time stamps it begins a line of its own", async () => {
  const { debt, tools, job } = await indebted("half a line", {
    variables: { FF_TIMESTAMPS: "false" },
  });
  await settle(tools, debt, settlement);
  expect(job().trace().toString()).toBe(
    "half a line\n\u001B[31;1mERROR: Job failed: of no use\u001B[0;m\n",
  );
});

test("an empty log gets it as its first line", async () => {
  const { debt, tools, job } = await indebted("", { variables: { FF_TIMESTAMPS: "false" } });
  await settle(tools, debt, settlement);
  expect(job().trace().toString()).toBe("\u001B[31;1mERROR: Job failed: of no use\u001B[0;m\n");
});

test("C42 a reason that GitLab does not know becomes the nearest that it knows", async () => {
  const { debt, tools, job } = await indebted("", {
    payload: { features: { failure_reasons: [] } },
  });
  await settle(tools, debt, { ...settlement, reason: "runner_configuration_error", exitCode: 3 });
  expect(job()).toMatchObject({ failureReason: "script_failure", exitCode: 3 });
});

test("a job that GitLab has ended itself is over", async () => {
  const { gitlab, debt, tools, job } = await indebted("");
  gitlab.cancel(debt.jobId, { force: true });
  expect(await settle(tools, debt, settlement)).toBe("over");
  expect(job().status).toBe("canceled");
});

test("a log that cannot be added to keeps nobody from telling the result", async () => {
  const { gitlab, debt, tools, job } = await indebted("before\n");
  gitlab.addFault({ match: "PATCH /api/v4/jobs/*/trace", status: 501, times: 10 });
  expect(await settle(tools, debt, settlement)).toBe("told");
  expect(job().status).toBe("failed");
});

test("a GitLab that does not answer is asked ten times, ever more rarely", async () => {
  const { gitlab, debt, tools, waits } = await indebted("");
  gitlab.addFault({ match: "PUT /api/v4/jobs/*", status: 501, times: 10 });
  expect(await settle(tools, debt, settlement)).toBe("unheard");
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256]);
});

test("a debt without a readable payload is paid all the same", () => {
  const debt = debtOf(7, new Secret("t"), undefined, defaultSettings());
  expect(debt).toMatchObject({ jobId: 7, knownReasons: [], timestamps: true });
});
