// The proof on AWS, as far as it can be seen without AWS.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { taskOfEvent } from "../../src/aws/tasks.ts";
import { fargateDefinition } from "../../src/core/fargate-definition.ts";
import { runTaskRequest } from "../../src/core/fargate-run.ts";
import { parseClaimId } from "../../src/core/claim.ts";
import { parseArguments } from "../../scripts/proof-aws/arguments.ts";
import { isDenied } from "../../scripts/proof-aws/as-launcher.ts";
import { commandWords } from "../../scripts/proof-aws/aws-command.ts";
import { beliefs } from "../../scripts/proof-aws/beliefs.ts";
import { metadataFields } from "../../scripts/proof-aws/inside-beliefs.ts";
import { probePlan } from "../../scripts/proof-aws/probe-plan.ts";
import { expectedDollars, probeNames, probeSpecs } from "../../scripts/proof-aws/probe-spec.ts";
import { proofTemplate } from "../../scripts/proof-aws/proof-stack.ts";
import { printedLine, proofPage, summary } from "../../scripts/proof-aws/report.ts";
import type { Found } from "../../scripts/proof-aws/report.ts";
import { differences } from "../../scripts/proof-aws/stop-beliefs.ts";
import { createUndo } from "../../scripts/proof-aws/undo.ts";
import { unprovenLines } from "../../scripts/proof-aws/unproven.ts";

const page = readFileSync(new URL("../../docs/unproven.md", import.meta.url), "utf8");
const lines = unprovenLines(page);
const names = beliefs.map(({ name }) => name);

test("each line of docs/unproven.md has its assertion, and each assertion its line", () => {
  expect([...names].toSorted()).toEqual(lines.map(({ name }) => name).toSorted());
  expect(new Set(names).size).toBe(names.length);
});

test("every row of the page's tables is read as a line", () => {
  const rows = page.split("\n").filter((line) => /^\| (?!Name)/.test(line));
  expect(lines).toHaveLength(rows.length);
});

function parse(...argv: string[]) {
  const said: string[] = [];
  const parsed = parseArguments(argv, ["one", "two"], (text) => said.push(text));
  return { parsed, said: said.join("") };
}

test("without arguments the environment is default, everything is looked at, and nothing is done", () => {
  expect(parse().parsed).toEqual({
    kind: "arguments",
    arguments: { env: "default", only: [], yes: false },
  });
});

test("arguments choose environment, region, prefix and lines", () => {
  const { parsed } = parse("--env", "prod", "--region", "eu-west-1", "--only", "one,two", "--yes");
  expect(parsed).toEqual({
    kind: "arguments",
    arguments: { env: "prod", region: "eu-west-1", only: ["one", "two"], yes: true },
  });
});

test.each([
  [["--only", "one,three"], "--only three: docs/unproven.md has no such line"],
  [["--no-such"], "unknown option"],
])("what is wrong with %j is said, and ends with 2", (argv, words) => {
  const { parsed, said } = parse(...argv);
  expect(parsed).toEqual({ kind: "ended", exitCode: 2 });
  expect(said).toContain(words);
});

test("--help ends with 0", () => {
  expect(parse("--help").parsed).toEqual({ kind: "ended", exitCode: 0 });
});

const found: readonly Found[] = [
  { name: "stop-timeout", finding: { kind: "held", seen: "alive for 119 s" } },
  {
    name: "prices",
    finding: { kind: "wrong", seen: "arn:aws:iam::123456789012:role/x |\n1 task" },
  },
  { name: "first-cluster", finding: { kind: "unclear", seen: "the account had the role before" } },
];

test("the page has a row for each finding with its sentence, and no account's number", () => {
  const text = proofPage(
    { date: "2026-12-01", region: "eu-west-1", version: "1.0.0" },
    found,
    lines,
  );
  expect(text).toContain("# Seen on AWS, 2026-12-01");
  expect(text).toContain("1 held, 1 wrong, 1 unclear");
  expect(text).toContain(
    "| `stop-timeout` | `stopTimeout` 120 gives the agent 120 s after SIGTERM | held |",
  );
  expect(text).toContain("<account>:role/x \\| 1 task |");
  expect(text).not.toContain("123456789012");
});

test("a line says how it ended first", () => {
  expect(found.map(printedLine)[0]).toBe("held    stop-timeout: alive for 119 s");
  expect(summary([])).toBe("0 held, 0 wrong, 0 unclear");
});

test("what was made is removed, the last first; what cannot be is told and keeps nothing else", async () => {
  const undo = createUndo();
  const removed: string[] = [];
  undo.add("first", async () => removed.push("first"));
  undo.add("second", () => Promise.reject(new Error("in use")));
  undo.add("third", async () => removed.push("third"));
  expect(await undo.all()).toEqual(["second (in use)"]);
  expect(removed).toEqual(["third", "first"]);
});

const place = {
  cluster: "c",
  region: "eu-west-1",
  securityGroups: ["sg-1"],
  assignPublicIp: "ENABLED",
  executionRole: "arn:aws:iam::123456789012:role/execution",
  logGroup: "jobs",
  namePrefix: "gitlab-burst-default",
  agentImages: { x86_64: "agent" },
  stateBucket: "state",
  runner: "proof",
} as const;

test.each(probeNames)(
  "the probe %s is a task that ECS takes, with its program in the start",
  (name) => {
    const spec = probeSpecs[name];
    const plan = probePlan(spec, "x86_64");
    const made = fargateDefinition(plan, place, {
      bootScript: spec.job.script,
      loginSecrets: {},
      sha256Hex: () => "0".repeat(64),
    });
    expect(made.kind).toBe("definition");
    const run = runTaskRequest(plan, "family", place, {
      clientToken: "token",
      startedBy: `proof-01234567/${name}`,
      capacityProvider: "FARGATE",
      subnets: ["subnet-1"],
      environmentFiles: { agent: "jobs/proof/agent.env" },
      labels: plan.labels,
    });
    expect(run.kind).toBe("request");
  },
);

test("a probe's startedBy is no claim's, so that neither reaper nor sweeper takes it for a job", () => {
  for (const name of probeNames) expect(parseClaimId(`proof-01234567/${name}`)).toBeUndefined();
});

test("limits of the meeting's containers add up to more than its task", () => {
  const { job, services, size } = probePlan(probeSpecs.meeting, "x86_64");
  const sum = [job, ...services].reduce((total, { memoryMiB }) => total + memoryMiB, 0);
  expect(sum).toBeGreaterThan(size.memoryMiB);
});

test("it costs cents", () => {
  expect(expectedDollars(13)).toBeGreaterThan(0.01);
  expect(expectedDollars(13)).toBeLessThan(0.1);
});

test.each(probeNames.filter((name) => probeSpecs[name].agent !== undefined))(
  "the agent's program of %s is JavaScript",
  (name) => {
    // Compiled, not called.
    // oxlint-disable-next-line typescript/no-implied-eval
    expect(() => new Function("require", "process", probeSpecs[name].agent ?? "")).not.toThrow();
  },
);

test("the metadata's fields are named where one is missing", () => {
  const container = {
    DockerId: "1",
    Name: "job",
    Image: "i",
    KnownStatus: "RUNNING",
    StartedAt: "x",
  };
  const task = {
    TaskARN: "a",
    DesiredStatus: "RUNNING",
    PullStartedAt: "x",
    Containers: [container],
  };
  expect(metadataFields(JSON.stringify(task)).kind).toBe("held");
  const { StartedAt: _, ...without } = container;
  expect(metadataFields(JSON.stringify({ ...task, Containers: [without] }))).toEqual({
    kind: "wrong",
    seen: "missing: Containers[].StartedAt",
  });
  expect(metadataFields("{}").kind).toBe("wrong");
});

test("an event differs from a description by what is different, not by the order of containers", () => {
  const detail = (containers: unknown[]) => ({
    taskArn: "arn:aws:ecs:eu-west-1:123456789012:task/c/1",
    startedBy: "proof/small",
    lastStatus: "STOPPED",
    desiredStatus: "STOPPED",
    stopCode: "EssentialContainerExited",
    stoppedReason: "Essential container in task exited",
    containers,
  });
  const agent = { name: "agent", lastStatus: "STOPPED", exitCode: 0 };
  const job = { name: "job", lastStatus: "STOPPED", exitCode: 137 };
  const event = taskOfEvent(detail([agent, job]));
  expect(differences(event, taskOfEvent(detail([job, agent])))).toEqual([]);
  expect(differences(event, taskOfEvent(detail([agent])))).toEqual(["containers"]);
});

test("options of AWS's command line follow the command", () => {
  expect(
    commandWords("ecs list-tasks", { cluster: "c", recursive: true, tasks: ["1", "2"] }),
  ).toEqual(["ecs", "list-tasks", "--cluster", "c", "--recursive", "--tasks", "1", "2"]);
});

test("the proof's stack makes no role: its function has the launcher's", () => {
  const template = JSON.stringify(proofTemplate("arn:role", "arn:cluster"));
  expect(template).toContain('"Role":"arn:role"');
  expect(template).not.toContain("AWS::IAM");
  const code = /"ZipFile":"(.*?)"\}/.exec(template)?.[1] ?? "";
  expect(code.length).toBeGreaterThan(100);
  expect(code.length).toBeLessThan(4096);
});

async function runNode(program: string, env: Readonly<Record<string, string>>) {
  return await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, ["-e", program], { env }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
  });
}

test("the proof's function signs, calls, keeps only what is asked for, and names errors", async () => {
  const template = proofTemplate("", "") as {
    readonly Resources: {
      readonly Function: { readonly Properties: { readonly Code: { readonly ZipFile: string } } };
    };
  };
  const code = template.Resources.Function.Properties.Code.ZipFile;
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/x-amz-json-1.1");
    if (request.headers["x-amz-target"]?.toString().endsWith("ListTasks") === true) {
      response.end(JSON.stringify({ taskArns: ["arn:1"], nextToken: "more" }));
      return;
    }
    response.statusCode = 400;
    response.end(JSON.stringify({ __type: "AccessDeniedException", message: "no" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const calls = [
    {
      service: "s3",
      client: "S3Client",
      command: "GetObjectCommand",
      input: { Bucket: "b", Key: "k" },
      sign: true,
    },
    {
      service: "ecs",
      client: "ECSClient",
      command: "ListTasksCommand",
      input: {},
      keep: ["taskArns"],
    },
    { service: "ecs", client: "ECSClient", command: "StopTaskCommand", input: { task: "1" } },
  ];
  const printed = await runNode(
    `${code}\n(async () => { for (const call of ${JSON.stringify(calls)}) console.log(JSON.stringify(await exports.handler(call))); })();`,
    {
      PATH: process.env["PATH"] ?? "",
      NODE_NO_WARNINGS: "1",
      AWS_REGION: "eu-west-1",
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: "not-a-secret",
      AWS_ENDPOINT_URL_ECS: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    },
  );
  const [signed, kept, denied] = printed
    .trim()
    .split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line));
  expect(signed?.["url"]).toMatch(/X-Amz-Expires=43200/);
  expect(kept).toEqual({ kept: { taskArns: ["arn:1"] } });
  expect(denied).toEqual({ error: "AccessDeniedException", status: 400 });
  expect(isDenied({ error: "AccessDeniedException", status: 400 })).toBe(true);
});

const script = fileURLToPath(new URL("../../scripts/proof-aws/main.ts", import.meta.url));

test("without credentials it says what is missing in one sentence, and ends with 2", async () => {
  const { PATH = "", HOME = "" } = process.env;
  const nowhere = "/nonexistent";
  const ended = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      ["--import", "tsx", script, "--region", "eu-west-1"],
      {
        env: {
          PATH,
          HOME,
          // The SDK's own about old versions of Node.
          NODE_NO_WARNINGS: "1",
          AWS_EC2_METADATA_DISABLED: "true",
          AWS_CONFIG_FILE: nowhere,
          AWS_SHARED_CREDENTIALS_FILE: nowhere,
        },
      },
      (error, _stdout, stderr) => resolve({ code: error?.code, stderr }),
    );
  });
  expect(ended.stderr).toMatch(/^proof:aws: AWS's credentials are not known .+\n$/);
  expect(ended.code).toBe(2);
});
