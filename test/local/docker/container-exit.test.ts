import { once } from "node:events";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import Docker from "dockerode";
import { expect, onTestFinished, test } from "vitest";
import { nextExit } from "../../../src/local/docker/container-exit.ts";

/** An engine that answers as the test says. */
async function containerOf(answer: (response: ServerResponse) => void) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const engine = new Docker({ host: "127.0.0.1", port });
  return { container: engine.getContainer("abc"), asked };
}

test("the exit code is told when it comes, long after the answer began", async () => {
  const { container, asked } = await containerOf((response) => {
    response.writeHead(200).flushHeaders();
    setTimeout(() => response.end('{"StatusCode": 71}\n'), 50);
  });
  expect(await nextExit(container)).toBe(71);
  expect(asked).toEqual(["POST /containers/abc/wait?condition=next-exit"]);
});

test.each<[string, (response: ServerResponse) => void, RegExp]>([
  [
    "goes away in the middle of its answer",
    (response) => {
      response.writeHead(200).flushHeaders();
      setTimeout(() => response.destroy(), 50);
    },
    /connection broke off/,
  ],
  ["goes away before it answers", (response) => void response.destroy(), /socket hang up/],
  [
    "does not know the container",
    (response) => void response.writeHead(404).end('{"message": "No such container: abc"}'),
    /No such container/,
  ],
])("an engine that %s ends the waiting", async (_, answer, why) => {
  const { container } = await containerOf(answer);
  await expect(nextExit(container)).rejects.toThrow(why);
});
