"""Sends requests of HealthOmics with boto3: a JSON document {"operation", "input"} a line in, {"output"} or {"error"} a line out."""

import base64
import datetime
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def main():
    settings = json.loads(sys.argv[1])
    client = boto3.client(
        "omics",
        endpoint_url=settings["endpoint"],
        region_name=settings["region"],
        aws_access_key_id=settings["accessKeyId"],
        aws_secret_access_key=settings["secretAccessKey"],
        config=Config(inject_host_prefix=False, retries={"max_attempts": 1, "mode": "standard"}),
    )
    for line in sys.stdin:
        request = json.loads(line)
        parameters = request["input"]
        if "definitionZip" in parameters:
            parameters["definitionZip"] = base64.b64decode(parameters["definitionZip"])
        try:
            if request["operation"].startswith("wait:"):
                client.get_waiter(request["operation"][5:]).wait(WaiterConfig={"Delay": 0.1, "MaxAttempts": 600}, **parameters)
                answer = {"output": {}}
            else:
                output = getattr(client, request["operation"])(**parameters)
                status = output.pop("ResponseMetadata")["HTTPStatusCode"]
                answer = {"output": output, "status": status}
        except ClientError as error:
            answer = {"error": {"code": error.response["Error"]["Code"], "message": error.response["Error"]["Message"],
                                "status": error.response["ResponseMetadata"]["HTTPStatusCode"]}}
        except WaiterError as error:
            answer = {"error": {"code": "WaiterError", "message": str(error), "status": 0}}
        print(json.dumps(answer, default=plain), flush=True)


if __name__ == "__main__":
    main()
