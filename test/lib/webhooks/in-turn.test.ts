import { expect, test } from "vitest";
import { inTurn } from "../../../lib/webhooks/in-turn.ts";

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

test("tasks of one name run one after the other in their order, those of others side by side", async () => {
  const takeTurn = inTurn();
  const story: string[] = [];
  const task = (name: string) => async () => {
    story.push(`${name} begins`);
    await pause();
    story.push(`${name} ends`);
    return name;
  };
  const results = [takeTurn("a", task("a1")), takeTurn("a", task("a2")), takeTurn("b", task("b1"))];
  expect(await Promise.all(results)).toEqual(["a1", "a2", "b1"]);
  expect(story.filter((line) => line.startsWith("a"))).toEqual(["a1 begins", "a1 ends", "a2 begins", "a2 ends"]);
  expect(story.indexOf("b1 begins")).toBeLessThan(story.indexOf("a1 ends"));
});

test("a task that fails holds up nobody, and only its caller hears of it", async () => {
  const takeTurn = inTurn();
  const failing = takeTurn("a", () => Promise.reject(new Error("no")));
  const next = takeTurn("a", async () => "yes");
  await expect(failing).rejects.toThrow("no");
  expect(await next).toBe("yes");
  expect(await takeTurn("a", async () => "later")).toBe("later");
});
