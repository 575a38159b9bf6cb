// A job's services for real: databases that jobs use, names that every uid resolves, what is waited for and what is told
// when one does not come up.

import { beforeAll, expect, test } from "vitest";
import { openContained } from "../harness/containers.ts";
import type { Contained } from "../harness/containers.ts";

let patient: Contained;
let contained: Contained;

beforeAll(async () => {
  patient = await openContained({ settings: { wait_for_services_timeout: 90 } });
  contained = await openContained({
    settings: {
      wait_for_services_timeout: 4,
      services: [{ name: "busybox", alias: "always", command: ["sleep", "1000"] }],
    },
  });
  await Promise.all([patient.run(databases), contained.run(odd)]);
});

// Redis speaks lines; PostgreSQL is asked by its own client, from its own image, as another user than root.
const databases = `
databases:
  image: python:alpine
  services:
    - {name: "postgres:15", alias: "db,database", variables: {POSTGRES_PASSWORD: "$DB_PASSWORD", POSTGRES_DB: app}}
    - {name: "redis:7", alias: cache}
  variables: {DB_PASSWORD: correct}
  script:
    - |
      python3 - <<'END'
      import os, socket
      def redis(host, *lines):
          peer = socket.create_connection((host, 6379))
          peer.sendall("".join(line + "\\r\\n" for line in lines).encode())
          return peer.recv(1000).decode()
      for host in ("redis", "cache"):
          print(host, "says", redis(host, "PING").strip())
      redis("redis", "SET answer 42")
      print("kept", redis("cache", "GET answer").split()[1])
      END
psql:
  image: {name: "postgres:15", entrypoint: [""], docker: {user: "12345"}}
  services: [{name: "postgres:15", alias: db}]
  variables: {POSTGRES_PASSWORD: correct, PGPASSWORD: correct}
  script:
    - id -u
    - until psql -h postgres -U postgres -tAc "select 'I am ' || current_user"; do sleep 0.2; done
    - psql -h db -U postgres -c "create table t (a int)" -c "insert into t values (41), (42)" -c "select max(a) from t"
    - getent hosts db postgres
`;

const odd = `
told:
  image: busybox
  services: [{name: busybox, alias: teller, entrypoint: ["/bin/sh", "-c"], command: ["echo I was told $GREETING and $CI_JOB_NAME; sleep 1000"], variables: {GREETING: "hello $NAME"}}]
  variables: {NAME: you, CI_DEBUG_SERVICES: "true"}
  script: [sleep 1]
silent:
  image: busybox
  services: [{name: "redis:7", command: [sleep, "1000"], entrypoint: [""]}]
  script: [echo went on]
port-by-variable:
  image: busybox
  services: [{name: "python:alpine", alias: web, command: [python3, -m, http.server, "8765", --directory, /etc], variables: {HEALTHCHECK_TCP_PORT: "8765"}}]
  script: [until wget -q -O - http://web:8765/passwd; do sleep 1; done]
one-port:
  image: busybox
  services: ["redis:7", {name: "redis:latest", alias: second}]
  script: [echo went on]
dead:
  image: busybox
  services: ["postgres:15"]
  script: [echo went on]
not-startable:
  image: busybox
  services: [{name: busybox, alias: x, entrypoint: [/no/such/program]}]
  script: [echo ran all the same]
`;

test("PostgreSQL and Redis are reached by their names and all their aliases, and used", () => {
  const trace = patient.trace("databases");
  expect(trace).toContain("redis says +PONG\ncache says +PONG\nkept 42\n");
  expect(patient.job("databases").status).toBe("success");
  expect(trace).not.toContain("Service postgres:15 probably");
  expect(trace).not.toContain("Service redis:7 probably");
});

test("a user without a name in the image reaches services, too: the names are the network's", () => {
  const trace = patient.trace("psql");
  expect(trace).toContain("\n12345\n");
  expect(trace).toContain("\nI am postgres\n");
  expect(trace).toContain("CREATE TABLE\nINSERT 0 2\n");
  expect(trace).toMatch(/ max \n-----\n +42\n/);
  expect(trace).toMatch(/127\.0\.0\.1 +db\n127\.0\.0\.1 +postgres\n/);
  expect(patient.job("psql").status).toBe("success");
});

test("a service gets its own entrypoint, command and variables, and its log is shown with CI_DEBUG_SERVICES alone", () => {
  const line = "[service:teller] I was told hello you and told\n";
  expect(contained.trace("told")).toContain(line);
  expect(patient.trace("databases")).not.toContain("[service:");
});

test("C60 a service that never listens is warned of when its time is up, and the job goes on", () => {
  const trace = contained.trace("silent");
  expect(trace).toContain("Waiting for services to be up and running (timeout 4 seconds)...");
  expect(trace).toContain("*** WARNING: Service redis:7 probably didn't start properly.");
  expect(trace).toContain("no connection to 6379 within 4 s");
  expect(trace).toContain("\nwent on\n");
  expect(contained.job("silent").status).toBe("success");
});

test("HEALTHCHECK_TCP_PORT says which port of a service to ask", () => {
  const trace = contained.trace("port-by-variable");
  expect(trace).toContain("\nroot:x:0:0:");
  expect(trace).not.toMatch(/Service python:alpine[^\n]*\n[^\n]*names no port/);
});

test("two services on one port: the second one's end is told in one sentence that names both", () => {
  const told = contained
    .trace("one-port")
    .split("\n")
    .filter((line) => line.includes("found its port"));
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(
    /^WARNING: service redis:\w+ found its port 6379 taken by service redis:\w+, for all containers of a job share one network: give one of them another port by its command or variables \(.*Address already in use\)$/,
  );
  expect(contained.job("one-port").status).toBe("success");
});

test("a service that ends at once is told with its last words, and not waited for", () => {
  const trace = contained.trace("dead");
  expect(trace).toMatch(
    /WARNING: service postgres:15 ended by itself with exit code 1\. It said: .*POSTGRES_PASSWORD/,
  );
  expect(trace).toContain("Health check: its container has ended.");
  expect(trace).toContain("\nwent on\n");
});

test("a service that cannot be started at all fails the job, and says which and why", () => {
  const job = contained.job("not-startable");
  expect([job.status, job.failureReason]).toEqual(["failed", "runner_configuration_error"]);
  expect(contained.trace("not-startable")).toContain(
    "service busybox cannot be started: there is no /no/such/program in it",
  );
  expect(contained.trace("not-startable")).not.toContain("ran all the same");
});

test("the services of the settings come with every job; a name that two claim is the first one's", () => {
  expect(contained.trace("dead")).toContain("Starting service busybox ...");
  expect(contained.trace("told")).toContain("the name busybox belongs to an earlier service");
});
