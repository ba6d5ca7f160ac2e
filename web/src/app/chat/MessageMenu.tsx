import { Copy, Pencil, Reply, Trash2 } from "lucide-preact";
import { useState } from "preact/hooks";
import type { Message, Room } from "../../client/index.js";
import { t } from "../../i18n/index.js";
import { isKeeper, mayReact, whySilent } from "../rooms/roomText.js";
import { attempt, client, me, person, say } from "../store.js";
import { type Anchor, Floating, MenuItem } from "../ui/Menu.js";

const COMMON = ["👍", "❤️", "😂", "🎉", "😮", "🙏", "✅", "❓"];
const MORE =
  "😀 😅 🙂 😉 😍 🤩 🤔 😴 😢 😭 😡 😱 🤯 🥳 😎 🤓 🙌 👏 👋 ✋ 💪 🤝 🔥 ⭐ 💡 📚 📝 📌 📎 🧪 🧮 🎓 🎨 🎵 ⚽ 🏆 🚀 🌍 ☀️ 🌈 🍎 ☕ 💯 ❌ ⚠️ ⏰ 👀 🫶".split(
    " ",
  );

interface Props {
  kind: "menu" | "emoji";
  anchor: Anchor;
  message: Message;
  room: Room;
  onReply: (message: Message) => void;
  onEdit: (message: Message) => void;
  onClose: () => void;
}

export function MessageMenu({ kind, anchor, message, room, onReply, onEdit, onClose }: Props) {
  const words = t().message;
  const own = message.sender_id === me();
  const mayWrite = whySilent(room, person(me())) === null;
  const then = (act: () => void) => () => {
    onClose();
    act();
  };
  const emoji = <EmojiPicker message={message} all={kind === "emoji"} onClose={onClose} />;
  if (kind === "emoji") {
    return (
      <Floating anchor={anchor} label={words.react} role="dialog" onClose={onClose}>
        {emoji}
      </Floating>
    );
  }
  return (
    <Floating anchor={anchor} label={words.menu} onClose={onClose}>
      {mayReact(room, person(me())) && emoji}
      <div class="menu-section">
        {mayWrite && <MenuItem icon={Reply} label={words.reply} onSelect={then(() => onReply(message))} />}
        <MenuItem icon={Copy} label={words.copy} onSelect={then(() => copy(message.body))} />
        {own && mayWrite && (
          <MenuItem icon={Pencil} label={words.edit} onSelect={then(() => onEdit(message))} />
        )}
        {((own && mayWrite) || isKeeper(room)) && <DeleteItem message={message} onClose={onClose} />}
      </div>
    </Floating>
  );
}

/** Asks once more in place: the second press deletes. */
function DeleteItem({ message, onClose }: { message: Message; onClose: () => void }) {
  const [asked, setAsked] = useState(false);
  const words = t().message;
  const remove = () => {
    onClose();
    attempt(client.value?.delete(message));
  };
  return (
    <MenuItem
      icon={Trash2}
      label={asked ? words.deleteAsk : words.delete}
      danger
      onSelect={asked ? remove : () => setAsked(true)}
    />
  );
}

function EmojiPicker({ message, all, onClose }: { message: Message; all: boolean; onClose: () => void }) {
  const react = (emoji: string) => {
    const given = message.reactions[emoji]?.includes(me()) ?? false;
    onClose();
    attempt(client.value?.react(message, emoji, !given));
  };
  return (
    <div class="emoji-grid">
      {(all ? [...COMMON, ...MORE] : COMMON).map((emoji) => (
        <button
          type="button"
          role={all ? undefined : "menuitem"}
          aria-label={emoji}
          data-testid="reaction-choice"
          data-emoji={emoji}
          onClick={() => react(emoji)}
          key={emoji}
        >
          {emoji}
        </button>
      ))}
    </div>
  );
}

function copy(text: string): void {
  // The clipboard is closed to pages without TLS.
  if (!("clipboard" in navigator)) return;
  navigator.clipboard.writeText(text).then(
    () => say(t().message.copied),
    () => undefined,
  );
}
