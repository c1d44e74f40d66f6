"""Jobs: work that must not be lost.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"

TABLES = """
CREATE TABLE jobs (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL,
    key         text NOT NULL,
    chat_id     bigint,
    asked_by    bigint NOT NULL DEFAULT 0,
    status      text NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'running', 'done', 'dead', 'cancelled')),
    due_at      timestamptz NOT NULL DEFAULT now(),
    data        jsonb NOT NULL DEFAULT '{}',
    progress    jsonb NOT NULL DEFAULT '{}',
    attempts    integer NOT NULL DEFAULT 0,
    fence       bigint NOT NULL DEFAULT 0,
    woken       integer NOT NULL DEFAULT 0,
    owner       text NOT NULL DEFAULT '',
    cancelling  boolean NOT NULL DEFAULT false,
    error       text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, key)
) WITH (fillfactor = 70);
COMMENT ON COLUMN jobs.key IS 'a second job of this kind with this key is not added';
COMMENT ON COLUMN jobs.chat_id IS 'the chat that the job is about; NULL: about none, or about all';
COMMENT ON COLUMN jobs.due_at IS 'queued: when it is to run; running: when its claim expires';
COMMENT ON COLUMN jobs.progress IS 'the steps that are done, so that another process can go on from there';
COMMENT ON COLUMN jobs.attempts IS 'claims since the last progress';
COMMENT ON COLUMN jobs.fence IS 'number of the claim; a write with an older number is refused';
COMMENT ON COLUMN jobs.woken IS 'number of wake-ups; one during a run makes the job run again';
-- The next job of a kind.
CREATE INDEX idx_jobs_due ON jobs (kind, due_at, id) WHERE status IN ('queued', 'running');
-- The list of a status, newest first; pruning.
CREATE INDEX idx_jobs_status_updated ON jobs (status, updated_at, id);
"""


def upgrade() -> None:
    """Create the table of jobs."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drop the table of jobs."""
    op.execute("DROP TABLE jobs")
