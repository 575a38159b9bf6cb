import { expect, test } from "vitest";
import type { FailureReason } from "../../src/core/failure-reason.ts";
import { pullFailureReason } from "../../src/core/pull-failure.ts";

test.each<[string, FailureReason, string]>([
  [
    "a registry that cannot be dialled is somebody else's failure",
    "runner_external_dependency_failure",
    'Get "https://registry.example.com/v2/": dial tcp 10.0.0.1:443: connect: no route to host',
  ],
  [
    "a name that DNS does not know is somebody else's failure",
    "runner_external_dependency_failure",
    "lookup registry.example.com on 10.0.0.2:53: no such host",
  ],
  [
    "a TLS handshake that times out is somebody else's failure, in whatever case it is written",
    "runner_external_dependency_failure",
    "net/http: TLS handshake timeout",
  ],
  [
    "a client's timeout is somebody else's failure",
    "runner_external_dependency_failure",
    "net/http: request canceled while waiting for connection (Client.Timeout exceeded)",
  ],
  [
    "a connection cut in the middle is somebody else's failure",
    "runner_external_dependency_failure",
    "read: connection reset by peer",
  ],
  [
    "a network failure wins over a later not found",
    "runner_external_dependency_failure",
    "failed to resolve reference: i/o timeout: not found",
  ],
  [
    "an image that is not there is a mistake in the configuration",
    "runner_configuration_error",
    "CannotPullContainerError: docker.io/library/nope:latest: not found",
  ],
  [
    "an unknown manifest is a mistake in the configuration",
    "runner_configuration_error",
    "manifest unknown: manifest tagged by 1 is not found",
  ],
  [
    "a denied pull is a mistake in the configuration",
    "runner_configuration_error",
    "pull access denied for acme/app, repository does not exist or may require 'docker login'",
  ],
  [
    "missing credentials are a mistake in the configuration",
    "runner_configuration_error",
    "no basic auth credentials",
  ],
  [
    "an answer 401 is a mistake in the configuration",
    "runner_configuration_error",
    "unexpected status code: 401 Unauthorized",
  ],
  [
    "a full disk stays an image pull failure",
    "image_pull_failure",
    "write /layer.tar: no space left on device",
  ],
  [
    "a rate limit stays an image pull failure",
    "image_pull_failure",
    "toomanyrequests: You have reached your pull rate limit.",
  ],
  ["a text that says nothing stays an image pull failure", "image_pull_failure", ""],
])("%s", (_, reason, text) => {
  expect(pullFailureReason(text)).toBe(reason);
});
