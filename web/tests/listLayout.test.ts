import { describe, expect, it } from "vitest";
import { ListLayout } from "../src/app/chat/listLayout.js";

function layout(count: number): ListLayout {
  const made = new ListLayout(() => 50);
  made.setKeys(Array.from({ length: count }, (_, i) => `k${i}`));
  return made;
}

describe("the layout of a long list", () => {
  it("draws a handful of five thousand rows", () => {
    const [start, end] = layout(5000).range(125_000, 800, 400);
    expect([start, end]).toEqual([2492, 2525]);
  });

  it("estimates what was not measured and trusts what was", () => {
    const made = layout(4);
    expect(made.measure([["k1", 200]])).toBe(true);
    expect(made.total).toBe(350);
    expect(made.top(2)).toBe(250);
    expect(made.measure([["k1", 200]])).toBe(false);
  });

  it("finds the row at an offset", () => {
    const made = layout(4);
    expect([-10, 0, 49, 50, 10_000].map((y) => made.at(y))).toEqual([0, 0, 0, 1, 3]);
  });

  it("keeps measured heights when rows come in front", () => {
    const made = layout(2);
    made.measure([["k0", 80]]);
    made.setKeys(["older", "k0", "k1"]);
    expect(made.top(2)).toBe(130);
  });

  it("is empty without rows", () => {
    expect(layout(0).range(0, 800, 400)).toEqual([0, 0]);
    expect(layout(0).total).toBe(0);
  });
});
