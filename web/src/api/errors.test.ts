import { expect, it } from "vitest";
import { detailOf } from "./errors";

it.each([
  ['{"detail": "Wrong password."}', "Wrong password."],
  ['{"error": "model not found"}', "model not found"],
  ['{"error": "{\\"error\\":{\\"code\\":400,\\"message\\":\\"no images\\"}}"}', "no images"],
  ['{"detail": [{"msg": "email: missing"}, {"msg": "password: missing"}]}', "email: missing; password: missing"],
  ["<html>Bad gateway</html>", "The server answered with status 502."],
  ["null", "The server answered with status 502."],
  ["", "The server answered with status 502."],
])("finds the words in %s", (body, words) => {
  expect(detailOf(body, 502)).toBe(words);
});
