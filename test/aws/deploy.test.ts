// The four steps' third: `npx cdk deploy`, as in a fresh clone, against moto. It has no registry, so the agent's image
// is given by address.

import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { ECSClient, DescribeClustersCommand } from "@aws-sdk/client-ecs";
import { GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { functionNames } from "../../infra/bundles.ts";
import { functionEnvironmentSchema } from "../../src/core/function-environment.ts";
import { freshTree } from "../harness/fresh-tree.ts";
import type { FreshTree } from "../harness/fresh-tree.ts";
import { startMoto } from "../harness/moto.ts";
import type { Moto } from "../harness/moto.ts";

const run = promisify(execFile);
const image = "registry.example.com/agent:1";
const context = JSON.stringify({ default: { agentImage: image } });

let moto: Moto;
let tree: FreshTree;

beforeAll(async () => {
  [moto, tree] = await Promise.all([startMoto(), freshTree()]);
});

afterAll(async () => {
  tree?.remove();
  await moto?.close();
});

async function cdk(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run("npx", ["cdk", ...args], {
    cwd: tree.folder,
    env: { PATH: process.env["PATH"], HOME: tree.folder, CI: "true", ...moto.environment },
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout + stderr;
}

function clientSettings() {
  const { AWS_ENDPOINT_URL: endpoint = "", AWS_REGION: region = "" } = moto.environment;
  const credentials = { accessKeyId: "testing", secretAccessKey: "testing" };
  return { endpoint, region, credentials };
}

test("somebody's own app takes the construct from the package, by its types, without a bundler or Docker", async () => {
  await run("npm", ["run", "--silent", "build"], { cwd: tree.folder });
  const app = join(tree.folder, "consumer");
  mkdirSync(join(app, "node_modules"), { recursive: true });
  symlinkSync(tree.folder, join(app, "node_modules", "gitlab-burst"));
  for (const name of ["aws-cdk-lib", "constructs", "@types"]) {
    symlinkSync(join(tree.folder, "node_modules", name), join(app, "node_modules", name));
  }
  writeFileSync(join(app, "package.json"), JSON.stringify({ type: "module" }));
  const strict = { strict: true, module: "NodeNext", target: "ES2022", types: ["node"] };
  writeFileSync(join(app, "tsconfig.json"), JSON.stringify({ compilerOptions: strict }));
  writeFileSync(
    join(app, "app.ts"),
    `import { App, Stack } from "aws-cdk-lib";
     import { GitLabBurst } from "gitlab-burst";
     import type { GitLabBurstProps } from "gitlab-burst";
     const app = new App();
     const props: GitLabBurstProps = { environment: "theirs" };
     const runner = new GitLabBurst(new Stack(app, "Theirs"), "Runner", props);
     console.log(runner.functions.poller.functionName === "", runner.jobRolePath);
     app.synth();`,
  );
  const env = { PATH: process.env["PATH"], HOME: app };
  await run(join(tree.folder, "node_modules", ".bin", "tsc"), ["-p", "."], { cwd: app, env });
  const { stdout } = await run("node", ["app.js"], { cwd: app, env });
  expect(stdout).toBe("false /gitlab-burst/theirs/\n");
}, 120_000);

test("bootstrap and the first deployment succeed, and the functions are told what they need", async () => {
  await cdk("bootstrap", "-c", `gitlab-burst=${context}`);
  await cdk("deploy", "--require-approval", "never", "-c", `gitlab-burst=${context}`);

  const s3 = new S3Client({ ...clientSettings(), forcePathStyle: true });
  const lambda = new LambdaClient(clientSettings());
  for (const name of functionNames) {
    const found = await lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: `gitlab-burst-default-${name}` }),
    );
    expect(found.Runtime).toBe("nodejs24.x");
    const environment = functionEnvironmentSchema.parse(found.Environment?.Variables);
    await s3.send(new HeadBucketCommand({ Bucket: environment.BURST_STATE_BUCKET }));
    await s3.send(new HeadBucketCommand({ Bucket: environment.BURST_CACHE_BUCKET }));
    expect(environment.BURST_CACHE_BUCKET).not.toBe(environment.BURST_STATE_BUCKET);
    expect(environment.BURST_PARAMETERS).toBe("/gitlab-burst/default");
    expect(environment.BURST_LAUNCHER).toBe("gitlab-burst-default-launcher");
    expect(environment.BURST_CLUSTER).toBe("gitlab-burst-default");
    expect(environment.BURST_AGENT_IMAGES).toEqual({ x86_64: image });
    expect(environment.BURST_SUBNETS).toHaveLength(2);
    expect(environment.BURST_SUBNETS.every((id) => id.startsWith("subnet-"))).toBe(true);
    expect(environment.BURST_SECURITY_GROUPS).toHaveLength(1);
    expect(environment.BURST_ASSIGN_PUBLIC_IP).toBe("ENABLED");
    expect(environment.BURST_EXECUTION_ROLE).toMatch(/^arn:aws:iam::\d{12}:role\//);
  }
  const ecs = new ECSClient(clientSettings());
  const { clusters } = await ecs.send(
    new DescribeClustersCommand({ clusters: ["gitlab-burst-default"] }),
  );
  expect(clusters?.[0]?.status).toBe("ACTIVE");
}, 480_000);

test("what is deployed is not destroyed, whatever prefix is given", async () => {
  const argv = ["--import", "tsx", "src/cli/main.ts", "destroy", "--yes", "--prefix", "another"];
  const env = { PATH: process.env["PATH"], HOME: tree.folder, ...moto.environment };
  const destroyed = run(process.execPath, argv, { cwd: tree.folder, env });
  await expect(destroyed).rejects.toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining("The environment default is still deployed"),
  });
});
