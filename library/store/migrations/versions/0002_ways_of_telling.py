"""How a watch is told: by mail or not, and what signs the calls of its web address."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("watch", schema=None) as batch_op:
        batch_op.add_column(sa.Column("by_mail", sa.BigInteger(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("hook_secret", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("watch", schema=None) as batch_op:
        batch_op.drop_column("hook_secret")
        batch_op.drop_column("by_mail")
