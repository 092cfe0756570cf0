"use strict";
// The session stays in this tab: out of the address bar, out of history, sent as a header only.
const stored = "connect-session";
const given = location.hash.slice(1);
const came = new URLSearchParams(location.search);
if (given) sessionStorage.setItem(stored, given);
history.replaceState(null, "", location.pathname);
const token = sessionStorage.getItem(stored);
const byId = (id) => document.getElementById(id);
const complain = (text) => { byId("problem").textContent = text; };

async function call(method, path, body) {
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
  if (body) headers["content-type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const json = await answer.json();
  if (!answer.ok) throw new Error(json.detail || json.title);
  return json;
}

function row(provider, connections, session) {
  const item = document.createElement("li");
  const text = document.createElement("span");
  const name = document.createElement("strong");
  name.textContent = provider.name;
  text.append(name);
  for (const each of connections.filter((one) => one.provider === provider.id && one.status !== "revoked")) {
    const line = document.createElement("small");
    line.className = each.status;
    line.textContent = `${each.email || each.providerUserId} · ${each.status}`;
    text.append(line);
  }
  const button = document.createElement("button");
  button.textContent = text.childElementCount > 1 ? "Connect another" : "Connect";
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const { userId, tenantId } = session;
      const started = await call("POST", "/api/v1/oauth/authorize", { userId, tenantId, provider: provider.id });
      location.assign(started.authorizationUrl);
    } catch (error) {
      button.disabled = false;
      complain(error.message);
    }
  });
  item.append(text, button);
  return item;
}

// What a connect that returns here came to.
const ends = {
  access_denied: "You did not give access. Nothing was connected.",
  state_invalid: "That attempt is over. Please start again.",
};
function tell(providers) {
  const named = providers.find((each) => each.id === came.get("provider"));
  if (came.get("status") === "success") byId("news").textContent = `${named ? named.name : "Your account"} is connected.`;
  if (came.get("status") === "error") complain(ends[came.get("code")] || "That did not work. Please try again.");
}

async function show() {
  if (!token) return complain("This link has no session. Ask for a new one where you came from.");
  try {
    const session = await call("GET", "/api/v1/connect/sessions/current");
    const query = new URLSearchParams({ userId: session.userId, tenantId: session.tenantId });
    const { connections } = await call("GET", `/api/v1/oauth/connections?${query}`);
    byId("who").textContent = `For ${session.userId}`;
    byId("providers").replaceChildren(...session.providers.map((each) => row(each, connections, session)));
    tell(session.providers);
    if (session.providers.length === 0) complain("No provider is configured.");
  } catch (error) {
    complain(error.message);
  }
}
show();
