import assert from "node:assert/strict";
import { test } from "node:test";

import { bytes, dayOf, monthOf, whole } from "./format.js";
import { fieldsOf, wantedCaps } from "./usage-caps.js";
import { daysOf, monthAt, monthsOf } from "./usage-chart.js";
import { limitsOf, otherLimits, standingOf } from "./usage-limits.js";

const NOW = Date.parse("2026-03-01T23:30:00Z");
const cap = (subject, measure, period, more) =>
  ({ subject, measure, period, plan: null, own: null, hard: 100, soft: 80, used: 0, ...more });

test("a limit is reached, nearly reached, within, or not there at all", () => {
  const labels = [100, 80, 79, 101].map((used) => standingOf({ used, most: 100, soft: 80 }).label);
  assert.deepEqual(labels, ["Reached", "Nearly reached", "Within it", "Reached"]);
  assert.equal(standingOf({ used: 7, most: null, soft: null }).label, "No limit");
});

test("limits with a running total are told from those without", () => {
  const plan = { requests_per_minute: 100, documents: 10, storage_bytes: null, members: 3 };
  const caps = [
    cap("tenant", "money", "day", { hard: 2_500_000, used: 1_000_000 }), cap("tenant", "messages", "hour", { used: null, hard: 1 }),
    cap("visitor", "tokens", "day", { used: null, hard: 5000 }),
  ];
  const company = { plan, used: { documents: 8, storage_bytes: 5, members: 1, caps } };

  const limits = limitsOf(company);

  assert.deepEqual(limits.map(({ name, used, most }) => [name, used, most]), [
    ["Cost today", 1_000_000, 2_500_000], ["Documents", 8, 10], ["Storage", 5, null], ["Members", 1, 3],
  ]);
  assert.equal(standingOf(limits[1]).label, "Nearly reached");
  assert.deepEqual(otherLimits(company), [
    "100 requests a minute of each visitor and each secret key", "1 message an hour", "5,000 tokens a day of each visitor",
  ]);
});

test("days and months without any use are among the others, in UTC", () => {
  const days = daysOf([{ starts_on: "2026-02-28", answers: 4 }], 3, NOW);
  assert.deepEqual(days.map(({ starts_on: day, answers }) => [day, answers]), [["2026-02-27", 0], ["2026-02-28", 4], ["2026-03-01", 0]]);
  const months = monthsOf([{ starts_on: "2026-01-01", answers: 9 }], 4, NOW);
  assert.deepEqual(months.map(({ starts_on: month, answers }) => [month, answers]), [
    ["2025-12-01", 0], ["2026-01-01", 9], ["2026-02-01", 0], ["2026-03-01", 0],
  ]);
  assert.equal(monthAt(Date.parse("2026-03-31T12:00:00Z"), -1), "2026-02-01");
});

test("saving the company's own limits keeps those that the form does not show", () => {
  const caps = [
    cap("visitor", "tokens", "day", { own: 100, used: null, soft: 50 }),
    cap("tenant", "money", "day", { plan: 9_000_000, own: 5_000_000, hard: 5_000_000, soft: 1_000_000 }),
    cap("tenant", "tokens", "day", { plan: 100 }),
  ];
  const typed = (money, tokens) => [
    { measure: "money", period: "day", text: money }, { measure: "tokens", period: "day", text: tokens },
  ];
  const others = { subject: "visitor", measure: "tokens", period: "day", hard: 100, soft: 50 };

  assert.deepEqual(wantedCaps(caps, typed("", " ")), [others]);
  assert.deepEqual(wantedCaps(caps, typed("5", "60")), [
    others,
    { subject: "tenant", measure: "money", period: "day", hard: 5_000_000, soft: 1_000_000 },
    { subject: "tenant", measure: "tokens", period: "day", hard: 60, soft: null },
  ]);
  assert.equal(wantedCaps(caps, typed("0.29", ""))[1].hard, 290_000);
  assert.equal(wantedCaps(caps, typed("?", ""))[1].hard, "?");
});

test("what is wrong with a limit is said at its field", () => {
  const sent = [cap("visitor", "tokens", "day"), cap("tenant", "money", "month")];
  const wrong = new Map([["caps.1.hard", "A number."], ["body", "No."]]);
  assert.deepEqual([...fieldsOf({ code: "invalid_request", fields: wrong }, sent)], [["money_per_month", "A number."], ["body", "No."]]);
  const above = { code: "cap_above_plan", message: "Too much.", details: { limit: "tokens_per_day" }, fields: new Map() };
  assert.deepEqual([...fieldsOf(above, sent)], [["tokens_per_day", "Too much."]]);
});

test("large numbers, days and months read well", () => {
  assert.equal(whole(1204, "en"), "1,204");
  assert.equal(bytes(5_368_709_120, "en"), "5.4 GB");
  assert.equal(dayOf("2026-03-01", "en"), "Mar 1, 2026");
  assert.equal(monthOf("2026-03-01", "en"), "March 2026");
});
