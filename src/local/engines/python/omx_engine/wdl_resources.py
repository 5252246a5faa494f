"""What HealthOmics reads in a WDL task's runtime section beyond miniwdl (guide, "WDL" and "Advanced resource configuration")."""

import math
import re

from WDL.Error import RuntimeError as WdlRuntimeError

FALLBACK_ORDER = "omicsResourceFallbackOrder"
PROFILE_KEYS = ("acceleratorType", "acceleratorCount", "cpu", "memory", "omicsResourceWaitTimeoutInMin")
MOST_PROFILES = 10


def profiles(runtime_eval):
    """The profiles of omicsResourceFallbackOrder, held to their rules as at the creation of the workflow."""
    found = runtime_eval[FALLBACK_ORDER].json
    beside = next((name for name in PROFILE_KEYS if name in runtime_eval), None)
    if beside:
        raise BrokenFallbackOrder("%s cannot stand beside %s" % (beside, FALLBACK_ORDER))
    if not isinstance(found, list) or not 1 <= len(found) <= MOST_PROFILES or not all(isinstance(one, dict) for one in found):
        raise BrokenFallbackOrder("%s is a list of 1 to %d maps" % (FALLBACK_ORDER, MOST_PROFILES))
    for profile in found:
        unknown = next((name for name in profile if name not in PROFILE_KEYS), None)
        if unknown:
            raise BrokenFallbackOrder("%s is not a key of a profile" % unknown)
        if ("acceleratorType" in profile) != ("acceleratorCount" in profile):
            raise BrokenFallbackOrder("acceleratorType and acceleratorCount go together")
    if sum("acceleratorType" not in profile for profile in found) > 1:
        raise BrokenFallbackOrder("more than one profile of %s has no accelerator" % FALLBACK_ORDER)
    return found


class BrokenFallbackOrder(WdlRuntimeError):
    """A task whose fallback resources HealthOmics refuses."""


def accelerators(runtime_eval):
    """acceleratorCount wins over gpuCount (guide, "WDL"); a type alone asks for one."""
    for count, kind in (("acceleratorCount", "acceleratorType"), ("gpuCount", "gpuType")):
        if count in runtime_eval:
            return max(0, int(math.ceil(float(runtime_eval[count].json))))
        if kind in runtime_eval:
            return 1
    return 0


def text_of(runtime_eval, key):
    value = runtime_eval.get(key)
    return str(value.json) if value is not None else None


def return_codes(value):
    if isinstance(value.json, bool):
        return "*" if value.json else 0
    return value.json


def seconds(runtime_eval):
    """omicsTimeout: seconds as a number, or a duration such as 1h30m; at least 60 s, whole minutes (guide, "WDL")."""
    if "omicsTimeout" not in runtime_eval:
        return None
    text = str(runtime_eval["omicsTimeout"].json).strip()
    if re.fullmatch(r"\d+", text):
        found = int(text)
    else:
        match = re.fullmatch(r"(?:(\d+)\s*d)?\s*(?:(\d+)\s*h)?\s*(?:(\d+)\s*m)?\s*(?:(\d+)\s*s)?", text)
        if not match or not any(match.groups()):
            raise WdlRuntimeError("invalid setting of runtime.omicsTimeout, " + text)
        days, hours, minutes, rest = (int(part or 0) for part in match.groups())
        found = ((days * 24 + hours) * 60 + minutes) * 60 + rest
    return max(60, found // 60 * 60)
