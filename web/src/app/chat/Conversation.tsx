import { CircleAlert, Lock, MessagesSquare } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { asHomeroomError, type RoomState, unreadOf } from "../../client/index.js";
import { sentence, t } from "../../i18n/index.js";
import { roomTitle, whySilent } from "../rooms/roomText.js";
import { goToList } from "../route.js";
import { client, me, online, person, useOutgoing, useRoom } from "../store.js";
import { Empty } from "../ui/Empty.js";
import { ChatSkeleton } from "../ui/Skeleton.js";
import { Announcer } from "./Announcer.js";
import { ChatHeader } from "./ChatHeader.js";
import { Composer } from "./Composer.js";
import { MessageList } from "./MessageList.js";
import { peopleOf } from "./MessageRow.js";
import { TypingLine } from "./TypingLine.js";
import type { Intent } from "./useWriting.js";
import { isAttending } from "./visibility.js";

/** Open the room now and after each time it was lost. Returns the code of what keeps it from opening. */
function useOpenRoom(roomId: string): [failure: string | null, retry: () => void] {
  const [failure, setFailure] = useState<string | null>(null);
  const [tries, setTries] = useState(0);
  const isOnline = online.value;
  useEffect(() => {
    if (!isOnline) return;
    client.value?.rooms.open(roomId).then(
      () => setFailure(null),
      (cause: unknown) => {
        const { code, retryable } = asHomeroomError(cause);
        if (!retryable || client.value?.connection.online) setFailure(code);
      },
    );
  }, [roomId, isOnline, tries]);
  return [failure, () => setTries((n) => n + 1)];
}

export function Conversation({ roomId }: { roomId: string }) {
  const state = useRoom(roomId);
  const [failure, retry] = useOpenRoom(roomId);
  if (failure !== null && !state?.loaded) {
    return (
      <main class="pane pane-chat">
        {state && <ChatHeader room={state.room} />}
        <Failure code={failure} onRetry={retry} />
      </main>
    );
  }
  return (
    <main class="pane pane-chat">
      {state ? <ChatHeader room={state.room} /> : <header class="pane-head" />}
      {state?.loaded ? <Open state={state} /> : <ChatSkeleton />}
    </main>
  );
}

function Failure({ code, onRetry }: { code: string; onRetry: () => void }) {
  const words = t().chat;
  const isGone = code === "room.not_found";
  return (
    <Empty
      icon={CircleAlert}
      title={isGone ? words.gone : words.failed}
      {...(isGone ? {} : { lead: sentence(code) })}
    >
      <button type="button" class="button" onClick={isGone ? goToList : onRetry}>
        {isGone ? words.back : words.retry}
      </button>
    </Empty>
  );
}

/** Where the "new" divider stands: what was unread on opening, and then what comes while the user looks away. */
function useDivider(state: RoomState): [after: number | null, clear: () => void] {
  const unread = unreadOf(state);
  const readSeq = state.room.me?.read_seq ?? 0;
  const [after, setAfter] = useState<number | null>(() => (unread > 0 ? readSeq : null));
  const before = useRef(unread);
  useEffect(() => {
    if (before.current === 0 && unread > 0 && !isAttending.value) setAfter(readSeq);
    before.current = unread;
  }, [unread]);
  return [after, () => setAfter(null)];
}

function Open({ state }: { state: RoomState }) {
  const { room, messages } = state;
  const outgoing = useOutgoing(room.id);
  const [intent, setIntent] = useState<Intent>(null);
  const [dividerAfter, clearDivider] = useDivider(state);
  const silent = whySilent(room, person(me()));
  const people = peopleOf(Object.keys(state.receipts).filter((id) => id !== me()));
  const reply = (message: RoomState["messages"][number]) => {
    if (silent === null) setIntent({ kind: "reply", message });
  };
  const editLast = () => {
    const last = messages.findLast((message) => message.sender_id === me() && !message.deleted_at);
    if (last) setIntent({ kind: "edit", message: last });
  };
  return (
    <>
      {messages.length + outgoing.length === 0 ? (
        <NoMessages state={state} silent={silent !== null} />
      ) : (
        <MessageList
          state={state}
          outgoing={outgoing}
          dividerAfter={dividerAfter}
          onReply={reply}
          onEdit={(message) => setIntent({ kind: "edit", message })}
        />
      )}
      <Announcer state={state} />
      <TypingLine roomId={room.id} />
      {silent === null ? (
        <Composer
          room={room}
          people={people}
          intent={intent}
          onDone={() => setIntent(null)}
          onSent={clearDivider}
          onEditLast={editLast}
        />
      ) : (
        <p class="composer-silent">
          <Lock size={16} aria-hidden="true" /> {silent}
        </p>
      )}
    </>
  );
}

function NoMessages({ state, silent }: { state: RoomState; silent: boolean }) {
  const words = t().chat;
  return (
    <div class="messages-frame">
      <Empty
        icon={MessagesSquare}
        title={words.noMessages}
        lead={silent ? words.noMessagesRead : words.noMessagesLead(roomTitle(state.room))}
      />
    </div>
  );
}
