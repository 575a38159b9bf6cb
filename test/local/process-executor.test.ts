import { existsSync, mkdirSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { agentExit } from "../../src/core/hand-off.ts";
import type { AgentReport, HandOff } from "../../src/core/hand-off.ts";
import { parseJob } from "../../src/core/job.ts";
import { planTask } from "../../src/core/plan.ts";
import { defaultSettings } from "../../src/core/settings.ts";
import { jobVariables } from "../../src/core/variables.ts";
import { createProcessExecutor } from "../../src/local/process-executor.ts";
import { carriers } from "../../src/local/own-processes.ts";
import { buildHandOff } from "../agent/build-hand-off.ts";
import { ownTmpdir } from "./own-tmpdir.ts";
import { isRunning } from "./processes.ts";
import { patient } from "../harness/patient.ts";

const home = ownTmpdir();

const secret = "glrt-secret";

/** An agent that shows what it was told in three lines, reports, and then does as `code` says. */
const agent = (code: string) => `
  let text = "";
  process.stdin.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
    const lines = text.split("\\n");
    if (lines.length < 4) return;
    text = "";
    console.log(JSON.stringify({ told: lines.slice(0, 3).map(JSON.parse), env: process.env }));
    console.error('report: {"kind":"started"}');
    console.error("words of its own");
    ${code}
  });`;

async function launched(code: string, environment: Readonly<Record<string, string>> = {}) {
  let log = "";
  const reports: AgentReport[] = [];
  const diagnostics: string[] = [];
  const builds = join(home, "builds");
  const executor = createProcessExecutor({
    buildsDir: builds,
    cacheDir: join(home, "cache"),
    environment: { PATH: process.env["PATH"], ...environment },
    nodeArguments: ["-e", agent(code)],
    secrets: [secret],
    onLog: (_jobId, bytes) => {
      log += Buffer.from(bytes).toString();
    },
    onDiagnostic: (_jobId, text) => diagnostics.push(text),
  });
  const { job: raw } = buildHandOff(home);
  const parsed = parseJob(JSON.parse(raw));
  if (parsed.kind === "invalid") throw new Error(parsed.message);
  const variables = jobVariables([], { tempDir: "" });
  const planned = planTask(parsed.job, defaultSettings(), { executor: "process", variables });
  if (planned.kind !== "task") throw new Error(planned.message);
  let handOff: HandOff | undefined;
  const running = await executor.launch({
    jobId: 7,
    projectId: 1,
    plan: planned.plan,
    notices: ["a notice"],
    mask: (text) => text,
    prepare: ({ folders }) => {
      handOff = { ...buildHandOff(home), job: raw, folders };
      // As a job would leave them.
      mkdirSync(join(builds, "t/0/group/project.tmp"), { recursive: true });
      return handOff;
    },
    onReport: (report) => reports.push(report),
  });
  return { ...running, executor, handOff, reports, diagnostics, log: () => log, builds };
}

const scratchFolders = () => readdirSync(home).filter((name) => name.startsWith("burst-"));

test("the agent is told its hand-off, the notices, and that all is prepared; and it is heard", async () => {
  const { finished, handOff, reports, diagnostics, log } = await launched("process.exit(0)");
  expect(await finished).toMatchObject({ kind: "exited", code: 0, signal: null });
  const { told } = JSON.parse(log()) as { told: unknown };
  expect(told).toEqual([
    handOff,
    { kind: "notice", level: "line", text: "a notice" },
    { kind: "prepared", services: [] },
  ]);
  expect(reports).toEqual([{ kind: "started" }]);
  expect(diagnostics).toEqual(["words of its own"]);
});

test("its environment is the user's, without the runner's secrets", async () => {
  const { finished, log } = await launched("process.exit(0)", {
    JAVA_HOME: "/opt/java",
    CI_SERVER_TOKEN: "x",
    HIDDEN: `it is ${secret}`,
  });
  await finished;
  const { env } = JSON.parse(log()) as { env: Record<string, string> };
  expect(env).toMatchObject({ JAVA_HOME: "/opt/java", PATH: process.env["PATH"] });
  expect(env).not.toHaveProperty("CI_SERVER_TOKEN");
  expect(env).not.toHaveProperty("HIDDEN");
});

test("when it has ended nothing of the job is left: no process, no scratch, no folder beside the project", async () => {
  const { finished, handOff, log, builds } = await launched(
    `require("node:child_process").spawn("sleep", ["300"], { detached: true, stdio: "ignore" }).unref();
     process.exit(0);`,
  );
  expect(existsSync(handOff?.folders.control ?? "")).toBe(true);
  await finished;
  const { env } = JSON.parse(log()) as { env: Record<string, string> };
  expect(await carriers(env["BURST_AGENT_COOKIE"] ?? "none")).toEqual([]);
  expect(existsSync(handOff?.folders.control ?? "")).toBe(false);
  expect(existsSync(join(builds, "t/0/group/project.tmp"))).toBe(false);
  expect(existsSync(join(builds, "t/0/group"))).toBe(true);
  expect(scratchFolders()).toEqual([]);
});

test("an agent that is killed is told by its signal", async () => {
  const { finished, agentPid } = await launched("setInterval(() => {}, 1000)");
  process.kill(agentPid ?? 0, "SIGKILL");
  expect(await finished).toMatchObject({ kind: "exited", code: null, signal: "SIGKILL" });
  expect(scratchFolders()).toEqual([]);
});

test("an interrupt asks the agent to end", async () => {
  const { finished, interrupt, log } = await launched(
    `process.on("SIGTERM", () => { process.exit(5); });
     setInterval(() => {}, 1000);
     console.log("listens to signals");`,
  );
  // What it shows of its environment and of the job may hold any word; a line of its own it says last.
  await expect.poll(log, { ...patient, timeout: 50_000 }).toMatch(/^listens to signals$/m);
  interrupt();
  expect(await finished).toMatchObject({ code: 5, signal: null });
}, 60_000);

test("a shell that was killed is the trouble of an agent that missed it", async () => {
  const { finished, handOff, log } = await launched(
    `process.stdin.on("data", (chunk) => { if (chunk.includes("failed")) process.exit(${agentExit.containerGone}); });
     setInterval(() => {}, 1000);`,
  );
  await expect.poll(log, patient).toContain("told");
  const boot = bootOf(handOff?.folders.control ?? "");
  process.kill(boot, "SIGKILL");
  expect(await finished).toMatchObject({
    code: agentExit.containerGone,
    trouble: { reason: "runner_system_failure", message: expect.stringContaining("SIGKILL") },
  });
  expect(isRunning(boot)).toBe(false);
});

test("what an earlier run left behind is swept up, what lives is not", async () => {
  const { finished, agentPid, executor } = await launched("setInterval(() => {}, 1000)");
  await executor.sweep();
  expect(isRunning(agentPid ?? 0)).toBe(true);
  expect(scratchFolders()).toHaveLength(1);
  process.kill(agentPid ?? 0, "SIGKILL");
  await finished;
});

test("a job for which there is no room on the disk is not started, and leaves nothing", async () => {
  process.env["TMPDIR"] = join(home, "missing");
  try {
    await expect(launched("process.exit(0)")).rejects.toThrow("ENOENT");
  } finally {
    process.env["TMPDIR"] = home;
  }
});

/** The process whose working folder this is. */
function bootOf(control: string): number {
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (readlinkSync(`/proc/${name}/cwd`) === control) return Number(name);
    } catch {
      // Ended meanwhile.
    }
  }
  throw new Error("boot is not there");
}
