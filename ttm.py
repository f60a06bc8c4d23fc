"""The `ttm` command: mounts the commands of each package."""

from __future__ import annotations

import typer

import alerts.cli
import crawlers.cli
import indexer.terms_cli
import operations.cli
import search_api.cli
from library.house import House

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A searchable library of technical trade measures: crawl, archive, search, watch, mail.",
)


def bring_up_to_date(house: House) -> None:
    """Let the index and the links follow the change log, unless another process is doing that."""
    from operations.following import catch_up

    catch_up(house)


operations.cli.register(app)
crawlers.cli.register(app, bring_up_to_date)
search_api.cli.register(app)
app.add_typer(indexer.terms_cli.terms_app, name="terms")
app.add_typer(alerts.cli.watch_app, name="watch")
app.add_typer(alerts.cli.alerts_app, name="alerts")


def main() -> None:
    """Run the program."""
    app()


if __name__ == "__main__":
    main()
