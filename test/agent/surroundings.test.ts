import { expect, test } from "vitest";
import { createJobStops } from "../../src/agent/job-stops.ts";
import { watchSurroundings } from "../../src/agent/surroundings.ts";
import { openTrace } from "../../src/agent/trace.ts";
import type { LauncherMessage } from "../../src/core/hand-off.ts";
import { memorySpool } from "./memory-spool.ts";

function watched() {
  const spool = memorySpool();
  const trace = openTrace(spool, () => undefined, {
    secrets: ["s3cret"],
    tokenPrefixes: [],
    timestamps: false,
    sections: true,
    limitBytes: 1024 * 1024,
    now: () => 0,
  });
  const stops = createJobStops();
  let tell: (message: LauncherMessage) => void = () => {
    throw new Error("nobody listens yet");
  };
  const surroundings = watchSurroundings(
    {
      listen: (hear) => {
        tell = hear;
      },
    },
    trace,
    stops,
  );
  const open = () => surroundings.open();
  const said = () => Buffer.from(spool.read(0, spool.size)).toString();
  return { surroundings, open, tell: (message: LauncherMessage) => tell(message), said, stops };
}

test("notices go into the trace, masked as everything is", () => {
  const { open, tell, said } = watched();
  open();
  tell({ kind: "notice", level: "line", text: "pulling with s3cret" });
  tell({ kind: "notice", level: "warning", text: "slow" });
  expect(said()).toBe(
    "\u001B[0Kpulling with [MASKED]\u001B[0;m\n\u001B[0;33mWARNING: slow\u001B[0;m\n",
  );
});

test("the services are known when all containers have been started", async () => {
  const { surroundings, open, tell } = watched();
  open();
  const services = [{ name: "db", hostnames: ["db"], ports: [5432] }];
  tell({ kind: "prepared", services });
  expect(await surroundings.services).toEqual(services);
});

test("a service that has ended need not be waited for, and is named if it failed", () => {
  const { surroundings, open, tell, said } = watched();
  open();
  tell({ kind: "service-ended", hostname: "db", reason: "db has ended with 1" });
  tell({ kind: "service-ended", hostname: "init", reason: "" });
  expect(surroundings.hasEnded({ name: "db", hostnames: ["db"], ports: [] })).toBe(true);
  expect(surroundings.hasEnded({ name: "x", hostnames: ["x"], ports: [] })).toBe(false);
  expect(said()).toBe("\u001B[0;33mWARNING: db has ended with 1\u001B[0;m\n");
});

test("a container that will not come stops the job", () => {
  const { open, tell, stops } = watched();
  open();
  tell({ kind: "failed" });
  expect(stops.reason).toBe("lost");
});

test("who runs out of memory is told how to ask for more", () => {
  const { open, tell, said } = watched();
  open();
  tell({ kind: "out-of-memory", memoryMiB: 512 });
  expect(said()).toContain("512 MiB");
  expect(said()).toContain("BURST_MEMORY");
});
