import { expect, it } from "vitest";
import { detailOf } from "./errors";

it.each([
  ['{"detail": "Wrong password."}', "Wrong password."],
  ['{"error": "model not found"}', "model not found"],
  ['{"error": "{\\"error\\":{\\"code\\":400,\\"message\\":\\"no images\\"}}"}', "no images"],
  ['{"detail": [{"msg": "email: missing"}, {"msg": "password: missing"}]}', "email: missing; password: missing"],
  ["<html>Bad gateway</html>", "The server returned status 502."],
  ["null", "The server returned status 502."],
  ["", "The server returned status 502."],
])("finds the text in %s", (body, text) => {
  expect(detailOf(body, 502)).toBe(text);
});
