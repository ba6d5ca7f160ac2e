import {
  Circle,
  CircleDot,
  Clock,
  Keyboard,
  Languages,
  LogOut,
  MinusCircle,
  Monitor,
  Moon,
  Sun,
} from "lucide-preact";
import { useState } from "preact/hooks";
import { chooseLocale, LOCALES, type Locale, locale, t } from "../../i18n/index.js";
import { chooseStatus, ownStatus } from "../away.js";
import { chooseTheme, theme } from "../prefs.js";
import { signOut } from "../session.js";
import { attempt, dialog, me, person } from "../store.js";
import { PersonAvatar } from "../ui/Avatar.js";
import { type Anchor, anchorOf, Floating, MenuItem } from "../ui/Menu.js";

export function ProfileButton() {
  const [anchor, setAnchor] = useState<Anchor | null>(null);
  return (
    <>
      <button
        type="button"
        class="avatar-button"
        aria-label={t().profile.menu}
        title={t().profile.menu}
        aria-haspopup="menu"
        data-testid="profile-menu"
        onClick={(event) => setAnchor(anchorOf(event.currentTarget))}
      >
        <PersonAvatar userId={me()} size={32} />
        <span class={`dot dot-${ownStatus.value}`} />
      </button>
      {anchor && <ProfileMenu anchor={anchor} onClose={() => setAnchor(null)} />}
    </>
  );
}

const STATUSES = [
  { status: "online", icon: CircleDot },
  { status: "away", icon: Clock },
  { status: "busy", icon: MinusCircle },
] as const;

const THEMES = [
  { value: "light", icon: Sun },
  { value: "dark", icon: Moon },
  { value: "auto", icon: Monitor },
] as const;

function ProfileMenu({ anchor, onClose }: { anchor: Anchor; onClose: () => void }) {
  const words = t();
  const user = person(me());
  const then = (act: () => void) => () => {
    act();
    onClose();
  };
  return (
    <Floating anchor={anchor} label={words.profile.menu} onClose={onClose}>
      <div class="menu-head">
        <strong>{user?.name ?? me()}</strong>
        <span>{user ? words.details.role[user.role] : ""}</span>
      </div>
      <div class="menu-section" role="group" aria-label={words.presence.set}>
        {STATUSES.map(({ status, icon }) => (
          <MenuItem
            icon={icon}
            label={words.presence[status]}
            checked={ownStatus.value === status}
            onSelect={then(() => chooseStatus(status))}
            key={status}
          />
        ))}
      </div>
      <div class="menu-section" role="group" aria-label={words.profile.theme}>
        <div class="segments">
          {THEMES.map(({ value, icon: Icon }) => (
            <button
              type="button"
              role="menuitemradio"
              aria-checked={theme.value === value}
              title={words.profile[value]}
              aria-label={words.profile[value]}
              onClick={() => chooseTheme(value)}
              key={value}
            >
              <Icon size={16} aria-hidden="true" />
            </button>
          ))}
        </div>
      </div>
      <div class="menu-section" role="group" aria-label={words.profile.language}>
        {(Object.keys(LOCALES) as Locale[]).map((each) => (
          <MenuItem
            icon={locale.value === each ? Languages : Circle}
            label={LOCALES[each]}
            checked={locale.value === each}
            onSelect={then(() => attempt(chooseLocale(each)))}
            key={each}
          />
        ))}
      </div>
      <div class="menu-section">
        <MenuItem
          icon={Keyboard}
          label={words.profile.shortcuts}
          onSelect={then(() => {
            dialog.value = "shortcuts";
          })}
        />
        <MenuItem icon={LogOut} label={words.profile.signOut} onSelect={then(() => attempt(signOut()))} />
      </div>
    </Floating>
  );
}
