import assert from "node:assert/strict";
import { test } from "node:test";

import { deviceName } from "./account-view.js";
import { rolesUpTo } from "./members-view.js";
import { placeOf, tokenOf } from "./routes.js";

test("owners and admins give roles up to their own, the others none", () => {
  const roles = (own) => rolesUpTo(own).map(([role]) => role);
  assert.deepEqual(roles("owner"), ["viewer", "agent", "admin", "owner"]);
  assert.deepEqual(roles("admin"), ["viewer", "agent", "admin"]);
  assert.deepEqual(roles("agent"), []);
  assert.deepEqual(roles("viewer"), []);
});

test("a device is called as people call it", () => {
  assert.equal(deviceName("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"), "Firefox on Linux");
  assert.equal(deviceName("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"), "Edge on Windows");
  assert.equal(deviceName("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1"), "Safari on iPhone");
  assert.equal(deviceName("curl/8.5"), "curl/8.5");
  assert.equal(deviceName(""), "Unknown program");
});

test("the links of mails are told from places", () => {
  assert.deepEqual(tokenOf("#invitation=inv_aB-_1="), { invitation: "inv_aB-_1=" });
  assert.deepEqual(tokenOf("#reset=rst_x"), { reset: "rst_x" });
  for (const hash of ["", "#members", "#reset=", "#other=x"]) assert.equal(tokenOf(hash), null);
  assert.equal(placeOf("#members").name, "members");
});
