"""Types of the questions in packs, their explanations and sources.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = """
ALTER TABLE pack_questions
    ADD COLUMN type         text NOT NULL DEFAULT 'choice',
    ADD COLUMN rights       integer[] NOT NULL DEFAULT '{0}',
    ADD COLUMN number       numeric,
    ADD COLUMN tolerance    numeric,
    ADD COLUMN explanation  text NOT NULL DEFAULT '',
    ADD COLUMN source       text NOT NULL DEFAULT '',
    DROP CONSTRAINT pack_questions_answers_check,
    ADD CONSTRAINT pack_questions_answers_check CHECK (cardinality(answers) <= 8);
COMMENT ON COLUMN pack_questions.answers IS 'of a choice the right one first; none if a number is asked for';
COMMENT ON COLUMN pack_questions.rights IS 'the right answers, from 0; items in their right order';
COMMENT ON COLUMN pack_questions.tolerance IS 'none: the closest number is right';
"""


def upgrade() -> None:
    """Add the columns, and allow questions without answers to choose from."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drop the questions of other types, then the columns."""
    op.execute("DELETE FROM pack_questions WHERE type NOT IN ('choice', 'true_false') OR cardinality(answers) > 4")
    op.execute(
        "ALTER TABLE pack_questions DROP COLUMN type, DROP COLUMN rights, DROP COLUMN number, DROP COLUMN tolerance, "
        "DROP COLUMN explanation, DROP COLUMN source, DROP CONSTRAINT pack_questions_answers_check, "
        "ADD CONSTRAINT pack_questions_answers_check CHECK (cardinality(answers) BETWEEN 2 AND 4)"
    )
