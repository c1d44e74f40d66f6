// A Mini App on a phone: the frame, and the documented messages between it and Telegram's client.

import { act } from "./api.js";
import { h, icon } from "./dom.js";

const DARK = { bg_color: "#17212b", secondary_bg_color: "#0f1720", section_bg_color: "#17212b", text_color: "#f5f5f5", button_color: "#2f7ab8", button_text_color: "#ffffff", hint_color: "#8d9aa6" };
const LIGHT = { bg_color: "#ffffff", secondary_bg_color: "#f0f1f5", section_bg_color: "#ffffff", text_color: "#17212b", button_color: "#1f6fb8", button_text_color: "#ffffff", hint_color: "#5f6d7a" };
const night = matchMedia("(prefers-color-scheme: dark)");

/** Opens the bot's Mini App on a phone, with signed launch data of its person. */
export async function openApp(phone, start) {
  const launched = await act("launch", { user: phone.user, start });
  if (!launched) return;
  const theme = () => (night.matches ? DARK : LIGHT);
  const address = new URL(launched.url);
  // A server on all addresses of its machine is reached by the one that has led to this page.
  if (["0.0.0.0", "[::]"].includes(address.hostname)) address.hostname = location.hostname;
  const { origin } = address;
  const frame = h("iframe", { title: "Mini App", src: `${address}&tgWebAppThemeParams=${encodeURIComponent(JSON.stringify(theme()))}` });
  const back = h("button", { class: "plain round", title: "Back", "aria-label": "Back", hidden: true, onclick: () => tell("back_button_pressed") }, "‹");
  const main = h("button", { class: "filled main-button", hidden: true, onclick: () => tell("main_button_pressed") });
  const node = h("div", { class: "miniapp" },
    h("div", { class: "phone-title" }, back, h("b", { class: "grow" }, "Mini App"),
      h("button", { class: "plain round", title: "Close the Mini App", "aria-label": "Close the Mini App", onclick: close }, icon("close"))),
    frame, main);

  function tell(eventType, eventData = {}) {
    frame.contentWindow.postMessage(JSON.stringify({ eventType, eventData }), origin);
  }

  const insets = { top: 0, right: 0, bottom: 0, left: 0 };
  const answers = {
    web_app_request_theme: () => tell("theme_changed", { theme_params: theme() }),
    web_app_request_safe_area: () => tell("safe_area_changed", insets),
    web_app_request_content_safe_area: () => tell("content_safe_area_changed", insets),
    web_app_setup_back_button: ({ is_visible: visible }) => { back.hidden = !visible; },
    web_app_setup_main_button: ({ is_visible: visible, text }) => { main.hidden = !visible; if (text) main.textContent = text; },
    web_app_close: close,
  };

  function heard(event) {
    if (event.source !== frame.contentWindow || event.origin !== origin || typeof event.data !== "string") return;
    const { eventType, eventData } = JSON.parse(event.data);
    answers[eventType]?.(eventData ?? {});
  }

  function repaint() { answers.web_app_request_theme(); }

  function close() {
    window.removeEventListener("message", heard);
    night.removeEventListener("change", repaint);
    node.remove();
  }

  window.addEventListener("message", heard);
  night.addEventListener("change", repaint);
  phone.closeApp?.();
  phone.closeApp = close;
  phone.node.append(node);
}
