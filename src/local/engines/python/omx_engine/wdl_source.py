"""Where WDL documents are read from: the definition alone. HealthOmics follows neither addresses nor paths out of it."""

import os

import WDL


def read_inside(root):
    """A `read_source` for WDL.load that refuses what lies outside of `root`."""
    real = os.path.realpath(root)

    async def read(uri, path, importer):
        if "://" in uri:
            raise FileNotFoundError("imports by address are not followed: %s" % uri)
        source = await WDL.read_source_default(uri, path, importer)
        if not os.path.realpath(source.abspath).startswith(real + os.sep):
            raise FileNotFoundError("%s is outside the workflow definition" % uri)
        return source

    return read
