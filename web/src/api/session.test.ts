import { beforeEach, expect, it } from "vitest";
import { begin, end, expire, token, useSession } from "./session";

beforeEach(() => end());

it("gives the token at once while there is one", async () => {
  begin("first", "me@example.org");
  expect(await token()).toBe("first");
});

it("waits for the next login when the token is refused", async () => {
  begin("first", "me@example.org");
  expire("first");
  const waiting = token();
  begin("second", "me@example.org");
  expect(await waiting).toBe("second");
});

it("takes no notice of a refusal of an older token", () => {
  begin("first", "me@example.org");
  begin("second", "me@example.org");
  expire("first");
  expect(useSession.getState().expired).toBe(false);
});

it("stops waiting when it is not wanted any more", async () => {
  const controller = new AbortController();
  const waiting = token(controller.signal);
  controller.abort();
  await expect(waiting).rejects.toThrow("Not wanted");
});
