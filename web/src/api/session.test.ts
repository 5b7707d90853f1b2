import { beforeEach, expect, it } from "vitest";
import { begin, end, expire, token, useSession } from "./session";

const me = { id: "a", email: "me@example.org" };

beforeEach(() => end());

it("returns the token at once if there is one", async () => {
  begin("first", me);
  expect(await token()).toBe("first");
});

it("waits for the next login after the token is rejected", async () => {
  begin("first", me);
  expire("first");
  const waiting = token();
  begin("second", me);
  expect(await waiting).toBe("second");
});

it("ignores the rejection of an older token", () => {
  begin("first", me);
  begin("second", me);
  expire("first");
  expect(useSession.getState().expired).toBe(false);
});

it("stops waiting when aborted", async () => {
  const controller = new AbortController();
  const waiting = token(controller.signal);
  controller.abort();
  await expect(waiting).rejects.toThrow("Not wanted");
});

it("stops waiting when another account logs in", async () => {
  begin("first", me);
  expire("first");
  const waiting = token();
  begin("second", { id: "b", email: "other@example.org" });
  await expect(waiting).rejects.toThrow("Not wanted");
  expect(await token()).toBe("second");
});

it("forgets whose it was", () => {
  begin("first", me);
  end();
  expect(useSession.getState()).toMatchObject({ token: null, account: null, email: "" });
  expect(localStorage).toHaveLength(0);
});
