"""The schema of the small service that the protocol tests speak to."""

SDL = '''
"""Where the reading begins."""
type Query {
  """Give a text back."""
  echo("The text." text: String!): String!
  """Give a long text."""
  large("Its length in characters." size: Int!): String!
  """Say who asks."""
  me: String!
  """Fail."""
  boom: String
  """Refuse."""
  forbidden: String
  """Take a while."""
  slow("How long." seconds: Float!): String
  """Give one message."""
  message("Its id." id: ID!): Message
  """List the messages."""
  messages(
    "How many." first: Int
    "How many from the end." last: Int
    "Begin after." after: String
    "End before." before: String
  ): MessageConnection!
}

"""Where the writing begins."""
type Mutation {
  """Send a message."""
  sendMessage("The message." input: SendMessageInput!): SendMessagePayload!
}

"""Where the news begin."""
type Subscription {
  """Count."""
  count("Up to." to: Int!, "Between two numbers." delayMs: Int): Int!
  """Tell of every message sent."""
  messageSent: Message!
  """Fail at once."""
  fails: String
}

"""Anything with an id."""
interface Node {
  """Its id."""
  id: ID!
}

"""A message."""
type Message implements Node {
  """Its id."""
  id: ID!
  """Its text."""
  body: String!
  """The way it goes."""
  channel: String!
}

"""A page of messages."""
type MessageConnection {
  """The entries."""
  edges: [MessageEdge]
  """Where the page stands."""
  pageInfo: PageInfo!
}

"""An entry of a page of messages."""
type MessageEdge {
  """Its place."""
  cursor: String!
  """The message."""
  node: Message
}

"""Where a page stands."""
type PageInfo {
  """More come after."""
  hasNextPage: Boolean!
  """More come before."""
  hasPreviousPage: Boolean!
  """The place of the first entry."""
  startCursor: String
  """The place of the last entry."""
  endCursor: String
}

"""A message to send."""
input SendMessageInput {
  """Its text."""
  body: String!
  """The way it goes."""
  channel: String!
}

"""What sending gave."""
type SendMessagePayload {
  """The message."""
  message: Message
  """What is wrong with it."""
  problems: [String!]!
}
'''
