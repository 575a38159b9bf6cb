import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startAnsweringServer } from "./answering-server.ts";
import type { AnsweringServer } from "./answering-server.ts";

const run = promisify(execFile);
const root = new URL("../../", import.meta.url);

let server: AnsweringServer;

beforeAll(async () => {
  server = await startAnsweringServer();
  server.answer({
    status: 404,
    headers: { "x-amzn-errortype": "ResourceNotFoundException" },
    body: { Message: "Function not found" },
  });
});

afterAll(() => server.close());

async function logs(...args: readonly string[]) {
  const { PATH = "", HOME = "" } = process.env;
  const env = {
    PATH,
    HOME,
    AWS_ENDPOINT_URL: server.url,
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "testing",
    AWS_SECRET_ACCESS_KEY: "testing",
  };
  const argv = ["--import", "tsx", "src/cli/main.ts", "logs", "77", ...args];
  return await run(process.execPath, argv, { cwd: root, env }).then(
    () => ({ code: 0, stderr: "" }),
    (error: { readonly code: number; readonly stderr: string }) => error,
  );
}

test.each([
  ["the environment's name", ["--env", "prod"], "gitlab-burst-prod-launcher"],
  ["the deployment's own prefix", ["--env", "prod", "--prefix", "acme-ci"], "acme-ci-launcher"],
])("logs are looked for by %s, and nothing but the answer is said", async (_, args, name) => {
  const ended = await logs(...args);
  expect(server.requests.at(-1)?.path).toContain(`/functions/${name}/configuration`);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toMatch(
    /^[^\n]*There is no environment prod in this account and region: see --env and --region, --prefix [^\n]*\n$/,
  );
});
