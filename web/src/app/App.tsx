import { MessageCircle } from "lucide-preact";
import { t } from "../i18n/index.js";
import { Conversation } from "./chat/Conversation.js";
import { Details } from "./details/Details.js";
import { NewChat } from "./dialogs/NewChat.js";
import { Palette } from "./dialogs/Palette.js";
import { Shortcuts } from "./dialogs/Shortcuts.js";
import { RoomPane } from "./rooms/RoomPane.js";
import { roomId } from "./route.js";
import { phase } from "./session.js";
import { SignIn } from "./SignIn.js";
import { client, detailsOpen, dialog } from "./store.js";
import { Banner } from "./ui/Banner.js";
import { Empty } from "./ui/Empty.js";
import { Toasts } from "./ui/Toasts.js";

export function App() {
  return (
    <>
      {phase.value === "out" && <SignIn />}
      {phase.value === "in" && client.value && <Shell key={client.value.userId} />}
      <Toasts />
    </>
  );
}

function Shell() {
  const room = roomId.value;
  const details = room !== null && detailsOpen.value;
  return (
    <div class={`shell ${room === null ? "at-list" : "at-room"} ${details ? "with-details" : ""}`}>
      <Banner />
      <RoomPane />
      {room === null ? <NothingOpen /> : <Conversation roomId={room} key={room} />}
      {details && <Details roomId={room} />}
      <Dialogs />
    </div>
  );
}

function NothingOpen() {
  return (
    <main class="pane pane-chat">
      <Empty icon={MessageCircle} title={t().chat.none} lead={t().chat.noneLead} />
    </main>
  );
}

function Dialogs() {
  switch (dialog.value) {
    case "newChat":
      return <NewChat key="newChat" />;
    case "palette":
      return <Palette key="palette" />;
    case "shortcuts":
      return <Shortcuts key="shortcuts" />;
    case null:
      return null;
  }
}
