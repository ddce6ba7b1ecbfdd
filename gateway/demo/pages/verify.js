// Sends the token of the link to the API, when asked to: mail scanners follow links, but do not press buttons.
const MUTATION = "mutation($token: String!) { verifyEmail(token: $token) { problems { code message } } }";
const form = document.querySelector("form");
const outcome = document.querySelector("#outcome");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = new URLSearchParams(location.search).get("token");
  form.querySelector("button").disabled = true;
  outcome.textContent = "Un instant…";
  try {
    const answer = await fetch("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json", "x-portal-client": "demo" },
      body: JSON.stringify({ query: MUTATION, variables: { token } }),
    });
    const { data, errors } = await answer.json();
    const problems = data?.verifyEmail?.problems ?? errors ?? [{ message: "L’API n’a pas répondu." }];
    outcome.textContent = problems.length ? problems.map((each) => each.message).join(" ") : "Votre adresse est confirmée.";
    form.hidden = problems.length === 0;
  } catch {
    outcome.textContent = "L’API n’a pas répondu.";
  } finally {
    form.querySelector("button").disabled = false;
  }
});
