"""The tables of the insights as CSV, for a spreadsheet."""

from collections.abc import Iterator, Sequence

from chalicelib.routes.insights.responses import GroupFiguresResponse, InsightsResponse
from chalicelib.routes.platform import table_files
from chalicelib.routes.platform.table_files import Cell

_HEAD = (
    "Table",
    "Period",
    "Group",
    "Row",
    "Referrals",
    "Percent of all referrals",
    "First quartile (days)",
    "Median (days)",
    "Third quartile (days)",
    "Source",
)
_NOT_SHOWN = "not shown"


def build_csv(insights: InsightsResponse) -> str:
    """Build the file."""
    return table_files.build_csv(_HEAD, _list_rows(insights))


def _list_rows(insights: InsightsResponse) -> Iterator[Sequence[Cell]]:
    period = f"Referred since {insights['starts_on']}" if insights["starts_on"] else "All referrals"
    for group in (insights["total"], *insights["groups"]):
        yield from _list_group_rows(group, period)
    published = insights["published"]
    titles = {
        source["source_id"]: f"{source['title']} ({source['population']}), published {source['published_on']},"
        f" read {source['read_on']}: {source['url']}"
        for source in published["sources"]
    }
    labels = {each["interval"]: each["label"] for each in insights["total"]["intervals"]}
    for median in published["intervals"]:
        row = ("Published, not a goal", "", "", labels[median["interval"]], "", "", "", median["median_days"], "")
        yield (*row, titles[median["source"]])
    for finding in published["endings"]:
        yield ("Published, not a goal", "", "", finding["text"], "", "", "", "", "", titles[finding["source"]])


def _list_group_rows(group: GroupFiguresResponse, period: str) -> Iterator[Sequence[Cell]]:
    own = "Your organization's referrals"
    for each in group["intervals"]:
        days = (each["first_quartile_days"], each["median_days"], each["third_quartile_days"])
        yield ("Days of each interval", period, group["label"], each["label"], *_show(each["referrals"]), "",
               *_show(*days), own)  # fmt: skip
    for step in group["milestones"]:
        counts = _show(step["referrals"], step["percent"])
        yield ("How far referrals get", period, group["label"], step["label"], *counts, "", "", "", own)
    endings = [
        ("Still open before infusion", group["open"]),
        ("Ended before infusion", group["ended"]),
        *((f"Ended: {reason['label']}", reason["referrals"]) for reason in group["reasons"]),
        ("Ended: other reasons together", group["other_reasons"]),
    ]
    for label, count in endings:
        yield ("Why referrals ended before infusion", period, group["label"], label, *_show(count), "", "", "", "", own)


def _show(*figures: float | None) -> Sequence[Cell]:
    return tuple(_NOT_SHOWN if figure is None else figure for figure in figures)
