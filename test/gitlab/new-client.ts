// A client as the tests want it: no proxies from the machine, waits that are noted instead of slept.

import { onTestFinished } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import {
  createGitLabClient,
  type GitLabClient,
  type GitLabClientOptions,
} from "../../src/gitlab/client.ts";
import { runnerInfo } from "../../src/gitlab/info.ts";

export const runnerToken = new Secret("glrt-runner-token-value");
export const jobToken = new Secret("glcbt-job-token-value");

export const info = runnerInfo({
  version: "1.2.3",
  executor: "process",
  shell: "bash",
  platform: "linux",
  architecture: "x64",
});

export interface TestClient {
  readonly client: GitLabClient;
  /** Seconds of every wait, in order. */
  readonly waits: number[];
}

export function newClient(
  options: Partial<GitLabClientOptions> & { readonly url: string },
): TestClient {
  const waits: number[] = [];
  const client = createGitLabClient({
    token: runnerToken,
    systemId: "s_0123456789ab",
    info,
    env: {},
    random: () => 1,
    now: () => Date.parse("2030-01-01T00:00:00Z"),
    sleep: async (milliseconds) => {
      waits.push(milliseconds / 1000);
    },
    ...options,
  });
  onTestFinished(() => client.close());
  return { client, waits };
}
