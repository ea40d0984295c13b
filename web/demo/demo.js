/** Embeds the widget as a site would; only the key and the address come from the server that runs the demo. */

window.ChatConnect ||= [];

for (const question of document.querySelectorAll("#questions button")) {
  question.addEventListener("click", () => window.ChatConnect.push(["send", question.textContent]));
}

try {
  const response = await fetch("/demo/config.json");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  embed(await response.json());
} catch (error) {
  showProblem(`The chat could not be loaded: ${error.message}.`);
}

/** @param {{widget_key: string, api_url: string}} config */
function embed({ widget_key: key, api_url: apiUrl }) {
  const script = document.createElement("script");
  script.src = `${apiUrl}/widget.js`;
  script.async = true;
  script.dataset.key = key;
  script.dataset.apiUrl = apiUrl;
  script.addEventListener("error", () => showProblem(`The chat could not be loaded from ${script.src}.`));
  document.head.append(script);
}

function showProblem(text) {
  const problem = document.querySelector("#problem");
  problem.textContent = text;
  problem.hidden = false;
}
