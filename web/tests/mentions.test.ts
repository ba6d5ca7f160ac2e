import { describe, expect, it } from "vitest";
import { matching, mentionAt, mentionedIn, splitMentions, withMention } from "../src/app/text/mentions.js";

const people = [
  { id: "ada", name: "Ada Novak" },
  { id: "ada2", name: "Ada" },
  { id: "ms-rao", name: "Ms Rao" },
  { id: "eli", name: "Éli Cohen" },
];

describe("mentions", () => {
  it("begin at an @ that begins a word", () => {
    expect(mentionAt("hi @ad", 6)).toEqual({ start: 3, text: "ad" });
    expect(mentionAt("@", 1)).toEqual({ start: 0, text: "" });
    expect(mentionAt("mail@example", 12)).toBeNull();
    expect(mentionAt("hi @ad and", 10)).not.toBeNull();
    expect(mentionAt("hi @ad and more", 15)).toBeNull();
  });

  it("find people by any part of the name, without accents", () => {
    expect(matching(people, "ad").map(({ id }) => id)).toEqual(["ada2", "ada"]);
    expect(matching(people, "rao").map(({ id }) => id)).toEqual(["ms-rao"]);
    expect(matching(people, "eli").map(({ id }) => id)).toEqual(["eli"]);
  });

  it("put the name in place of what was typed", () => {
    expect(withMention("hi @ad!", { start: 3, text: "ad" }, "Ada Novak")).toEqual(["hi @Ada Novak !", 14]);
  });

  it("are sent for those whose name is still in the text, the longest name first", () => {
    expect(mentionedIn("@Ada Novak and @Ms Rao", people)).toEqual(["ada", "ms-rao"]);
    expect(mentionedIn("@Ada, look", people)).toEqual(["ada2"]);
    expect(mentionedIn("@Adana", people)).toEqual([]);
  });

  it("cut the text for drawing", () => {
    expect(splitMentions("a @Ms Rao b", people)).toEqual([
      { text: "a " },
      { text: "@Ms Rao", id: "ms-rao" },
      { text: " b" },
    ]);
  });
});
