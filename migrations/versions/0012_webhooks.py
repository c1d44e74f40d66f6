"""Webhooks: endpoints, messages, deliveries with their attempts, and sources of incoming calls.

The table `webhook_events` has no reader any more. It stays for one more version, because replicas of the version before
still use it while an upgrade rolls through.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"

TABLES = """
CREATE TABLE webhook_endpoints (
    id             text PRIMARY KEY,
    chat_id        bigint NOT NULL,
    url            text NOT NULL,
    types          text[] NOT NULL DEFAULT '{}',
    description    text NOT NULL DEFAULT '',
    secret         bytea NOT NULL,
    old_secret     bytea,
    old_until      timestamptz,
    enabled        boolean NOT NULL DEFAULT true,
    reason         text NOT NULL DEFAULT '',
    failures       integer NOT NULL DEFAULT 0,
    failing_since  timestamptz,
    paused_until   timestamptz NOT NULL DEFAULT now(),
    created_by     bigint NOT NULL DEFAULT 0,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN webhook_endpoints.chat_id IS 'the chat whose events it gets; 0: all chats';
COMMENT ON COLUMN webhook_endpoints.types IS 'the types of events that it gets; empty: all';
COMMENT ON COLUMN webhook_endpoints.old_secret IS 'signs beside the new one until old_until';
COMMENT ON COLUMN webhook_endpoints.reason IS 'why it is disabled: host, gone, failing';
COMMENT ON COLUMN webhook_endpoints.failures IS 'failed attempts since the last success';
CREATE INDEX idx_webhook_endpoints_chat ON webhook_endpoints (chat_id, id);
CREATE TABLE webhook_messages (
    id          text PRIMARY KEY,
    type        text NOT NULL,
    chat_id     bigint NOT NULL,
    payload     bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN webhook_messages.payload IS 'the body, byte for byte as it is signed';
CREATE INDEX idx_webhook_messages_chat ON webhook_messages (chat_id);
-- Pruning by age.
CREATE INDEX idx_webhook_messages_created ON webhook_messages (created_at);
CREATE TABLE webhook_deliveries (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id  text NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    message_id   text NOT NULL,
    status       text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed', 'missed')),
    attempts     integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL DEFAULT now(),
    created_at   timestamptz NOT NULL DEFAULT now(),
    ended_at     timestamptz,
    UNIQUE (endpoint_id, message_id)
);
COMMENT ON COLUMN webhook_deliveries.status IS 'missed: the endpoint was disabled';
-- The next delivery of an endpoint.
CREATE INDEX idx_webhook_deliveries_due ON webhook_deliveries (endpoint_id, due_at, id) WHERE status = 'pending';
-- The list of an endpoint, newest first.
CREATE INDEX idx_webhook_deliveries_endpoint ON webhook_deliveries (endpoint_id, id);
-- Pruning by age.
CREATE INDEX idx_webhook_deliveries_created ON webhook_deliveries (created_at);
-- Figures.
CREATE INDEX idx_webhook_deliveries_open ON webhook_deliveries (status) WHERE status IN ('pending', 'failed');
CREATE TABLE webhook_attempts (
    delivery_id  bigint NOT NULL REFERENCES webhook_deliveries ON DELETE CASCADE,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    status       integer NOT NULL,
    error        text NOT NULL DEFAULT '',
    ms           integer NOT NULL,
    PRIMARY KEY (delivery_id, at)
);
COMMENT ON COLUMN webhook_attempts.status IS 'the HTTP status; 0: no answer';
CREATE TABLE webhook_sources (
    id           text PRIMARY KEY,
    chat_id      bigint NOT NULL,
    topic_id     bigint NOT NULL DEFAULT 0,
    description  text NOT NULL DEFAULT '',
    secret       bytea NOT NULL,
    old_secret   bytea,
    old_until    timestamptz,
    created_by   bigint NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE webhook_sources IS 'systems that may open and end games of a chat by a signed call';
CREATE INDEX idx_webhook_sources_chat ON webhook_sources (chat_id, id);
"""


def upgrade() -> None:
    """Create the tables."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE webhook_attempts, webhook_deliveries, webhook_messages, webhook_endpoints, webhook_sources")
