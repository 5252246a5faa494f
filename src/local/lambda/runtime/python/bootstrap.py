"""Runs a Python handler: Lambda's runtime interface (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html)."""
import importlib
import json
import logging
import os
import sys
import time
import traceback
from urllib.request import Request, urlopen

API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"
ROOT = os.environ["LAMBDA_TASK_ROOT"]
IS_JSON = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
request_id = ""


class LambdaContext:
    def __init__(self, headers):
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.client_context = json.loads(headers["Lambda-Runtime-Client-Context"] or "null")
        self.identity = None
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))


class RequestFormatter(logging.Formatter):
    converter = time.gmtime

    def format(self, record):
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + ".%03dZ" % record.msecs
        message = super().format(record)
        if IS_JSON:
            return json.dumps({"timestamp": moment, "level": record.levelname, "message": message, "logger": record.name, "requestId": request_id})
        return "[%s]\t%s\t%s\t%s" % (record.levelname, moment, request_id, message)


def set_up_logging():
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(RequestFormatter("%(message)s"))
    logging.getLogger().addHandler(handler)


def call(method, path, body=None, headers=None):
    return urlopen(Request(API + path, method=method, data=body, headers=headers or {}))


def error_body(error_type, message, stack):
    return {"errorMessage": message, "errorType": error_type, "requestId": request_id, "stackTrace": stack}


def describe(error):
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    return error_body(type(error).__name__, str(error), traceback.format_list(frames))


def load_handler():
    name = os.environ["_HANDLER"]
    module_name, _, function_name = name.rpartition(".")
    if not module_name:
        return None, error_body("Runtime.MalformedHandlerName", "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % name, [])
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        return None, error_body("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, error), [])
    except SyntaxError as error:
        return None, error_body("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, error), [])
    except Exception as error:
        return None, describe(error)
    if not hasattr(module, function_name):
        return None, error_body("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (function_name, module_name), [])
    return getattr(module, function_name), None


def mark_end():
    """The end of an invocation's output: what stands before it belongs to the invocation."""
    for stream in (sys.stdout, sys.stderr):
        stream.write("\0%s\n" % request_id)
        stream.flush()


def tell(path, body):
    lines = ["[ERROR] %s: %s" % (body["errorType"], body["errorMessage"])]
    if body["stackTrace"]:
        lines += ["Traceback (most recent call last):"] + body["stackTrace"]
    print("\r".join(line.rstrip("\n").replace("\n", "\r") for line in lines))
    mark_end()
    call("POST", path, json.dumps(body).encode(), {"Lambda-Runtime-Function-Error-Type": body["errorType"]})


def main():
    global request_id
    sys.path.insert(0, ROOT)
    set_up_logging()
    handler, problem = load_handler()
    if problem is not None:
        tell("init/error", problem)
        sys.exit(1)
    while True:
        try:
            with call("GET", "invocation/next") as response:
                headers, event = response.headers, response.read()
        except OSError:
            sys.exit(0)  # The local accounts have ended, and so do we.
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        if request_id is None:
            sys.exit(0)
        try:
            result = json.dumps(handler(json.loads(event), LambdaContext(headers))).encode()
        except SystemExit as error:
            mark_end()
            sys.exit(error.code)
        except BaseException as error:
            tell("invocation/%s/error" % request_id, describe(error))
            continue
        mark_end()
        call("POST", "invocation/%s/response" % request_id, result, {"Content-Type": "application/json"})


main()
