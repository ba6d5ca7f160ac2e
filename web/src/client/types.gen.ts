// Generated from the AsyncAPI document of the server (npm run generate). Do not edit; change the contract instead.

export type JoinSession = string;
export type RoomOpen = OpenDirect | OpenNamed;

/**
 * A file that belongs to a message.
 */
export interface Attachment {
  file_id: string;
  height?: number;
  mime: string;
  name: string;
  size: number;
  url?: string;
  width?: number;
}
/**
 * The access token ends soon; past it the connection is closed.
 */
export interface AuthExpiring {
  expires_at: string;
}
/**
 * Give a live connection a new access token of the same user.
 */
export interface AuthRefresh {
  token: string;
}
/**
 * When the new token ends.
 */
export interface AuthRefreshAck {
  expires_at: string;
}
/**
 * `data` of `connect_error`.
 */
export interface ConnectRefused {
  code: string;
  retry_after_ms?: number;
}
/**
 * Nothing to say but ok.
 */
export interface Empty {}
/**
 * A refusal. `code` is stable; `message` is for people.
 */
export interface Error {
  code: string;
  /**
   * Offending paths, on `request.invalid`.
   */
  fields?: string[];
  message: string;
  retry_after_ms?: number;
  retryable: boolean;
}
/**
 * The limits that this server holds clients to.
 */
export interface LimitsOut {
  body_chars: number;
  broadcast_members: number;
  connections_per_user: number;
  events_burst: number;
  events_per_s: number;
  frame_bytes: number;
  history_page: number;
  messages_burst: number;
  messages_per_s: number;
  typing_interval_ms: number;
  typing_ttl_ms: number;
  watched_users: number;
}
/**
 * The caller's own place in a room.
 */
export interface Me {
  delivered_seq: number;
  muted_until?: string;
  notify: "all" | "mentions" | "none";
  read_seq: number;
  role: "owner" | "moderator" | "member" | "observer";
  unread: number;
}
/**
 * Someone's place in a room changed.
 */
export interface MemberChanged {
  change: "added" | "removed" | "role" | "muted" | "joined" | "left";
  role?: "owner" | "moderator" | "member" | "observer";
  room_id: string;
  user_id: string;
}
/**
 * A message. A deleted one keeps id, seq and rev and has an empty body.
 */
export interface Message {
  attachments: Attachment[];
  body: string;
  client_id: string;
  created_at: string;
  deleted_at?: string;
  edited_at?: string;
  id: string;
  kind: "text" | "file" | "system";
  mentions: string[];
  /**
   * Emoji to the ids of the users who gave it.
   */
  reactions: {
    [k: string]: string[];
  };
  reply_to?: string;
  /**
   * The room's revision at this message's last change.
   */
  rev: number;
  room_id: string;
  sender_id: string;
  /**
   * 1, 2, 3 … within the room, without a gap.
   */
  seq: number;
}
/**
 * The message as it is stored now.
 */
export interface MessageAck {
  message: Message;
}
/**
 * Empty a message.
 */
export interface MessageDelete {
  message_id: string;
}
/**
 * Change the body of one's own message.
 */
export interface MessageEdit {
  body: string;
  message_id: string;
}
/**
 * Read older (or, with `after_seq`, newer) messages.
 */
export interface MessageHistory {
  after_seq?: number;
  before_seq?: number;
  limit?: number;
  room_id: string;
}
/**
 * Messages in ascending `seq`.
 */
export interface MessageHistoryAck {
  has_more: boolean;
  messages: Message[];
}
/**
 * Give a reaction, or take it back.
 */
export interface MessageReact {
  emoji: string;
  message_id: string;
  on: boolean;
}
/**
 * Send a message. Sending the same `client_id` again returns the first one.
 */
export interface MessageSend {
  /**
   * File ids.
   */
  attachments?: string[];
  body: string;
  client_id: string;
  kind?: "text" | "file";
  mentions?: string[];
  reply_to?: string;
  room_id: string;
}
/**
 * Open the conversation with one person.
 */
export interface OpenDirect {
  kind: "direct";
  user_id: string;
}
/**
 * Make a room with a title.
 */
export interface OpenNamed {
  kind: "group" | "session" | "announcement";
  member_ids?: string[];
  settings?: SettingsIn;
  title: string;
}
/**
 * Rules of a new or changed room; what is left out stays.
 */
export interface SettingsIn {
  open?: boolean;
  slow_mode_s?: number;
}
/**
 * Whether someone is there.
 */
export interface Presence {
  last_seen_at?: string;
  status: "online" | "away" | "busy" | "offline";
  user_id: string;
}
/**
 * The caller's presence as others see it.
 */
export interface PresenceAck {
  presence: Presence;
}
/**
 * Set the status of this connection; the user's is busy if any is, else online if any is.
 */
export interface PresenceSet {
  status: "online" | "away" | "busy";
}
/**
 * Hear of changes of these people, or no longer.
 */
export interface PresenceWatch {
  user_ids: string[];
}
/**
 * Their presence now.
 */
export interface PresenceWatchAck {
  presence: Presence[];
}
/**
 * The first event after connect.
 */
export interface Ready {
  connection_id: string;
  limits: LimitsOut;
  server_time: string;
  user: User;
}
/**
 * A person of the school.
 */
export interface User {
  avatar_url?: string;
  /**
   * The `sub` of the person's tokens.
   */
  id: string;
  locale?: string;
  name: string;
  role: "student" | "teacher" | "admin" | "viewer" | "service";
  /**
   * IANA time zone.
   */
  tz?: string;
}
/**
 * How far one member has read and been reached. Watermarks never move back.
 */
export interface Receipt {
  delivered_seq: number;
  read_seq: number;
  room_id: string;
  user_id: string;
}
/**
 * The caller's watermarks as they are now.
 */
export interface ReceiptAck {
  receipt: Receipt;
}
/**
 * Raise one's watermarks. They never move back.
 */
export interface ReceiptMark {
  delivered_seq?: number;
  read_seq?: number;
  room_id: string;
}
/**
 * A room. `me`, `peer` and `last_message` are there when the answer is for one person only.
 */
export interface Room {
  archived: boolean;
  created_at: string;
  created_by: string;
  id: string;
  kind: "direct" | "group" | "session" | "announcement" | "support";
  last_message?: Message;
  last_seq: number;
  me?: Me;
  member_count: number;
  peer?: User;
  rev: number;
  settings: RoomSettings;
  /**
   * For a direct room: the other person's name.
   */
  title: string;
}
/**
 * Rules of one room.
 */
export interface RoomSettings {
  /**
   * Any signed-in user may join.
   */
  open?: boolean;
  /**
   * Pause between one member's messages, in seconds; 0 is off.
   */
  slow_mode_s?: number;
}
/**
 * The room.
 */
export interface RoomAck {
  room: Room;
}
/**
 * A room was made known to the user, or changed.
 */
export interface RoomChanged {
  room: Room;
}
/**
 * Become live in a room and get its state.
 */
export interface RoomJoin {
  room_id: string;
  since_rev?: number;
}
/**
 * End live delivery to this connection.
 */
export interface RoomLeave {
  room_id: string;
}
/**
 * List the caller's rooms.
 */
export interface RoomList {
  cursor?: string;
  kind?: "direct" | "group" | "session" | "announcement" | "support";
  limit?: number;
}
/**
 * Rooms, newest activity first.
 */
export interface RoomListAck {
  next_cursor?: string;
  rooms: Room[];
}
/**
 * The user is no longer in this room.
 */
export interface RoomRemoved {
  reason: string;
  room_id: string;
}
/**
 * Catch up with a room.
 */
export interface RoomSync {
  room_id: string;
  since_rev: number;
}
/**
 * A message for a session room; whatever else it carries reaches the room unchanged.
 */
export interface SendMessage {
  body?: string;
  clientId?: string;
  message?: string;
  sessionId: string;
  text?: string;
  [k: string]: unknown;
}
/**
 * This node is going away; come back after the delay, which is spread per client.
 */
export interface ServerDraining {
  reconnect_after_ms: number;
}
/**
 * The state of a room. See the guide on syncing for what `rev` and `reset` oblige a client to.
 */
export interface SnapshotAck {
  /**
   * Changed after `since_rev`, in rev order; on `reset` the newest page.
   */
  messages: Message[];
  presence: Presence[];
  receipts: Receipt[];
  reset: boolean;
  rev: number;
  room: Room;
}
/**
 * Live delivery may have a hole: call `room:sync` for this room, or for all if it is not named.
 */
export interface SyncRequired {
  room_id?: string;
}
/**
 * Someone started or stopped writing. Expires after 7 s without a repeat.
 */
export interface TypingChanged {
  on: boolean;
  room_id: string;
  user_id: string;
}
/**
 * Say that one is writing; repeat every 4 s while it is so.
 */
export interface TypingSet {
  on: boolean;
  room_id: string;
}

export interface ClientEvents {
  "auth:refresh": { payload: AuthRefresh; data: AuthRefreshAck };
  "join-session": { payload: JoinSession; data: Empty };
  "message:delete": { payload: MessageDelete; data: MessageAck };
  "message:edit": { payload: MessageEdit; data: MessageAck };
  "message:history": { payload: MessageHistory; data: MessageHistoryAck };
  "message:react": { payload: MessageReact; data: MessageAck };
  "message:send": { payload: MessageSend; data: MessageAck };
  "presence:set": { payload: PresenceSet; data: PresenceAck };
  "presence:unwatch": { payload: PresenceWatch; data: Empty };
  "presence:watch": { payload: PresenceWatch; data: PresenceWatchAck };
  "receipt:mark": { payload: ReceiptMark; data: ReceiptAck };
  "room:join": { payload: RoomJoin; data: SnapshotAck };
  "room:leave": { payload: RoomLeave; data: Empty };
  "room:list": { payload: RoomList; data: RoomListAck };
  "room:open": { payload: RoomOpen; data: RoomAck };
  "room:sync": { payload: RoomSync; data: SnapshotAck };
  "send-message": { payload: SendMessage; data: MessageAck };
  "typing:set": { payload: TypingSet; data: Empty };
}

export interface ServerEvents {
  "auth:expiring": AuthExpiring;
  "message:new": MessageAck;
  "message:updated": MessageAck;
  "new-message": Record<string, unknown>;
  "presence:changed": PresenceAck;
  "ready": Ready;
  "receipt:changed": ReceiptAck;
  "room:changed": RoomChanged;
  "room:member_changed": MemberChanged;
  "room:removed": RoomRemoved;
  "server:draining": ServerDraining;
  "sync:required": SyncRequired;
  "typing:changed": TypingChanged;
}
