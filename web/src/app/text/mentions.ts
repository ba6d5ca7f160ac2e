export interface Query {
  readonly start: number;
  readonly text: string;
}

export interface Person {
  readonly id: string;
  readonly name: string;
}

/** The `@name` that is being written at the caret, if one is. */
export function mentionAt(value: string, caret: number): Query | null {
  const hit = /(?:^|[\s(])@([\p{L}\p{N}._-]{0,30}(?: [\p{L}\p{N}._-]{0,30})?)$/u.exec(value.slice(0, caret));
  const text = hit?.[1];
  return text === undefined ? null : { start: caret - text.length - 1, text };
}

/** People whose name, or a part of it, begins with what was written. */
export function matching(people: readonly Person[], query: string, limit = 6): Person[] {
  const wanted = fold(query);
  const score = ({ name, id }: Person) => {
    const folded = fold(name);
    if (folded.startsWith(wanted)) return 0;
    if (folded.split(/\s+/).some((part) => part.startsWith(wanted))) return 1;
    return fold(id).startsWith(wanted) ? 2 : 3;
  };
  return people
    .map((person) => ({ person, rank: score(person) }))
    .filter(({ rank }) => rank < 3)
    .sort((a, b) => a.rank - b.rank || a.person.name.localeCompare(b.person.name))
    .slice(0, limit)
    .map(({ person }) => person);
}

/** Put the chosen name where the query was. Returns the new text and caret. */
export function withMention(value: string, query: Query, name: string): [value: string, caret: number] {
  const end = query.start + 1 + query.text.length;
  const before = `${value.slice(0, query.start)}@${name} `;
  return [before + value.slice(end).replace(/^ /, ""), before.length];
}

/** Ids of the people named in the text. A longer name wins over one that it begins with. */
export function mentionedIn(value: string, people: readonly Person[]): string[] {
  return splitMentions(value, people)
    .flatMap((part) => (part.id ? [part.id] : []))
    .filter(unique);
}

export interface Part {
  readonly text: string;
  readonly id?: string;
}

/** Cut the text at the names of these people. */
export function splitMentions(value: string, people: readonly Person[]): Part[] {
  if (people.length === 0 || !value.includes("@")) return [{ text: value }];
  const byName = new Map(people.map(({ id, name }) => [`@${name}`, id]));
  const names = [...byName.keys()]
    .sort((a, b) => b.length - a.length)
    .map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pieces = value.split(new RegExp(`(${names.join("|")})(?![\\p{L}\\p{N}])`, "u"));
  return pieces
    .filter((text) => text !== "")
    .map((text) => {
      const id = byName.get(text);
      return id === undefined ? { text } : { text, id };
    });
}

function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase();
}

function unique(id: string, index: number, all: readonly string[]): boolean {
  return all.indexOf(id) === index;
}
