import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { variable } from "../../../src/stand-in/variables.ts";
import { runFolder } from "../../harness/project.ts";

const content = "line 1\n  $WHO 'quoted' \\ ünïcode\n\nno line end";

const { job, trace } = await runFolder(import.meta.url, {
  variables: { GIVEN: "by hand" },
  raw: [
    {
      name: "file",
      variables: [
        variable("KEY_FILE", content, { file: true, raw: true }),
        variable("WHERE", "see $KEY_FILE"),
        variable("TWICE", "first"),
        variable("TWICE", "last"),
        variable("bad-name", "no shell can export this"),
      ],
      script: [
        'echo "path=$KEY_FILE of ${CI_PROJECT_DIR}.tmp"',
        'echo "$WHERE"',
        'od -An -v -tx1 "$KEY_FILE"',
        'ls -l "$KEY_FILE"',
        'echo "broken" > "$KEY_FILE"',
        'echo "TWICE=$TWICE"',
      ],
      afterScript: ['head -n 1 "$KEY_FILE"'],
    },
  ],
});

test("a job's variables win over the file's, and those given by hand are there too", () => {
  expect(trace("yaml")).toContain("\nGLOBAL=from the file WHO=the job\n");
  expect(trace("yaml")).toContain("\nEMPTY= GIVEN=by hand\n");
});

test("variables within variables are put in, unknown ones are empty", () => {
  expect(trace("yaml")).toContain("\nOUTER=<the job> and <the job> UNKNOWN=[]\n");
});

test("C58 a raw variable stays literal, and $$ is a dollar elsewhere", () => {
  expect(trace("yaml")).toContain("\nDOLLARS=costs $5 and $ 5\nLITERAL=$WHO stays, $$ too\n");
});

test("quotes, backslashes and line ends in a value mean nothing to the shell", () => {
  expect(trace("yaml")).toContain('\nQUOTES=it\'s "quoted" \\ back`tick`\n');
});

test("C59 a file variable is a path under <project>.tmp with the value in it, byte for byte", () => {
  const text = trace("file");
  const [, path, tmp] = /\npath=(\S+) of (\S+)\n/.exec(text) ?? [];
  expect(path).toBe(`${tmp}/KEY_FILE`);
  const hex = [...Buffer.from(content)].map((byte) => byte.toString(16).padStart(2, "0"));
  expect(text.replaceAll(/\n? ([0-9a-f]{2})(?=\s)/g, " $1")).toContain(hex.join(" "));
  expect(text).toContain(`\nsee ${path}\n`);
});

test("a file variable is nobody else's to read, whole again for after_script, and gone at the end", () => {
  const text = trace("file");
  expect(text).toMatch(/\n-rw------- .*KEY_FILE\n/);
  expect(text).toMatch(/Running after script\.\.\.\n\$ head -n 1 "\$KEY_FILE"\nline 1\n/);
  const [, path = ""] = /\npath=(\S+) of/.exec(text) ?? [];
  expect(existsSync(path)).toBe(false);
});

test("of two variables with one name the last counts, and a name no shell knows does no harm", () => {
  expect(trace("file")).toContain("\nTWICE=last\n");
  expect(job("file").status).toBe("success");
});
