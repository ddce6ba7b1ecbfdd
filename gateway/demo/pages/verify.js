// Sends the token of the link to the API, when asked to: mail scanners follow links, but do not press buttons.
const MUTATION = "mutation($token: String!) { verifyEmail(token: $token) { problems { message } } }";
const NO_ANSWER = "L’API n’a pas répondu. Réessayez dans un instant.";
const token = new URLSearchParams(location.search).get("token");
const form = document.querySelector("form");
const button = form.querySelector("button");
const outcome = document.querySelector("#outcome");

/** Give the API's last word on the token, in the language of the page; raises when it has none. */
async function verified() {
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      "accept-language": document.documentElement.lang,
      "x-portal-client": "demo",
    },
    body: JSON.stringify({ query: MUTATION, variables: { token } }),
  });
  const { problems } = (await answer.json()).data.verifyEmail;
  return problems.map((each) => each.message).join(" ") || "Votre adresse est confirmée. Vous pouvez vous connecter.";
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  outcome.textContent = "Un instant…";
  try {
    outcome.textContent = await verified();
    form.hidden = true;
  } catch {
    outcome.textContent = NO_ANSWER;
  } finally {
    button.disabled = false;
  }
});

if (!token) {
  form.hidden = true;
  outcome.textContent = "Ce lien est incomplet : ouvrez-le depuis le message, ou copiez-le en entier.";
}
