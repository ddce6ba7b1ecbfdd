// Signs a family in, lets it choose invoices, and sends the browser to the bank. The token stays in memory.
const NO_ANSWER = "L’API n’a pas répondu. Réessayez dans un instant.";
const outcome = document.querySelector("#outcome");
const signIn = document.querySelector("#sign-in");
const choose = document.querySelector("#choose");
const rows = document.querySelector("#invoices");
let token = null;

/** Ask the API; raises with the sentence of a refusal. */
async function ask(query, variables) {
  const headers = { "content-type": "application/json", accept: "application/json", "x-portal-client": "demo" };
  if (token) headers.authorization = `Bearer ${token}`;
  const answer = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await answer.json();
  const problems = errors ?? Object.values(data).flatMap((each) => each?.problems ?? []);
  if (problems.length) throw new Error(problems.map((each) => each.message).join(" "));
  return data;
}

/** Run something for a button: one at a time, and what goes wrong is said. */
function onSubmit(form, work) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const buttons = form.querySelectorAll("button");
    buttons.forEach((button) => { button.disabled = true; });
    outcome.textContent = "Un instant…";
    try {
      outcome.textContent = (await work(event.submitter)) ?? "";
    } catch (error) {
      outcome.textContent = error instanceof TypeError ? NO_ANSWER : error.message;
    } finally {
      buttons.forEach((button) => { button.disabled = false; });
    }
  });
}

function cell(row, ...content) {
  const made = document.createElement("td");
  made.append(...content);
  row.append(made);
}

async function showInvoices() {
  const { invoices } = await ask(
    "query { invoices(first: 50, status: [ISSUED, PARTLY_PAID, OVERDUE]) { edges { node { id number dueOn open { formatted } } } } }",
  );
  rows.replaceChildren(...invoices.edges.map(({ node }) => {
    const row = document.createElement("tr");
    const box = document.createElement("input");
    Object.assign(box, { type: "checkbox", name: "invoice", value: node.id, checked: true, ariaLabel: `Payer la facture ${node.number}` });
    cell(row, box);
    cell(row, node.number);
    cell(row, node.dueOn.split("-").reverse().join("/"));
    cell(row, node.open.formatted);
    return row;
  }));
  return invoices.edges.length ? "" : "Vous n’avez aucune facture à payer.";
}

onSubmit(signIn, async () => {
  const given = new FormData(signIn);
  const { signIn: done } = await ask(
    "mutation ($i: String!, $p: String!) { signIn(identifier: $i, password: $p) { problems { message } session { accessToken } } }",
    { i: given.get("identifier"), p: given.get("password") },
  );
  token = done.session.accessToken;
  signIn.hidden = true;
  choose.hidden = false;
  return showInvoices();
});

onSubmit(choose, async (button) => {
  const invoices = new FormData(choose).getAll("invoice");
  if (!invoices.length) return "Choisissez au moins une facture.";
  const { startCardPayment: { redirect } } = await ask(
    `mutation ($invoices: [ID!]!, $key: String!, $bank: String) {
      startCardPayment(invoices: $invoices, idempotencyKey: $key, bank: $bank) {
        problems { message } redirect { url method fields { name value } } } }`,
    { invoices, key: crypto.randomUUID(), bank: button.value },
  );
  if (redirect.method === "GET") {
    location.assign(redirect.url);
  } else {
    const form = document.createElement("form");
    Object.assign(form, { method: "post", action: redirect.url, hidden: true });
    for (const { name, value } of redirect.fields) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value });
      form.append(field);
    }
    document.body.append(form);
    form.submit();
  }
  return "Vous allez à la page de la banque…";
});
