import { expect, test } from "vitest";
import { endReason } from "../../../src/local/docker/services.ts";

const inUse = "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)";

test.each([
  ["that has done its work is not worth a word", { code: 0, said: ["done"] }, ""],
  [
    "that fails is told with its last words",
    { code: 2, said: ["a", "b"] },
    "service web ended by itself with exit code 2. It said: a | b",
  ],
  [
    "that fails in silence, too",
    { code: 1, said: [] },
    "service web ended by itself with exit code 1.",
  ],
  [
    "without its port names the service that has it",
    { code: 1, said: ["starting", inUse], rival: { name: "nginx:1", ports: [80] } },
    `service web found its port 80 taken by service nginx:1, for all containers of a job share one network: give one of them another port by its command or variables (${inUse})`,
  ],
  [
    "without its port, where no service names the same one",
    { code: 1, said: [inUse] },
    `service web found its port taken by another container of the job, for all containers of a job share one network: give one of them another port by its command or variables (${inUse})`,
  ],
])("a service %s", (_, end, expected) => {
  expect(endReason({ name: "web", ports: [80, 443], ...end })).toBe(expected);
});
