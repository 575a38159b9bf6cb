import { expect, test } from "vitest";
import {
  fullName,
  officialName,
  readReference,
  registryHost,
  serviceHostnames,
} from "../../src/core/image-reference.ts";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

function reference(name: string) {
  const read = readReference(name);
  if (read.kind === "invalid") throw new Error(read.message);
  return read.reference;
}

test.each<[string, string, [registry: string, path: string, tag: string, digest: string]]>([
  ["a bare name", "ruby", ["", "ruby", "", ""]],
  ["a tag", "ruby:3.3-alpine", ["", "ruby", "3.3-alpine", ""]],
  ["a namespace is no registry", "bitnami/redis:7", ["", "bitnami/redis", "7", ""]],
  ["a first part with a dot is a registry", "ghcr.io/a/b", ["ghcr.io", "a/b", "", ""]],
  ["a first part with a port is a registry", "box:5000/a:1", ["box:5000", "a", "1", ""]],
  ["localhost is a registry", "localhost/a", ["localhost", "a", "", ""]],
  ["a first part in upper case can only be a registry", "Box/a", ["Box", "a", "", ""]],
  ["a digest", `ruby@${digest}`, ["", "ruby", "", digest]],
  ["a tag and a digest", `a.io/ruby:3@${digest}`, ["a.io", "ruby", "3", digest]],
  ["separators within a name", "a-b__c/d.e---f", ["", "a-b__c/d.e---f", "", ""]],
])("a name is read: %s", (_, name, parts) => {
  const { registry, path, tag, digest } = reference(name);
  expect([registry, path, tag, digest]).toEqual(parts);
});

test.each<[string, string, string]>([
  ["nothing", "", "it has no name"],
  ["a variable that was empty", "ghcr.io/:1", "it has no name"],
  ["an empty tag", "ruby:", '"" is no tag'],
  ["upper case", "Ruby:3", "names of images are in lower case"],
  ["a space", "ruby 3", '"ruby 3" is no name of an image'],
  ["a doubled slash", "a//b", '"a//b" is no name of an image'],
  ["an address", "https://ghcr.io/a/b", "https: is no registry"],
  ["a tag that begins with a dot", "ruby:.3", '".3" is no tag'],
  ["half a digest", "ruby@sha256:abc", '"sha256:abc" is no digest'],
  ["a variable that was not put in", "ruby:$VERSION", '"$VERSION" is no tag'],
])("what is no name is said why: %s", (_, name, message) => {
  expect(readReference(name)).toEqual({ kind: "invalid", message });
});

test.each<[string, string, readonly string[]]>([
  ["a bare name is itself", "redis", ["redis"]],
  ["a tag is left out", "redis:7", ["redis"]],
  ["a digest is left out", `redis@${digest}`, ["redis"]],
  ["a slash becomes __ and -", "bitnami/redis:7", ["bitnami__redis", "bitnami-redis"]],
  ["a registry counts", "domain.tld/service:1", ["domain.tld__service", "domain.tld-service"]],
  [
    "a registry's port does not",
    "sub.domain.tld:8080/namespace/service:1",
    ["sub.domain.tld__namespace__service", "sub.domain.tld-namespace-service"],
  ],
])("a service is known by its image's path: %s", (_, name, hostnames) => {
  expect(serviceHostnames(reference(name))).toEqual(hostnames);
});

test.each<[string, string, string | undefined]>([
  ["a bare name", "ruby:3", "ruby:3"],
  ["library/ written out", "library/ruby", "ruby"],
  ["Docker Hub written out", `docker.io/library/ruby:3@${digest}`, `ruby:3@${digest}`],
  ["Docker Hub without library", "index.docker.io/ruby", "ruby"],
  ["somebody's image is not official", "bitnami/redis", undefined],
  ["another registry's is not official", "ghcr.io/ruby", undefined],
])("official images are told from others: %s", (_, name, official) => {
  expect(officialName(reference(name))).toBe(official);
});

test("a name without tag and digest means latest", () => {
  expect(fullName(reference("ruby"))).toBe("ruby:latest");
  expect(fullName(reference("ruby:3"))).toBe("ruby:3");
  expect(fullName(reference(`ruby@${digest}`))).toBe(`ruby@${digest}`);
});

test("Docker Hub has one name for credentials, whatever it was called", () => {
  expect(
    ["ruby", "docker.io/a/b", "registry-1.docker.io/a/b"].map((n) => registryHost(reference(n))),
  ).toEqual(["docker.io", "docker.io", "docker.io"]);
  expect(registryHost(reference("box:5000/a"))).toBe("box:5000");
});
