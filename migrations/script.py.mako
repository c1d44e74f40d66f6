"""${message}.

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
"""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Say what it adds and which query needs it."""
    op.execute("")


def downgrade() -> None:
    """Undo all of it."""
    op.execute("")
