import { expect, test } from "vitest";
import { variable } from "../../../src/stand-in/variables.ts";
import { runFolder } from "../../harness/project.ts";

const hidden = { masked: true, public: false };

const { job, trace } = await runFolder(import.meta.url, {
  raw: [
    {
      name: "secrets",
      variables: [
        variable("SHORT", "s3cret", hidden),
        variable("LONG", "s3cret-and-more", hidden),
        variable("NESTED", "key-$SHORT-end", hidden),
        variable("IN_FILE", "line one of a key\nline two of a key", { ...hidden, file: true }),
      ],
      script: [
        'echo "short=$SHORT long=$LONG nested=$NESTED"',
        'printf "split=s3c"; sleep 0.1; printf "ret-and"; sleep 0.1; echo "-more"',
        'printf "almost=s3cre\\n"',
        'cat "$IN_FILE"; echo',
        "ls /s3cret-and-more || true",
      ],
      afterScript: ['echo "after=$LONG"'],
    },
  ],
});

test("C43 masked variables never show, whole or in parts, the longest first", () => {
  const text = trace("secrets");
  expect(text).toContain("\nshort=[MASKED] long=[MASKED] nested=[MASKED]\n");
  expect(text).toContain("\nsplit=[MASKED]\n");
  expect(text).toContain("\nalmost=s3cre\n");
  expect(text).toContain("\n[MASKED]\n");
  expect(text).toContain("\nafter=[MASKED]\n");
  expect(job("secrets").trace().toString()).not.toMatch(/s3cret|of a key/);
});

test("a secret in a command is masked where the command is shown, and in what it complains of", () => {
  expect(trace("secrets")).toContain("\n$ ls /[MASKED] || true\n");
  expect(trace("secrets")).toMatch(/\nls: .*\/\[MASKED\].*: No such file or directory\n/);
});

test("the job's token is masked wherever it shows", () => {
  const text = trace("token");
  expect(text).toContain("\ntoken=[MASKED]\n");
  expect(text).toMatch(/\nurl=http:\/\/gitlab-ci-token:\[MASKED\]@/);
  expect(job("token").trace().toString()).not.toContain(job("token").token);
});

test("C44 what follows the prefix of a known token is masked", () => {
  expect(trace("token")).toContain("\npersonal glpat-[MASKED] and more\n");
});

test("C45 the secret parameters of addresses are masked, and only they", () => {
  expect(trace("token")).toContain("\nhttps://s3.example.com/x?X-Amz-Signature=[MASKED]&b=1\n");
  expect(trace("token")).toContain("\nhttps://gitlab.example.com/api?private_token=[MASKED]\n");
});
