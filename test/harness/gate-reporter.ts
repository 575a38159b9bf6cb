import { appendFileSync, writeFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import type { SerializedError } from "vitest";
import type { Reporter, TestCase, TestModule } from "vitest/node";

const LINES_OF_AN_ERROR = 30;

/**
 * What `.ci/run` needs of a suite: how many tests passed and failed, and what it repeats at its end, where nobody has
 * to look for it.
 *
 * Writes to the file that `GATE_REPORT` names: a line `<passed> <failed>`, then text. A test that was skipped, a file
 * that does not load and an error that nobody caught count as failed. A test that needed a second try is told.
 */
export default class GateReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const file = process.env["GATE_REPORT"];
    if (file === undefined) return;
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const passed = tests.filter((test) => test.result().state === "passed");
    const failures = [
      ...tests.flatMap(failureOf),
      ...modules.flatMap((module) =>
        module.errors().map((error) => told(module.relativeModuleId, error)),
      ),
      ...modules.flatMap((module) =>
        [...module.children.allSuites()].flatMap((suite) =>
          suite.errors().map((error) => told(suite.fullName, error)),
        ),
      ),
      ...unhandled.map((error) => told("an error that nobody caught", error)),
      ...(tests.length === 0 ? ["FAILED no test ran\n"] : []),
    ];
    writeFileSync(file, `${passed.length} ${failures.length}\n`);
    for (const failure of failures) appendFileSync(file, failure);
    for (const test of passed) {
      if (test.diagnostic()?.flaky === true)
        appendFileSync(file, `second try: ${nameOf(test)}\n${firstErrorOf(test)}`);
    }
  }
}

function failureOf(test: TestCase): string[] {
  const result = test.result();
  if (result.state === "passed") return [];
  const [error] = result.errors ?? [];
  return [
    error === undefined ? `FAILED ${nameOf(test)}: ${result.state}\n` : told(nameOf(test), error),
  ];
}

function firstErrorOf(test: TestCase): string {
  const [error] = test.result().errors ?? [];
  return error === undefined ? "" : indented(error.stack ?? error.message);
}

function told(name: string, error: SerializedError): string {
  return `FAILED ${name}\n${indented([error.message, error.diff, error.stack].filter(Boolean).join("\n"))}`;
}

function nameOf(test: TestCase): string {
  return `${test.project.name}: ${test.module.relativeModuleId} > ${test.fullName}`;
}

// Without colours and without the frames of others.
function indented(text: string): string {
  const lines = stripVTControlCharacters(text)
    .split("\n")
    .filter((line) => !line.includes("node_modules"))
    .slice(0, LINES_OF_AN_ERROR);
  return lines.map((line) => `    ${line}\n`).join("");
}
