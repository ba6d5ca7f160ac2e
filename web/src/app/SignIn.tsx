import { GraduationCap } from "lucide-preact";
import { useState } from "preact/hooks";
import { chooseLocale, LOCALES, type Locale, locale, t } from "../i18n/index.js";
import { notice, signIn } from "./session.js";

export function SignIn() {
  const words = t().signIn;
  const [pasted, setPasted] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    if (pasted.trim() === "") return;
    setBusy(true);
    void signIn(pasted).finally(() => setBusy(false));
  };
  return (
    <main class="sign-in">
      <form onSubmit={submit}>
        <span class="mark">
          <GraduationCap size={28} aria-hidden="true" />
        </span>
        <h1>{words.title}</h1>
        <p>{words.lead}</p>
        <label class="field">
          <span>{words.token}</span>
          <textarea
            rows={3}
            value={pasted}
            spellcheck={false}
            autocomplete="off"
            autofocus
            dir="ltr"
            data-testid="signin-token"
            onInput={(event) => setPasted(event.currentTarget.value)}
            onKeyDown={(event) => event.key === "Enter" && submit(event)}
          />
        </label>
        <p class="notice" role="alert">
          {notice.value}
        </p>
        <button
          type="submit"
          class="button primary"
          disabled={busy || pasted.trim() === ""}
          data-testid="signin-submit"
        >
          {words.submit}
        </button>
        <p class="quiet">{words.help}</p>
        <div class="languages">
          {(Object.keys(LOCALES) as Locale[]).map((each) => (
            <button
              type="button"
              lang={each}
              aria-pressed={locale.value === each}
              onClick={() => void chooseLocale(each)}
              key={each}
            >
              {LOCALES[each]}
            </button>
          ))}
        </div>
      </form>
    </main>
  );
}
