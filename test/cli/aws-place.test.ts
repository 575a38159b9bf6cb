import { expect, test } from "vitest";
import { parametersPath } from "../../src/cli/aws-place.ts";

test.each(["default", "prod-2", "a", "0123456789abcdefghijklmn"])(
  "an environment may be called %s, in a command as in a deployment",
  (env) => {
    expect(parametersPath({ env })).toBe(`/gitlab-burst/${env}`);
  },
);

test.each(["Prod", "", "-a", "a_b", "a/b", "0123456789abcdefghijklmno"])(
  "no environment can have been deployed as %j, and a command says so",
  (env) => {
    expect(() => parametersPath({ env })).toThrow(
      `--env ${JSON.stringify(env)}: expected 1 to 24 small letters, digits and dashes`,
    );
  },
);
