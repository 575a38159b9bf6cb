import { expect, test } from "vitest";
import { sectionEnd, sectionStart } from "../../src/core/section.ts";

test("a section begins with its mark, and no new line", () => {
  expect(sectionStart("get_sources", 1_700_000_000)).toBe(
    "section_start:1700000000:get_sources\r\x1b[0K",
  );
});

test("a title follows in bold cyan", () => {
  expect(sectionStart("step_script", 1_700_000_000.9, "Running")).toBe(
    "section_start:1700000000:step_script\r\x1b[0K\x1b[0K\x1b[36;1mRunning\x1b[0;m\x1b[0;m\n",
  );
});

test.each([
  [{}, "s"],
  [{ collapsed: true }, "s[collapsed=true]"],
  [{ hideDuration: true }, "s[hide_duration=true]"],
  [{ collapsed: true, hideDuration: true }, "s[collapsed=true,hide_duration=true]"],
  [{ collapsed: false, hideDuration: false }, "s"],
])("options follow the name: %o", (options, name) => {
  expect(sectionStart("s", 1, undefined, options)).toBe(`section_start:1:${name}\r\x1b[0K`);
});

test("a section ends with its mark", () => {
  expect(sectionEnd("get_sources", 1_700_000_009.5)).toBe(
    "section_end:1700000009:get_sources\r\x1b[0K",
  );
});
