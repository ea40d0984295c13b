// Scripted model providers on 127.0.0.1: node providers.mjs PORT [FIXTURES]
// FIXTURES is a JSON file or a directory of them; more can be posted to /__aimock/fixtures while it runs.
import { statSync } from "node:fs";
import { LLMock } from "@copilotkit/aimock";

const MODERATION_CATEGORIES = [
  "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
  "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
];

const [port, fixtures] = process.argv.slice(2);
const providers = new LLMock({ host: "127.0.0.1", port: Number(port), logLevel: "warn" });
if (fixtures) {
  if (statSync(fixtures).isDirectory()) providers.loadFixtureDir(fixtures);
  else providers.loadFixtureFile(fixtures);
}

// The moderation endpoint flags a text that holds [flag:<category>] and nothing else.
for (const flagged of MODERATION_CATEGORIES) {
  const each = (value) => Object.fromEntries(MODERATION_CATEGORIES.map((name) => [name, value(name === flagged)]));
  providers.onModerate(`[flag:${flagged}]`, {
    flagged: true,
    categories: each((is) => is),
    category_scores: each((is) => (is ? 0.99 : 0)),
  });
}

process.on("SIGTERM", () => process.exit(0));
await providers.start();
