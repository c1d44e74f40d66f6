// Telegram's client: the documented messages between it and a Mini App, without a script of another host.
// https://docs.telegram-mini-apps.com/platform/methods and /platform/events

const LAUNCH = "tombola-launch";

const heard = new Map();
const launch = readLaunch();

/** The signed launch data; empty outside Telegram. */
export const initData = launch.get("tgWebAppData") ?? "";

/** The parameter of the link that was opened: in the signed data, or in the page's own address for a button in private. */
export const startParam = new URLSearchParams(initData).get("start_param")
  ?? launch.get("tgWebAppStartParam") ?? new URLSearchParams(location.search).get("startapp") ?? "";

/** Returns the parameters after the `#`. A reload inside the app lacks them, so they are kept for this tab. */
function readLaunch() {
  const given = new URLSearchParams(location.hash.slice(1));
  try {
    if (given.has("tgWebAppData")) sessionStorage.setItem(LAUNCH, given.toString());
    else return new URLSearchParams(sessionStorage.getItem(LAUNCH) ?? "");
  } catch { /* storage may be forbidden in a frame of another site */ }
  return given;
}

/** True inside a client of Telegram, which shows its own main and back buttons. */
export const hasClient = Boolean(window.TelegramWebviewProxy) || Boolean(window.external && "notify" in window.external) || window.parent !== window;

/** Sends a message to Telegram's client, in the way of its platform. */
export function tell(type, data) {
  if (window.TelegramWebviewProxy) window.TelegramWebviewProxy.postEvent(type, JSON.stringify(data));
  else if (window.external && "notify" in window.external) window.external.notify(JSON.stringify({ eventType: type, eventData: data }));
  // The server's policy lets only Telegram frame the page, and no message holds a secret.
  else if (window.parent !== window) window.parent.postMessage(JSON.stringify({ eventType: type, eventData: data }), "*");
}

/** Calls `listen` with the data of each message of a type. */
export function on(type, listen) {
  heard.set(type, [...heard.get(type) ?? [], listen]);
}

function receive(type, data) {
  for (const listen of heard.get(type) ?? []) listen(data ?? {});
}

// The names under which the clients of the platforms call the page.
window.TelegramGameProxy_receiveEvent = receive;
window.TelegramGameProxy = { receiveEvent: receive };
window.Telegram = { WebView: { receiveEvent: receive } };
window.addEventListener("message", (event) => {
  if (event.source !== window.parent || typeof event.data !== "string") return;
  try {
    const { eventType, eventData } = JSON.parse(event.data);
    receive(eventType, eventData);
  } catch { /* a message of another sort */ }
});

const root = document.documentElement;

function showTheme(colours) {
  for (const [name, colour] of Object.entries(colours ?? {})) {
    if (/^[a-z_]+$/.test(name) && /^#[0-9a-f]{6}$/i.test(colour)) root.style.setProperty(`--tg-${name.replaceAll("_", "-")}`, colour);
  }
  const back = colours?.bg_color;
  if (/^#[0-9a-f]{6}$/i.test(back ?? "")) {
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(back.slice(at, at + 2), 16));
    root.dataset.theme = red * 0.3 + green * 0.59 + blue * 0.11 < 128 ? "dark" : "light";
  }
}

function showInsets(prefix) {
  return (insets) => {
    for (const side of ["top", "right", "bottom", "left"]) {
      if (Number.isFinite(insets[side])) root.style.setProperty(`--${prefix}-${side}`, `${insets[side]}px`);
    }
  };
}

let goBack = null;
let pressMain = null;

/** Shows Telegram's back button while `act` is a function. */
export function backButton(act) {
  goBack = act;
  tell("web_app_setup_back_button", { is_visible: Boolean(act) });
}

/** Shows Telegram's main button; without a text hides it. */
export function mainButton(text, act) {
  pressMain = text ? act : null;
  tell("web_app_setup_main_button", { is_visible: Boolean(text), is_active: Boolean(text), ...(text ? { text } : {}) });
}

/** Lets the phone vibrate: `success`, `error`, `warning`, or `tap`. */
export function vibrate(sort) {
  tell("web_app_trigger_haptic_feedback", sort === "tap" ? { type: "selection_change" } : { type: "notification", notification_type: sort });
}

export function begin() {
  try { showTheme(JSON.parse(launch.get("tgWebAppThemeParams") ?? "{}")); } catch { /* no theme */ }
  on("theme_changed", ({ theme_params: colours }) => showTheme(colours));
  on("safe_area_changed", showInsets("safe"));
  on("content_safe_area_changed", showInsets("content"));
  on("back_button_pressed", () => goBack?.());
  on("main_button_pressed", () => pressMain?.());
  tell("web_app_ready");
  tell("web_app_expand");
  tell("web_app_request_theme");
  tell("web_app_request_safe_area");
  tell("web_app_request_content_safe_area");
}
