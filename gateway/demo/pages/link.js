// Sends the token of the link to the API, when asked to: mail scanners follow links, but do not press buttons.
const NO_ANSWER = "L’API n’a pas répondu. Réessayez dans un instant.";
const token = new URLSearchParams(location.search).get("token");
const form = document.querySelector("form");
const buttons = form.querySelectorAll("button");
const field = form.querySelector("input");
const outcome = document.querySelector("#outcome");

/** Give what the API refuses, in the language of the page, or nothing; raises when it does not answer. */
async function refusedBy(mutation) {
  const password = field ? [", $password: String!", ", password: $password"] : ["", ""];
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      "accept-language": document.documentElement.lang,
      "x-portal-client": "demo",
    },
    body: JSON.stringify({
      query: `mutation($token: String!${password[0]}) { done: ${mutation}(token: $token${password[1]}) { problems { message } } }`,
      variables: { token, ...(field && { password: field.value }) },
    }),
  });
  const { data, errors } = await answer.json();
  return (errors ?? data.done.problems).map((each) => each.message).join(" ");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { mutation, done } = event.submitter.dataset;
  buttons.forEach((button) => { button.disabled = true; });
  outcome.textContent = "Un instant…";
  try {
    const refused = await refusedBy(mutation);
    outcome.textContent = refused || done;
    form.hidden = !refused;
  } catch {
    outcome.textContent = NO_ANSWER;
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
});

if (!token) {
  form.hidden = true;
  outcome.textContent = "Ce lien est incomplet : ouvrez-le depuis le message, ou copiez-le en entier.";
}
