import { expect, test } from "vitest";
import {
  changedFlags,
  defaultFeatureFlags,
  resolveFeatureFlags,
} from "../../src/core/feature-flags.ts";
import type { FlagSources } from "../../src/core/feature-flags.ts";
import { buildJob } from "./build-job.ts";

function resolve(sources: {
  readonly configured?: FlagSources["configured"];
  readonly environment?: readonly string[];
  readonly job?: readonly { readonly key: string; readonly value: string }[];
}) {
  return resolveFeatureFlags({
    configured: sources.configured ?? {},
    environment: sources.environment ?? [],
    variables: buildJob({ variables: sources.job ?? [] }).variables,
  });
}

test("without a word about them the flags are at GitLab Runner's defaults", () => {
  const { flags, warnings } = resolve({});
  expect(flags).toEqual(defaultFeatureFlags);
  expect(flags).toMatchObject({
    FF_TIMESTAMPS: true,
    FF_USE_DIRECT_DOWNLOAD: true,
    FF_MASK_ALL_DEFAULT_TOKENS: true,
    FF_ENABLE_JOB_INPUTS_INTERPOLATION: true,
    FF_SCRIPT_SECTIONS: false,
    FF_ENABLE_BASH_EXIT_CODE_CHECK: false,
    FF_HASH_CACHE_KEYS: false,
    FF_GIT_URLS_WITHOUT_TOKENS: false,
  });
  expect(warnings).toEqual([]);
});

test("a job's variable changes a flag, the last of several", () => {
  const job = [
    { key: "FF_TIMESTAMPS", value: "1" },
    { key: "FF_TIMESTAMPS", value: "false" },
  ];
  expect(resolve({ job }).flags.FF_TIMESTAMPS).toBe(false);
});

test("a job's variable beats the runner's environment", () => {
  const environment = ["FF_HASH_CACHE_KEYS=true", "FF_SCRIPT_SECTIONS=true"];
  const { flags } = resolve({ environment, job: [{ key: "FF_SCRIPT_SECTIONS", value: "0" }] });
  expect(flags.FF_HASH_CACHE_KEYS).toBe(true);
  expect(flags.FF_SCRIPT_SECTIONS).toBe(false);
});

test("the runner's settings beat the job", () => {
  const job = [{ key: "FF_TIMESTAMPS", value: "true" }];
  expect(resolve({ configured: { FF_TIMESTAMPS: false }, job }).flags.FF_TIMESTAMPS).toBe(false);
});

test("an unreadable value leaves the default, and is warned of", () => {
  const { flags, warnings } = resolve({ job: [{ key: "FF_TIMESTAMPS", value: "maybe" }] });
  expect(flags.FF_TIMESTAMPS).toBe(true);
  expect(warnings).toEqual([
    "FF_TIMESTAMPS must be true or false (or 1 or 0); using the default, true",
  ]);
});

test("a flag in the settings that means nothing here is warned of", () => {
  const { warnings } = resolve({ configured: { FF_NETWORK_PER_BUILD: true } });
  expect(warnings).toEqual([
    "The runner's settings name FF_NETWORK_PER_BUILD, a feature flag that changes nothing here",
  ]);
});

test("the header names only what differs from the defaults", () => {
  const { flags } = resolve({ configured: { FF_TIMESTAMPS: false, FF_SCRIPT_SECTIONS: true } });
  expect(changedFlags(flags)).toBe("FF_SCRIPT_SECTIONS:true, FF_TIMESTAMPS:false");
  expect(changedFlags(defaultFeatureFlags)).toBe("");
});
