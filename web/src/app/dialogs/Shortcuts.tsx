import { t } from "../../i18n/index.js";
import { DialogFrame } from "./Dialog.js";

export function Shortcuts() {
  const words = t().shortcuts;
  const rows: [keys: string[], what: string][] = [
    [["Ctrl", "K"], words.palette],
    [["Alt", "N"], words.newChat],
    [["Alt", "↑ ↓"], words.next],
    [["↑ ↓"], words.list],
    [["Enter"], words.send],
    [["Shift", "Enter"], words.line],
    [["↑"], words.editLast],
    [["Esc"], words.leave],
    [["?"], words.help],
  ];
  return (
    <DialogFrame title={words.title}>
      <dl class="shortcuts">
        {rows.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </DialogFrame>
  );
}
