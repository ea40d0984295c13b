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
  lead_title: "How can we reach you?",
  lead_name: "Name",
  lead_email: "Email",
  lead_phone: "Phone",
  lead_company: "Company",
  lead_consent: "I agree that these details are stored and used to contact me.",
  lead_send: "Send",
  lead_thanks: "Thank you. We will be in touch.",
  lead_failed: "This could not be sent. Please check it and try again.",
  typing: "Thinking…",
  using_tool: "Looking something up…",
  tool_done: "Looked it up. Writing…",
  tool_failed: "That could not be looked up. Going on…",
  reconnecting: "Reconnecting…",
  stopped: "Stopped.",
  regenerate: "Answer again",
  edit: "Edit",
  edit_message: "Edit your message",
  edit_send: "Send",
  edit_cancel: "Cancel",
  version: "{number}/{count}",
  version_shown: "Version {number} of {count}",
  version_previous: "Previous version",
  version_next: "Next version",
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
  error_limit_reached: "The chat has reached its limit for now. Please come back later.",
  error_unavailable: "I cannot answer at the moment. Please try again shortly.",
  error_answer_interrupted: "The answer was interrupted.",
  error_answer_not_json: "The answer did not come out in the right form.",
  error_conversation_closed: "This conversation is closed. Please begin a new one.",
  error_visitor_blocked: "You cannot send messages here.",
  warning: "{detail}",
  warning_answer_cut: "The answer ends here because it has become too long.",
  warning_nearly_reached: "This chat is close to its limit for now.",
};

/** Put values into a text's `{placeholders}`. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (placeholder, name) => values[name] ?? placeholder);
}

/** What the server says as a sentence: it begins with a capital and ends with a full stop. */
export function sentence(message) {
  return message && message[0].toUpperCase() + message.slice(1) + (/[.!?]$/.test(message) ? "" : ".");
}

/** A waiting time in the reader's language, for example "12 seconds". */
export function duration(seconds, locale) {
  const [value, unit] = seconds < 90 ? [Math.ceil(seconds), "second"] : [Math.ceil(seconds / 60), "minute"];
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(value);
}
