import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// `unit` is the fast suite (npm test); `cloud` is what runs on AWS, tried without it; `faults` waits for real clocks and
// kills real processes; `containers` needs a container engine or what it takes to start one; `aws` needs that too, and
// moto_server, or python3 to get it.
const cloud = [
  "test/infra/**/*.test.ts",
  "test/fakes/**/*.test.ts",
  "test/aws-ports/**/*.test.ts",
  "test/lambdas/**/*.test.ts",
  "test/scripts/proof*.test.ts",
  "test/cli/aws-place.test.ts",
  "test/agent/task/**/*.test.ts",
  "test/flow/{advance,advance-crashes,metrics-and-log,poll,runners,sweep}.test.ts",
];

// What needs only Node and git.
const plain = {
  globalSetup: "test/surroundings.ts",
  // Modules are loaded once a worker, not once a file: no test changes any.
  isolate: false,
  // Much of the time a worker waits for the processes that it has started: one per core (vitest takes one
  // fewer) and one more.
  maxWorkers: availableParallelism() + 1,
  testTimeout: 20_000,
  hookTimeout: 20_000,
};

// The SDK's advice on versions of Node, once for each worker.
const env = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/faults/**", "test/containers/**", "test/aws/**", ...cloud],
          ...plain,
        },
      },
      { test: { name: "cloud", include: cloud, env, ...plain } },
      {
        test: {
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          testTimeout: 240_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "containers",
          include: ["test/containers/**/*.test.ts"],
          globalSetup: "test/containers/setup.ts",
          testTimeout: 240_000,
          hookTimeout: 240_000,
          // Most of the time a job waits for the engine or for a clock.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: "aws",
          include: ["test/aws/**/*.test.ts"],
          env,
          globalSetup: "test/containers/setup.ts",
          testTimeout: 120_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
