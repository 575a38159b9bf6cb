import { expect, test } from "vitest";
import { jobOf, mistakesOf } from "./compiling.ts";

const plain = { entrypoint: null, ports: [], executor_opts: {}, pull_policy: [] };

test("an image is a name, or a map around it", () => {
  expect(jobOf("a: { script: a, image: python:3.12 }").payload.image).toEqual({
    ...plain,
    name: "python:3.12",
  });
  const full = `
a:
  script: a
  image:
    name: $REGISTRY/x
    entrypoint: [""]
    pull_policy: [always, if-not-present]
    docker: { platform: linux/arm64, user: 1000 }
    kubernetes: { user: "1001" }
`;
  expect(jobOf(full).payload.image).toEqual({
    name: "$REGISTRY/x",
    entrypoint: [""],
    ports: [],
    executor_opts: {
      docker: { platform: "linux/arm64", user: "1000" },
      kubernetes: { user: "1001" },
    },
    pull_policy: ["always", "if-not-present"],
  });
});

test("services are names or maps, with alias, command and variables", () => {
  const yaml = `
a:
  script: a
  services:
    - redis
    - { name: postgres:16, alias: "db, pg", command: [postgres, ""], entrypoint: [x], pull_policy: never, variables: { A: 1 } }
`;
  expect(jobOf(yaml).payload.services).toEqual([
    { ...plain, name: "redis", alias: null, command: null, variables: [] },
    {
      ...plain,
      name: "postgres:16",
      alias: "db, pg",
      command: ["postgres", ""],
      entrypoint: ["x"],
      pull_policy: ["never"],
      variables: [{ key: "A", value: "1", public: true, masked: false, file: false, raw: false }],
    },
  ]);
});

test.each([
  ["image: [a]", "image: image must be a string, but is a list."],
  ["image: ''", "image: image must be a string, but is an empty string."],
  ["image: { entrypoint: [a] }", "image:name: image is a map without a name."],
  [
    "image: { name: a, entrypoint: sh }",
    "image:entrypoint: image:entrypoint must be a list of strings, but is a string.",
  ],
  [
    "image: { name: a, pull_policy: sometimes }",
    'image:pull_policy: image:pull_policy must be one of always, if-not-present, never, but is "sometimes".',
  ],
  [
    "image: { name: a, ports: [80] }",
    "image:ports: image:ports is not supported here: only GitLab's web terminals use ports.",
  ],
  [
    "image: { name: a, docker: { usr: x } }",
    'image:docker:usr: "usr" is not a key of image:docker. Did you mean "user"?',
  ],
  [
    "image: { name: a, alias: x }",
    'image:alias: "alias" is not a key of image. Supported are: name, entrypoint, pull_policy, docker, kubernetes.',
  ],
  ["services: redis", "services: services must be a list of images, but is a string."],
  ["services: [3]", "services: services must be a string, but is the number 3; put it in quotes."],
  ["services: [{ alias: a }]", "services:name: services is a map without a name."],
  [
    "services: [{ name: a, command: b }]",
    "services:command: services:command must be a list of strings, but is a string.",
  ],
  [
    "services: [{ name: a, variables: { A: { value: b } } }]",
    "variables:A: variables:A must be a string, but is a map.",
  ],
])("%s is refused", (yaml, mistake) => {
  expect(mistakesOf(`a: { script: a, ${yaml} }`)).toEqual([`1 ${mistake}`]);
});
