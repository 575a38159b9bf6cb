import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const port = await freePort();
const { job, trace } = await runFolder(import.meta.url, {
  standIn: { port },
  settings: { clone_url: `http://localhost:${String(port)}` },
});

test("clone_url is another way to the same GitLab, for git alone", () => {
  expect(job("clones").status).toBe("success");
  expect(trace("clones")).toContain(`\nhttp://localhost:${String(port)}/root/clone-url.git\n`);
  expect(trace("clones")).toContain("\nfetched\n");
  expect(trace("clones")).toContain(`\nserver http://127.0.0.1:${String(port)}\n`);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
