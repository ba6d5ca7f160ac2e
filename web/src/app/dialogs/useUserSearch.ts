import { useEffect, useState } from "preact/hooks";
import { asHomeroomError, type User } from "../../client/index.js";
import { sentence } from "../../i18n/index.js";
import { client, me } from "../store.js";

const PAUSE_MS = 150;

export interface UserSearch {
  /** Null until there was a first answer. */
  readonly users: readonly User[] | null;
  readonly failure: string;
}

/** People by name, a moment after the last keystroke; an answer that came too late is dropped. */
export function useUserSearch(query: string): UserSearch {
  const [result, setResult] = useState<UserSearch>({ users: null, failure: "" });
  useEffect(() => {
    let wanted = true;
    const search = () =>
      client.value?.http.searchUsers(query.trim()).then(
        ({ users }) => {
          if (!wanted) return;
          client.value?.people.learn(users);
          setResult({
            users: users.filter(({ id, role }) => id !== me() && role !== "service"),
            failure: "",
          });
        },
        (cause: unknown) => {
          if (wanted) setResult({ users: [], failure: sentence(asHomeroomError(cause).code) });
        },
      );
    const timer = setTimeout(() => void search(), query === "" ? 0 : PAUSE_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [query]);
  return result;
}
