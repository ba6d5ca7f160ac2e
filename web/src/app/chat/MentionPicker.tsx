import { t } from "../../i18n/index.js";
import type { Person } from "../text/mentions.js";
import { PersonAvatar } from "../ui/Avatar.js";

interface Props {
  people: readonly Person[];
  picked: number;
  onPick: (person: Person) => void;
}

export function MentionPicker({ people, picked, onPick }: Props) {
  return (
    <div class="mention-picker" role="listbox" aria-label={t().composer.mention}>
      {people.map((each, i) => (
        <div
          class={`option ${i === picked ? "picked" : ""}`}
          id={`mention-${each.id}`}
          role="option"
          aria-selected={i === picked}
          // The text field keeps the focus.
          onPointerDown={(event) => {
            event.preventDefault();
            onPick(each);
          }}
          key={each.id}
        >
          <PersonAvatar userId={each.id} size={24} />
          <span dir="auto">{each.name}</span>
        </div>
      ))}
    </div>
  );
}
