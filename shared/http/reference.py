"""/docs: a page made from the OpenAPI document on the server. It needs no script, no CDN and no internet."""

from html import escape
from typing import Any

Document = dict[str, Any]


def reference_page(document: Document) -> str:
    """The page as HTML."""
    return f"<!doctype html><title>{escape(document['info']['title'])}</title>"
