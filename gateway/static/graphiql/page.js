// Starts GraphiQL on this server's own endpoint. Subscriptions go over WebSocket with the token of the Headers tab.
"use strict";

const endpoint = location.pathname;
const own = { "X-Portal-Client": "graphiql" };
const overHttp = GraphiQL.createFetcher({ url: endpoint, headers: own });

function isSubscription(parameters, options) {
  const operations = (options.documentAST?.definitions ?? []).filter((node) => node.kind === "OperationDefinition");
  const chosen = operations.find((node) => node.name?.value === parameters.operationName) ?? operations[0];
  return chosen?.operation === "subscription";
}

function overWebSocket(parameters, options) {
  const given = Object.entries(options.headers ?? {}).find(([name]) => name.toLowerCase() === "authorization");
  const client = graphqlWs.createClient({
    url: location.origin.replace(/^http/, "ws") + endpoint,
    connectionParams: given ? { authorization: given[1] } : undefined,
  });
  return {
    subscribe(sink) {
      const leave = client.subscribe(parameters, sink);
      return { unsubscribe: () => { leave(); client.dispose(); } };
    },
  };
}

function fetcher(parameters, options = {}) {
  return isSubscription(parameters, options) ? overWebSocket(parameters, options) : overHttp(parameters, options);
}

const welcome = `# Sign in: mutation { signIn(identifier: "…",
#   password: "…", signInAs: FAMILY) {
#   problems { message } session { accessToken } } }
# Then put the token into the Headers tab.
query Welcome {
  procedureKinds(first: 5) {
    edges {
      node {
        code
        title
        service {
          name
          phone
        }
      }
    }
  }
}
`;

// ?query=… fills the editor, so that an example can be a link.
const asked = new URLSearchParams(location.search);
ReactDOM.createRoot(document.getElementById("explorer")).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultEditorToolsVisibility: "headers",
    defaultQuery: welcome,
    ...(asked.has("query") ? { query: asked.get("query") } : {}),
  }),
);
