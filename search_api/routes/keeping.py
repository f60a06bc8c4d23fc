"""Keeping a search, and letting it go again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from search_api.door import YEAR_S, AtDoor, same_site
from search_api.kept import COOKIE, kept_cookie, read_kept, search_at, with_kept, without_kept

router = APIRouter(include_in_schema=False)


@router.post("/searches", dependencies=[Depends(same_site)])
def keep_search(
    request: Request, door: AtDoor, address: Annotated[str, Form()], keep: Annotated[str, Form()]
) -> Response:
    """Keep the search at an address in the reader's browser, or with keep=0 let it go; then show it again."""
    search = search_at(address)
    kept = read_kept(request.cookies.get(COOKIE, ""))
    left = without_kept(kept, search) if keep == "0" else with_kept(kept, search)
    response = RedirectResponse(search.address(), status_code=303)
    door.set_cookie(response, COOKIE, kept_cookie(left), max_age=YEAR_S)
    return response
