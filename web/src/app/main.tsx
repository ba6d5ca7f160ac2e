import "@fontsource-variable/inter/wght.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/rooms.css";
import "./styles/chat.css";
import "./styles/text.css";
import "./styles/message.css";
import "./styles/dialogs.css";
import { render } from "preact";
import { startLocale } from "../i18n/index.js";
import { App } from "./App.js";
import { startAway } from "./away.js";
import { startAttention } from "./chat/visibility.js";
import { startKeys } from "./keys.js";
import { startTheme } from "./prefs.js";
import { startRouting } from "./route.js";
import { startSession } from "./session.js";
import { client } from "./store.js";
import { startTitle } from "./title.js";

startTheme();
startRouting();
startAttention();
startKeys();
startTitle();
startAway();
addEventListener("online", () => client.value?.connection.retryNow());
void startSession();

const root = document.getElementById("app");
// With the strings at hand, nothing is first drawn in another language.
if (root) void startLocale().finally(() => render(<App />, root));
