/** Every string a visitor can see or hear; a widget's configuration replaces any of them by name. */

export const TEXTS = {
  title: "",
  subtitle: "AI assistant",
  greeting: "Hi! How can I help you?",
  introduction: "Ask me anything. I answer from our own documents and show you where I found it.",
  placeholder: "Ask a question…",
  disclaimer: "Answers are written by AI and can be wrong. Check the sources.",
  launcher_open: "Open chat",
  launcher_close: "Close chat",
  close: "Close",
  new_conversation: "New conversation",
  conversation: "Conversation",
  message: "Your message",
  send: "Send",
  stop: "Stop",
  you_said: "You said:",
  assistant_said: "{name} said:",
  suggestions: "Suggested questions",
  typing: "Thinking…",
  searching: "Searching the documents…",
  reconnecting: "Reconnecting…",
  stopped: "Stopped.",
  offline: "You are offline. Messages can be sent again once you are connected.",
  restoring: "Loading your conversation…",
  restore_failed: "Your conversation could not be loaded.",
  sources: "Sources",
  source: "Source {marker}: {title}",
  page: "page {page}",
  copy: "Copy answer",
  copied: "Copied",
  helpful: "Helpful",
  not_helpful: "Not helpful",
  feedback_thanks: "Thank you for your feedback.",
  feedback_failed: "Your feedback could not be sent.",
  feedback_question: "What was wrong?",
  feedback_wrong: "Wrong",
  feedback_incomplete: "Incomplete",
  feedback_unclear: "Hard to understand",
  feedback_other: "Something else",
  feedback_text: "Tell us more (optional)",
  feedback_send: "Send feedback",
  feedback_cancel: "Cancel",
  retry: "Try again",
  characters: "{count} of {limit} characters",
  error: "Something went wrong. Please try again.",
  error_connection_lost: "The connection was lost.",
  error_rate_limited: "That was a lot of messages. You can go on in {time}.",
  error_rate_limited_over: "You can go on now.",
};

/** Put values into a text's `{placeholders}`. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (placeholder, name) => values[name] ?? placeholder);
}

/** A waiting time in the reader's language, for example "12 seconds". */
export function duration(seconds, locale) {
  const [value, unit] = seconds < 90 ? [Math.ceil(seconds), "second"] : [Math.ceil(seconds / 60), "minute"];
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(value);
}
