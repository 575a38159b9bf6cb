import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configText } from "../../../src/agent/sources/config-text.ts";
import { git, temporaryFolder } from "./project.ts";

test.each([
  ["core.bare", "false"],
  ["remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"],
  ["http.https://gitlab.example.com:8443/a.b.sslcainfo", "/a folder/ca.pem"],
  ["credential.https://host.helper", '!f() { echo "a\\b # $X"; }; f'],
  ['url.https://host/"quoted\\.insteadof', "git@host:"],
  ["user.name", "  tabs\tand\nlines ; # "],
  ["credential.https://host.helper", ""],
])("git reads %s back as it was given", (name, value) => {
  const folder = temporaryFolder();
  const file = join(folder, "config");
  writeFileSync(file, configText([[name, value]]));
  const listing = git(folder, ["config", "--file", file, "--list", "--null"]);
  expect(listing).toBe(`${name}\n${value}\0`);
});
