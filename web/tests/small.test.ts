import { describe, expect, it } from "vitest";
import { marksOf } from "../src/app/chat/marks.js";
import { backoffMs } from "../src/client/backoff.js";
import { newId } from "../src/client/ids.js";
import { applySnapshot, fromRoom } from "../src/client/roomState.js";
import { en } from "../src/i18n/en.js";
import { es } from "../src/i18n/es.js";
import { hi } from "../src/i18n/hi.js";
import { preferredLocale } from "../src/i18n/index.js";
import { ME, room, snapshot } from "./builders.js";

describe("waiting before the next attempt", () => {
  it("grows to a ceiling, and is spread", () => {
    expect([0, 1, 2, 20].map((attempt) => backoffMs(attempt, 0.999))).toEqual([500, 999, 1999, 14_989]);
    expect(backoffMs(3, 0)).toBe(1000);
  });
});

describe("an id", () => {
  it("is a random UUID", () => {
    expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(newId()).not.toBe(newId());
  });
});

describe("ticks", () => {
  const receipt = (user_id: string, read_seq: number, delivered_seq: number) => ({
    room_id: "room",
    user_id,
    read_seq,
    delivered_seq,
  });
  const marks = (receipts: ReturnType<typeof receipt>[], members = 3) => {
    const answer = snapshot([], { receipts, room: room({ member_count: members }) });
    return marksOf(applySnapshot(fromRoom(room(), ME), answer, ME), ME);
  };

  it("say what holds for everybody else", () => {
    const { stateOf, readers } = marks([receipt(ME, 9, 9), receipt("ben", 3, 5), receipt("chen", 1, 2)]);
    expect([1, 2, 3, 6].map(stateOf)).toEqual(["read", "delivered", "sent", "sent"]);
    expect(readers(2)).toEqual({ read: 1, of: 2 });
  });

  it("promise nothing where not everybody's marks are known", () => {
    expect(marks([receipt("ben", 9, 9)]).stateOf(1)).toBe("sent");
    expect(marks([], 500).readers(1)).toBeNull();
  });
});

describe("languages", () => {
  it("follow the choice, then the browser, then English", () => {
    expect(preferredLocale("hi", ["es-MX"])).toBe("hi");
    expect(preferredLocale(null, ["fr", "es-MX"])).toBe("es");
    expect(preferredLocale(null, ["fr"])).toBe("en");
  });

  it.each([
    ["hi", hi],
    ["es", es],
  ])("%s has a sentence for every error", (_name, catalogue) => {
    expect(Object.keys(catalogue.errors).sort()).toEqual(Object.keys(en.errors).sort());
  });
});
