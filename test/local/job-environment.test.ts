import { expect, test } from "vitest";
import { jobEnvironment } from "../../src/local/job-environment.ts";

test("a job starts from the user's own environment", () => {
  const own = {
    PATH: "/bin",
    HOME: "/home/me",
    JAVA_HOME: "/opt/java",
    CI_SERVER_URL: "https://x",
  };
  expect(jobEnvironment(own, [])).toEqual(own);
});

test.each([
  "CI_SERVER_TOKEN",
  "REGISTRATION_TOKEN",
  "NODE_OPTIONS",
  "INIT_CWD",
  "BURST_ANYTHING",
  "npm_config_registry",
  "npm_lifecycle_event",
  "VITEST_WORKER_ID",
  "NODE_CHANNEL_FD",
])("%s belongs to the runner and stays with it", (name) => {
  expect(jobEnvironment({ [name]: "x", PATH: "/bin" }, [])).toEqual({ PATH: "/bin" });
});

test("a variable that holds one of the runner's secrets is left out, whatever its name", () => {
  const given = { INNOCENT: "curl -H 'Token: glrt-secret' x", OTHER: "fine", EMPTY: "" };
  expect(jobEnvironment(given, ["glrt-secret", ""])).toEqual({ OTHER: "fine", EMPTY: "" });
});

test("a variable without a value is none", () => {
  expect(jobEnvironment({ A: undefined, B: "" }, [])).toEqual({ B: "" });
});
