"""Where CWL documents are read from: the definition alone. HealthOmics follows neither addresses nor paths out of it."""

import os
import urllib.parse
import urllib.request

from schema_salad.exceptions import ValidationException
from schema_salad.fetcher import DefaultFetcher


def fetcher_inside(roots):
    """A fetcher class that refuses what lies outside of `roots`."""
    allowed = [os.path.realpath(root) + os.sep for root in roots]

    class Inside(DefaultFetcher):
        def fetch_text(self, url, content_types=None):
            # What is in the cache came with cwltool itself: the schemas of the language.
            if url not in self.cache:
                _check(url, allowed)
            return super().fetch_text(url, content_types)

        def check_exists(self, url):
            if url in self.cache:
                return True
            return _is_inside(url, allowed) and super().check_exists(url)

    return Inside


def _check(url, allowed):
    if not _is_inside(url, allowed):
        raise ValidationException("%s is outside the workflow definition" % url)


def _is_inside(url, allowed):
    split = urllib.parse.urlsplit(url)
    if split.scheme != "file":
        return False
    path = os.path.realpath(urllib.request.url2pathname(split.path))
    return any(path.startswith(root) for root in allowed)
