import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  ECSClient,
  ListTaskDefinitionsCommand,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import {
  CreateBucketCommand,
  ListBucketsCommand,
  PutBucketTaggingCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createParameters } from "../../src/aws/parameters.ts";
import { Secret } from "../../src/core/secret.ts";
import { startStandIn } from "../../src/stand-in/start.ts";
import type { StandIn } from "../../src/stand-in/stand-in.ts";
import { startMoto } from "../harness/moto.ts";
import type { Moto } from "../harness/moto.ts";

const run = promisify(execFile);
const root = new URL("../../", import.meta.url);

let moto: Moto;
let gitlab: StandIn;
let folder: string;
let client: {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { accessKeyId: string; secretAccessKey: string };
};

beforeAll(async () => {
  moto = await startMoto();
  gitlab = await startStandIn();
  folder = mkdtempSync(join(tmpdir(), "burst-cli-"));
  client = {
    endpoint: moto.url,
    region: "eu-central-1",
    credentials: { accessKeyId: "testing", secretAccessKey: "testing" },
  };
});

afterAll(async () => {
  await gitlab.close();
  await moto.close();
  rmSync(folder, { recursive: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function burst(
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const { PATH = "", HOME = "" } = process.env;
  const env = { PATH, HOME, ...moto.environment, ...more };
  const argv = ["--import", "tsx", "src/cli/main.ts", ...args];
  try {
    return { code: 0, ...(await run(process.execPath, argv, { cwd: root, env })) };
  } catch (error) {
    return error as Ended;
  }
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test("a runner's token goes into Parameter Store, encrypted, after GitLab has known it; it is printed nowhere", async () => {
  const settings = file("team.yml", "# the team's\nlimit: 5\n");
  const args = ["register", "team", "--env", "one", "--url", gitlab.url, "--settings", settings];
  const ended = await burst(args, { CI_SERVER_TOKEN: gitlab.runnerToken });
  expect(ended).toMatchObject({ code: 0, stderr: "" });
  expect(ended.stdout).toBe(
    `team: in /gitlab-burst/one/runners/team, for ${gitlab.url}. It asks for jobs within a minute.\n`,
  );
  const parameters = createParameters(new SSMClient(client));
  const listed = await parameters.list("/gitlab-burst/one");
  expect(listed.map(({ name, secure, value }) => ({ name, secure, value }))).toEqual([
    {
      name: "/gitlab-burst/one/runners/team/settings",
      secure: false,
      value: `url: "${gitlab.url}"\n# the team's\nlimit: 5\n`,
    },
    { name: "/gitlab-burst/one/runners/team/token", secure: true, value: undefined },
  ]);
  const secrets = await parameters.secrets(["/gitlab-burst/one/runners/team/token"]);
  expect(secrets.get("/gitlab-burst/one/runners/team/token")?.reveal()).toBe(gitlab.runnerToken);

  const again = await burst(args, { CI_SERVER_TOKEN: gitlab.runnerToken });
  expect(again.code).toBe(2);
  expect(again.stderr).toContain("There is a runner team already");

  const checked = await burst(["settings", "--env", "one"]);
  expect(checked).toMatchObject({ code: 0, stderr: "" });
  expect(checked.stdout).toBe(`team: ${gitlab.url}, 5 jobs\ntogether 6 vCPU at once\n`);
});

test("with an access token the runner is made in GitLab", async () => {
  const args = ["register", "made", "--env", "two", "--url", gitlab.url, "--scope", "instance"];
  const ended = await burst([...args, "--tag-list", "aws,big"], { GITLAB_TOKEN: gitlab.apiToken });
  expect(ended).toMatchObject({ code: 0, stderr: "" });
  const parameters = createParameters(new SSMClient(client));
  const name = "/gitlab-burst/two/runners/made/token";
  const token = (await parameters.secrets([name])).get(name)?.reveal() ?? "";
  expect(token).toMatch(/^glrt-/);
  expect(ended.stdout).not.toContain(token);
});

test("a token that GitLab does not know, or that is none, is refused and put nowhere", async () => {
  const base = ["register", "bad", "--env", "three", "--url", gitlab.url];
  const unknown = await burst(base, { CI_SERVER_TOKEN: "glrt-unknown-token" });
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain("GitLab does not accept it");
  const personal = await burst(base, { CI_SERVER_TOKEN: "glpat-personal" });
  expect(personal.code).toBe(2);
  expect(personal.stderr).toContain("found another kind of token");
  const parameters = createParameters(new SSMClient(client));
  expect(await parameters.list("/gitlab-burst/three")).toEqual([]);
});

test("every mistake is printed with its parameter, its path, what was found and what would be right", async () => {
  const parameters = createParameters(new SSMClient(client));
  const path = "/gitlab-burst/four";
  await parameters.put(`${path}/runners/good/token`, new Secret("glrt-good"));
  await parameters.put(`${path}/runners/typo/token`, new Secret("glrt-typo"));
  await parameters.put(`${path}/runners/typo/settings`, "limit: many\nimge: ruby\n");
  await parameters.put(`${path}/runners/bare/settings`, "limit: 2\n");
  await parameters.put(`${path}/runners/plain/token`, "glrt-in-plain-text");
  await parameters.put(`${path}/runners/login/token`, new Secret("glrt-login"));
  await parameters.put(`${path}/runners/login/registry-auth`, new Secret("user:password"));
  await parameters.put(`${path}/runners/bad.name/token`, new Secret("glrt-name"));
  const { code, stdout, stderr } = await burst(["settings", "--env", "four"]);
  expect(code).toBe(2);
  expect(stdout).toContain("good: https://gitlab.com, any number of jobs");
  const lines = stderr.trimEnd().split("\n");
  expect(lines.toSorted()).toEqual([
    `burst: ${path}/runners/bad.name/token: the runner's name "bad.name": expected 1 to 64 letters, digits, - and _`,
    `burst: ${path}/runners/bare/token: expected the runner's token (glrt-…) in a SecureString, found no such parameter`,
    `burst: ${path}/runners/login/registry-auth: expected a docker config.json: {"auths": {"registry.example.com": {"auth": "…"}}}`,
    expect.stringContaining(
      `burst: ${path}/runners/plain/token: expected a SecureString, found a String`,
    ),
    `burst: ${path}/runners/typo/settings: limit: expected a whole number from 0, found the text "many"`,
    `burst: ${path}/runners/typo/settings: unknown key "imge"; did you mean "image"?`,
  ]);
  expect(stderr).not.toMatch(/glrt-in-plain|password/);
});

test("an environment without a runner is told how to get one; a file is checked by itself", async () => {
  const none = await burst(["settings", "--env", "five"]);
  expect(none.code).toBe(2);
  expect(none.stderr).toContain("There is no runner below /gitlab-burst/five/runners");
  const good = await burst(["settings", "--file", file("good.yml", "limit: 3\n")]);
  expect(good).toMatchObject({ code: 0 });
  const bad = await burst([
    "settings",
    "--as",
    "environment",
    "--file",
    file("bad.yml", "poll_second: 3\n"),
  ]);
  expect(bad.code).toBe(2);
  expect(bad.stderr).toContain('unknown key "poll_second"; did you mean "poll_seconds"?');
});

test("the log of a job is printed by its task's id", async () => {
  const logs = new CloudWatchLogsClient(client);
  const task = "0123456789abcdef0123456789abcdef";
  const place = { logGroupName: "jobs", logStreamName: `team/agent/${task}` };
  await logs.send(new CreateLogGroupCommand({ logGroupName: "jobs" }));
  await logs.send(new CreateLogStreamCommand(place));
  const timestamp = Date.now();
  await logs.send(
    new PutLogEventsCommand({
      ...place,
      logEvents: [
        { timestamp, message: "hello" },
        { timestamp: timestamp + 1, message: "world" },
      ],
    }),
  );
  const where = ["--cluster", "default", "--log-group", "jobs", "--no-follow"];
  const ended = await burst(["logs", task, ...where]);
  expect(ended).toMatchObject({ code: 0, stdout: "hello\nworld\n", stderr: "" });
  const other = await burst(["logs", "77", ...where]);
  expect(other.code).toBe(2);
  expect(other.stderr).toContain("Nothing is known of 77");
});

test("what is left of an environment is listed, and removed only with --yes; another's stays", async () => {
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  const parameters = createParameters(new SSMClient(client));
  for (const environment of ["six", "six-more"]) {
    const Bucket = `gitlab-burst-${environment}-state`;
    await s3.send(
      new CreateBucketCommand({
        Bucket,
        CreateBucketConfiguration: { LocationConstraint: "eu-central-1" },
      }),
    );
    await s3.send(
      new PutBucketTaggingCommand({
        Bucket,
        Tagging: { TagSet: [{ Key: "gitlab-burst", Value: environment }] },
      }),
    );
    await s3.send(new PutObjectCommand({ Bucket, Key: "claims/x", Body: "x" }));
    await parameters.put(`/gitlab-burst/${environment}/runners/team/token`, new Secret("glrt-x"));
  }
  const logs = new CloudWatchLogsClient(client);
  await logs.send(
    new CreateLogGroupCommand({ logGroupName: "six-jobs", tags: { "gitlab-burst": "six" } }),
  );
  const ecs = new ECSClient(client);
  const family = `gitlab-burst-six-${"a".repeat(32)}`;
  await ecs.send(
    new RegisterTaskDefinitionCommand({
      family,
      containerDefinitions: [{ name: "x", image: "x", memory: 64 }],
    }),
  );

  const listed = await burst(["destroy", "--env", "six"]);
  expect(listed.code).toBe(2);
  expect(listed.stdout.split("\n").slice(0, 3)).toEqual([
    "parameter /gitlab-burst/six/runners/team/token",
    "log group six-jobs",
    "bucket gitlab-burst-six-state",
  ]);
  expect(await parameters.list("/gitlab-burst/six")).toHaveLength(1);

  const done = await burst(["destroy", "--env", "six", "--yes"]);
  expect(done).toMatchObject({ stderr: "", code: 0 });
  expect(await parameters.list("/gitlab-burst/six")).toEqual([]);
  expect(await parameters.list("/gitlab-burst/six-more")).toHaveLength(1);
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  expect(Buckets.map(({ Name }) => Name)).toEqual(["gitlab-burst-six-more-state"]);
  const { taskDefinitionArns } = await ecs.send(new ListTaskDefinitionsCommand({}));
  expect(taskDefinitionArns).toEqual([]);
});
