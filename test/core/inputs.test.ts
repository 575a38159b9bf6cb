import { expect, test } from "vitest";
import { interpolateInputs } from "../../src/core/inputs.ts";
import { buildJob } from "./build-job.ts";

const inputs = [
  { key: "name", value: { type: "string", content: "fred" } },
  { key: "empty", value: { type: "string", content: "" } },
  { key: "age", value: { type: "number", content: 42 } },
  { key: "ratio", value: { type: "number", content: 1.5 } },
  { key: "on", value: { type: "boolean", content: true } },
  { key: "off", value: { type: "boolean", content: false } },
  { key: "list", value: { type: "array", content: ["one", "two", 3] } },
  { key: "place", value: { type: "struct", content: { city: "Sydney", "post-code": "2000" } } },
  { key: "with-dash", value: { type: "string", content: "dashed" } },
  { key: "type", value: { type: "string", content: "a reserved word" } },
  { key: "password", value: { type: "string", content: "hunter2", sensitive: true } },
];

function fill(text: string) {
  const job = buildJob({ inputs, steps: [{ name: "script", script: [text] }] });
  const filled = interpolateInputs(job, true);
  return filled.kind === "job" ? filled.job.steps[0]?.script[0] : filled;
}

test.each([
  ["an input is put into the text around it", "Hi ${{ job.inputs.name }}!", "Hi fred!"],
  [
    "blanks within the brackets do not matter",
    "${{job.inputs.name}}${{\n job . inputs . name }}",
    "fredfred",
  ],
  ["several in one text", "${{ job.inputs.name }}-${{ job.inputs.age }}", "fred-42"],
  ["a number", "${{ job.inputs.ratio }}", "1.5"],
  ["a truth value", "${{ job.inputs.off }}", "false"],
  ["a list is written as JSON", "${{ job.inputs.list }}", '["one","two",3]'],
  ["an element of a list", "${{ job.inputs.list[1] }}", "two"],
  ["a field", "${{ job.inputs.place.city }}", "Sydney"],
  ["a field in brackets", "${{ job.inputs.place['post-code'] }}", "2000"],
  ["an input in brackets", '${{ job.inputs["with-dash"] }}', "dashed"],
  ["an input named like a reserved word", "${{ job.inputs.type }}", "a reserved word"],
  ["text without expressions stays", "echo $X ${Y} $$ {{z}} } $", "echo $X ${Y} $$ {{z}} } $"],
  ["a backslash makes brackets literal", "\\${{ job.inputs.name }}", "${{ job.inputs.name }}"],
  ["other backslashes stay", "a\\nb \\$", "a\\nb \\$"],
  [
    "what is put in is not looked at again",
    "${{ '${{ job.inputs.name }}' }}",
    "${{ job.inputs.name }}",
  ],
])("%s", (_rule, text, result) => {
  expect(fill(text)).toBe(result);
});

test.each([
  ["str converts", "str(job.inputs.age) + '!'", "42!"],
  ["str of nothing", "str(null)", "<null>"],
  ["num converts", 'num("3.14") + 1', "4.140000000000001"],
  ["bool is truthiness", "bool(job.inputs.empty)", "false"],
  ["a default for what is empty", 'job.inputs.empty || "none"', "none"],
  ["a choice", 'job.inputs.on && "-v" || ""', "-v"],
  ["a choice the other way", 'job.inputs.off && "-v" || ""', ""],
  ["product before sum", "1 + 2 * 3", "7"],
  ["brackets first", "(1 + 2) * 3", "9"],
  ["from left to right", "10 - 4 - 3", "3"],
  ["division", "10 / 4", "2.5"],
  ["modulo keeps the sign of the left", "-7 % 3", "-1"],
  ["signs", "- -5 + +1", "6"],
  ["strings are joined by +", '"a" + "b"', "ab"],
  ["not", "!job.inputs.empty", "true"],
  ["comparison before logic", "1 < 2 && 3 >= 3", "true"],
  ["equality of strings", 'job.inputs.name == "fred"', "true"],
  ["different kinds are never equal", '1 == "1"', "false"],
  ["nothing equals nothing", "null == null", "true"],
  ["false is less than true", "false < true", "true"],
  ["strings by their code points", '"Z" < "a" && "\uffff" < "🚀"', "true"],
  ["lists element by element", "[1, 2] < [1, 3] && [1] < [1, 0]", "true"],
  ["objects whatever their order", "{a: 1, b: 2} == {b: 2, a: 1}", "true"],
  ["objects by their size first", "{z: 1} < {a: 1, b: 1}", "true"],
  ["an empty list is falsy", "[] || {} || 0 || 'end'", "end"],
  ["a trailing comma", "[1, 2,]", "[1,2]"],
  [
    "an object",
    "{name: job.inputs.name, 'x': [1], (job.inputs.name): null,}",
    '{"name":"fred","x":[1],"fred":null}',
  ],
  ["nested closing brackets", "{a:{b:1}}", '{"a":{"b":1}}'],
  ["an expression within double quotes", '"<${{ job.inputs.name }}>"', "<fred>"],
  ["none within single quotes", "'${{ x }}'", "${{ x }}"],
  ["escapes in double quotes", '"a\\t\\"\\\\\\u00e9\\/\\${{"', 'a\t"\\é/${{'],
  ["escapes in single quotes", "'it\\'s \\\\ \\n'", "it's \\ \\n"],
  ["exponents", "1.5e3 + 2E-1", "1500.2"],
])("expressions: %s", (_rule, expression, result) => {
  expect(fill(`\${{ ${expression} }}`)).toBe(result);
});

test.each([
  ["an unknown input", "${{ job.inputs.nope }}", /there is no property nope; there is name, empty/],
  ["an unknown name", "${{ vars.X }}", /there is no name vars; there is job/],
  ["a dash in a name", "${{ job.inputs.with-dash }}", /there is no property with;/],
  ["brackets that do not close", "${{ job.inputs.name", /needs }} at its end/],
  ["rubbish", "${{ job.inputs.name name }}", /needs }} before "name }}"/],
  ["nothing", "${{ }}", /expected a value/],
  ["quotes that do not close", "${{ 'x }}", /ends within quotes/],
  ["an unknown escape", '${{ "\\q" }}', /unknown escape \\q/],
  ["a reserved word", "${{ while }}", /reserved word while/],
  ["an unknown function", "${{ exec(1) }}", /no function exec; there are str, num and bool/],
  ["a function without argument", "${{ str() }}", /str needs one argument/],
  ["a sum of two kinds", '${{ "a" + 1 }}', /\+ does not work on a string and a number/],
  ["a negative string", '${{ -"a" }}', /- needs a number, not a string/],
  ["division by zero", "${{ 1 / 0 }}", /division by zero/],
  ["modulo zero", "${{ 1 % 0 }}", /division by zero/],
  ["an element that is not there", "${{ job.inputs.list[3] }}", /an array of 3 has no element 3/],
  ["a field of a string", "${{ job.inputs.name.x }}", /a string cannot be asked for a string/],
  ["no number", '${{ num("x") }}', /num needs a string that is a number/],
  ["a key that is no string", "${{ {(1): 2} }}", /key must be a string/],
  ["nesting without end", `\${{ ${"(".repeat(500)}1${")".repeat(500)} }}`, /nested too deeply/],
])("%s fails with a sentence that says where", (_what, text, message) => {
  const filled = fill(text);
  expect(filled).toMatchObject({ kind: "failed" });
  const failure = typeof filled === "object" ? filled.message : "";
  expect(failure).toMatch(/^failed to interpolate job inputs: script line 1: /);
  expect(failure).toMatch(message);
});

test.each([
  ["itself", "${{ job.inputs.password }}"],
  ["within an expression", "${{ 'x' + job.inputs.password }}"],
  ["through a function", "${{ str(bool(job.inputs.password)) }}"],
  ["as a condition", "${{ job.inputs.password && 'set' || 'not set' }}"],
  ["in all inputs at once", "${{ job.inputs }}"],
  ["in a list", "${{ [job.inputs.password] }}"],
  ["within quotes", '${{ "<${{ job.inputs.password }}>" }}'],
])("a sensitive input is refused: %s", (_how, text) => {
  expect(fill(text)).toEqual({
    kind: "failed",
    message:
      "failed to interpolate job inputs: script line 1: sensitive inputs cannot be put into a job",
  });
});

test("inputs go into all that GitLab says they do, and into nothing else", () => {
  const text = "${{ job.inputs.name }}";
  const job = buildJob({
    inputs,
    steps: [
      { name: "script", script: [text, "x"] },
      { name: "after_script", script: [text] },
    ],
    image: {
      name: text,
      entrypoint: [text],
      pull_policy: [text],
      executor_opts: { docker: { platform: text, user: text } },
    },
    services: [{ name: text, alias: text, command: [text], entrypoint: [text] }],
    artifacts: [{ name: text, paths: [text], exclude: [text], expire_in: text }],
    cache: [{ key: text, policy: text, paths: [text], when: text, fallback_keys: [text] }],
    hooks: [{ name: "pre_get_sources_script", script: [text] }],
    variables: [{ key: "V", value: text }],
  });
  const filled = interpolateInputs(job, true);
  if (filled.kind !== "job") throw new Error(filled.message);
  expect(filled.job).toMatchObject({
    steps: [{ script: ["fred", "x"] }, { script: ["fred"] }],
    image: {
      name: "fred",
      entrypoint: ["fred"],
      pull_policy: ["fred"],
      executor_opts: { docker: { platform: "fred", user: "fred" } },
    },
    services: [{ name: "fred", alias: text, command: ["fred"], entrypoint: ["fred"] }],
    artifacts: [{ name: "fred", paths: ["fred"], exclude: ["fred"], expire_in: "fred" }],
    cache: [
      { key: "fred", policy: "fred", paths: ["fred"], when: "fred", fallback_keys: ["fred"] },
    ],
    hooks: [{ script: [text] }],
  });
  expect(filled.job.variables[0]?.value.reveal()).toBe(text);
  expect(job.steps[0]?.script[0]).toBe(text);
});

test("a job without inputs keeps the text, whatever it says", () => {
  const job = buildJob({ steps: [{ name: "script", script: ["echo ${{ job.inputs.x }} ${{"] }] });
  expect(interpolateInputs(job, true)).toEqual({ kind: "job", job });
});

test("FF_ENABLE_JOB_INPUTS_INTERPOLATION=false keeps the text", () => {
  const job = buildJob({ inputs, steps: [{ name: "script", script: ["${{ job.inputs.x }}"] }] });
  expect(interpolateInputs(job, false)).toEqual({ kind: "job", job });
});
