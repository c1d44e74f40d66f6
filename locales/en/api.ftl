### Refusals of the HTTP API. Refusals of games are in rejected.ftl.

rejected-not-found = There is nothing at this address.
rejected-method-not-allowed = This address does not have that method. The header Allow lists its methods.
rejected-bad-request = The request can’t be read: its body is not complete JSON.
rejected-invalid-request = The request is not valid: { $detail }
rejected-too-large = The body is larger than { $limit } bytes.
rejected-request-timeout = The body did not arrive in time. Send the request again.
rejected-unsupported-media-type = The body must have the media type that the reference names, and no compression.
rejected-too-many-requests = Too many requests. Repeat it in { $seconds } s.
rejected-idempotency-key-missing = A write needs the header Idempotency-Key, with 1 to 128 visible ASCII characters.
rejected-idempotency-key-reused = Another request has this Idempotency-Key. Use a new one for each request.
rejected-request-in-progress = The same request is being answered. Repeat it for its response.
rejected-bad-cursor = This cursor does not belong to this list with these filters.
rejected-bad-query = The GraphQL query has a mistake: { $detail }
rejected-query-too-long = A GraphQL query has at most { $limit } tokens.
rejected-query-too-deep = A GraphQL query is nested at most { $limit } levels deep.
rejected-too-many-aliases = A GraphQL query has at most { $limit } aliases and repeated fields, and none in introspection.
rejected-query-too-costly = The GraphQL query costs { $cost }, and at most { $limit } is allowed. Ask for shorter pages.
rejected-query-too-slow = The GraphQL query took longer than { $seconds } seconds.
rejected-unknown-query = There is no persisted query with this id.
rejected-too-many-connections = The token, or the process, has { $limit } live connections, the most allowed.
rejected-too-many-watched = A connection watches at most { $limit } games and chats.
rejected-wrong-origin = Pages of this origin are not let in.
rejected-away = The service can’t answer right now, and the change may or may not have been made. Send the same request again.
rejected-bug = Something went wrong. The operator finds the reason under the code { $trace }.
rejected-not-authenticated = The header Authorization needs a valid token: Bearer tombola_...
rejected-bad-launch = Telegram has not confirmed who opens this page. Close it and open it from the chat again.
rejected-stale-launch = This page was opened too long ago. Close it and open it from the chat again.
rejected-bad-login = This link was used or is too old. Ask the bot for a new one.
rejected-tokens-only = Only an API token may do this.
rejected-unknown-token = There is no such token.
rejected-needs-a-token = Only an API token may make another person’s move.
rejected-precondition-failed = It has changed since you read it. Read it again, then change it.
rejected-settings-changed = Others are changing these settings. Try again.
rejected-unknown-chat = The bot does not know this chat.
rejected-unknown-player = This person is not known here.
rejected-unknown-pack = The chat has no such pack.
rejected-not-in-log = The public log does not have this game yet, or it had no draw.
rejected-pack-unreadable =
    { $count ->
        [one] The file has a mistake. Nothing was stored.
       *[other] The file has { $count } mistakes. Nothing was stored.
    }
rejected-too-many-packs = The chat has { $limit } packs, the most allowed. Delete one first.
rejected-pack-name-taken = The chat has a pack of this name already.
rejected-too-many-files = Too many files are waiting to be read. Try again in a moment.
rejected-broadcast-too-long = The message is too long: at most { $limit } characters.
rejected-joined-elsewhere = This player has joined in Telegram, so only they make their moves.
rejected-flag-off = An operator has switched this off: { $flag }.
rejected-unknown-flag = This version has no such flag.
rejected-bad-flag-setting = A flag needs a share from 0 to 100, and no chat on both sides.
