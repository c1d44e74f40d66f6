"""Question packs of hosts, and the questions that each chat was asked.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = """
CREATE TABLE question_packs (
    id          bigserial PRIMARY KEY,
    owner_id    bigint NOT NULL,
    name        text NOT NULL,
    locale      text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    -- The packs of a host, by name: the /pack dialog, and no two of one name.
    CONSTRAINT idx_question_packs_owner_name UNIQUE (owner_id, name)
);

CREATE TABLE pack_questions (
    pack_id     bigint NOT NULL REFERENCES question_packs ON DELETE CASCADE,
    position    integer NOT NULL,
    id          text NOT NULL,
    text        text NOT NULL,
    answers     text[] NOT NULL CHECK (cardinality(answers) BETWEEN 2 AND 4),
    difficulty  text NOT NULL,
    category    text NOT NULL,
    photo       text,
    PRIMARY KEY (pack_id, position),
    CONSTRAINT idx_pack_questions_id UNIQUE (pack_id, id) DEFERRABLE
);
COMMENT ON COLUMN pack_questions.answers IS 'the right one first';
COMMENT ON COLUMN pack_questions.id IS 'a fingerprint of what it asks: the same in every pack';

CREATE TABLE asked_questions (
    chat_id      bigint NOT NULL,
    question_id  text NOT NULL,
    text         text NOT NULL,
    answer       text NOT NULL,
    photo        text,
    asked_at     timestamptz NOT NULL,
    PRIMARY KEY (chat_id, question_id)
);
COMMENT ON TABLE asked_questions IS 'what a chat had, so that it gets others; pruned by age';

-- Pruning by age.
CREATE INDEX idx_asked_questions_at ON asked_questions (asked_at);
"""


def upgrade() -> None:
    """Create the tables of the quiz."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drop the tables of the quiz."""
    op.execute("DROP TABLE asked_questions, pack_questions, question_packs")
