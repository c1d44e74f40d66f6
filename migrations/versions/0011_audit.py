"""The audit log, which is only added to.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"

TABLES = """
CREATE TABLE audit_log (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL,
    face      text NOT NULL,
    actor_id  bigint NOT NULL,
    token     text NOT NULL,
    action    text NOT NULL,
    chat_id   bigint,
    target    text NOT NULL,
    origin    text NOT NULL,
    outcome   text NOT NULL
);
COMMENT ON TABLE audit_log IS 'every write of every face; kept for audit.keep_days';
-- The rows about a supergroup include those about the group that it was.
CREATE INDEX idx_chats_migrated ON chats (migrated_to) WHERE migrated_to IS NOT NULL;
CREATE INDEX idx_api_tokens_ended ON api_tokens (least(expires_at, revoked_at));
CREATE INDEX idx_audit_log_at ON audit_log (at);
CREATE INDEX idx_audit_log_chat ON audit_log (chat_id, id DESC);
CREATE INDEX idx_audit_log_actor ON audit_log (actor_id, id DESC);
CREATE INDEX idx_audit_log_token ON audit_log (token, id DESC) WHERE token <> '';
CREATE INDEX idx_audit_log_target ON audit_log (target, id DESC) WHERE target <> '';
"""
FUNCTION = """
CREATE FUNCTION audit_log_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.at < now() - interval '30 days' THEN RETURN OLD; END IF;
    END IF;
    RAISE EXCEPTION 'audit_log is only added to' USING ERRCODE = 'insufficient_privilege';
END $$
"""
TRIGGERS = """
CREATE TRIGGER audit_log_only_grows BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_only_grows();
CREATE TRIGGER audit_log_is_not_emptied BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_only_grows();
"""


def upgrade() -> None:
    """Create the table and the triggers that protect it."""
    for statement in (*TABLES.split(";\n"), FUNCTION, *TRIGGERS.split(";\n")):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drop the table and the function."""
    op.execute("DROP TABLE audit_log")
    op.execute("DROP FUNCTION audit_log_only_grows()")
    op.execute("DROP INDEX idx_api_tokens_ended, idx_chats_migrated")
