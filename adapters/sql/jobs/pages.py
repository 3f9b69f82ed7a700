"""Pages of a list of jobs, by keyset: a page costs the same however far behind it is."""

from datetime import datetime

from sqlalchemy import Connection, Select, select, tuple_

from adapters.sql.jobs.rows import COLUMNS, JobRow, readable
from adapters.sql.schema.tables import jobs
from domain.model.jobs import JobCursor, JobPage, JobQuery

_ROW = jobs.c


def page_of(connection: Connection, query: JobQuery) -> JobPage:
    """Read one row more than the page has, to know whether there is another page."""
    rows = connection.execute(_select(query).limit(query.limit + 1)).all()
    page = rows[: query.limit]
    following = JobCursor(page[-1].created_at, page[-1].id) if len(rows) > len(page) else None
    return JobPage(tuple(readable(page)), following)


def _select(query: JobQuery) -> Select[JobRow]:
    chosen = select(*COLUMNS)
    if query.tenant_id is not None:
        chosen = chosen.where(_ROW.tenant_id == query.tenant_id)
    if query.state is not None:
        chosen = chosen.where(_ROW.state == query.state.value)
    if query.created_after is not None:
        chosen = chosen.where(_ROW.created_at >= _least(query.created_after))
    if query.created_before is not None:
        chosen = chosen.where(_ROW.created_at < _least(query.created_before))
    if query.behind is not None:
        chosen = chosen.where(tuple_(_ROW.created_at, _ROW.id) < tuple_(*query.behind))
    return chosen.order_by(_ROW.created_at.desc(), _ROW.id.desc())


def _least(shown: datetime) -> float:
    """Return the least time that is shown so: a shown one is rounded to microseconds, a stored one is not."""
    return shown.timestamp() - 0.5e-6
