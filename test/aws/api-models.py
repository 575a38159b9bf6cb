# Prints the API models that botocore has, as JSON: python3 api-models.py ecs lambda …

import gzip
import json
import os
import sys

import botocore

root = os.path.join(os.path.dirname(botocore.__file__), "data")
models = {}
for service in sys.argv[1:]:
    version = sorted(os.listdir(os.path.join(root, service)))[-1]
    path = os.path.join(root, service, version, "service-2.json")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            models[service] = json.load(file)
    else:
        with gzip.open(path + ".gz", "rt", encoding="utf-8") as file:
            models[service] = json.load(file)
print(json.dumps(models))
