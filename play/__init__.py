"""The application layer: the calls that every face (Telegram, HTTP API) makes on the games."""
