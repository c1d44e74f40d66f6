"""Wallets that players have proved to own.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of wallets."""
    op.execute(
        """
        CREATE TABLE wallets (
            player_id    bigint PRIMARY KEY,
            -- Whose wallet is it: at most one player's.
            address      text NOT NULL CONSTRAINT idx_wallets_address UNIQUE CHECK (address ~ '^0x[0-9a-f]{40}$'),
            verified_at  timestamptz NOT NULL
        )
        """
    )
    op.execute("COMMENT ON COLUMN wallets.address IS 'in small letters; whose key has signed for it'")


def downgrade() -> None:
    """Drop the table of wallets."""
    op.execute("DROP TABLE wallets")
