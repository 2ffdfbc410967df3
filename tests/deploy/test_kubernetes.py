"""The Dask cluster for Kubernetes is what the operator of dask-kubernetes takes."""

import gzip
import json
from copy import deepcopy
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from deploy.queries import DEPLOY
from samples import DATA

MANIFEST = yaml.safe_load((DEPLOY / "kubernetes" / "daskcluster.yaml").read_text())
SCHEMA = json.loads(gzip.decompress((DATA / "kubernetes" / "daskcluster-schema.json.gz").read_bytes()))


def strict(schema: Any) -> Any:
    """The schema with unknown members refused, as `kubectl apply --validate=strict` does; Kubernetes itself drops them."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(value) for name, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "x-kubernetes-preserve-unknown-fields" not in schema:
        made.setdefault("additionalProperties", False)
    return made


def problems(manifest: dict[str, Any]) -> list[str]:
    """What the schema has against it; `apiVersion`, `kind` and `metadata` are those of all objects."""
    parts = {name: value for name, value in manifest.items() if name not in ("apiVersion", "kind", "metadata")}
    return [error.message for error in Draft7Validator(strict(SCHEMA["schema"])).iter_errors(parts)]


def test_the_manifest_is_what_the_operator_takes() -> None:
    assert problems(MANIFEST) == []
    assert MANIFEST["apiVersion"] == SCHEMA["apiVersion"]
    assert MANIFEST["kind"] == SCHEMA["kind"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("worker", "replicas"), "three"),
        (("worker", "spec", "containers"), "none"),
        (("worker", "spec", "containres"), []),
        (("scheduler", "service", "ports", 0, "port"), "8786"),
        (("scheduler", "spec", "containers", 0, "readinessProbe", "httpGet", "pth"), "/"),
        (("sheduler",), {}),
    ],
)
def test_a_mistake_is_found(path: tuple[Any, ...], value: Any) -> None:
    manifest = deepcopy(MANIFEST)
    inner = manifest["spec"]
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    assert problems(manifest)
