"""What the IoT Edge runtime takes for a deployment: JSON Schemas of our own after its published rules, and its limits.

A template is what iotedgedev reads, with createOptions as an object and names to be filled in; a manifest is what it
makes of one and what IoT Hub stores; a layer is laid over a manifest, path by path. edgeAgent 1.1, edgeHub 1.2.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
TEMPLATES = ("deployment.template.json", "deployment.debug.template.json")
NESTED = ("deployment.top.template.json", "deployment.middle.template.json", "deployment.bottom.template.json")
"""One layer below the other, each with an API proxy."""

LAYER = "deployment.layered.example.json"

DEEPEST, LONGEST_TEXT, LARGEST_TWIN, LARGEST_OPTIONS = 10, 4096, 32 * 1024, 4096
_HIGHEST = 2**52 - 1
"""IoT Hub keeps whole numbers of 53 bits."""

_MODULE = r"^[A-Za-z0-9_-]{1,64}$"
_KEY = r"^[^.$ \u0000-\u001f\u007f-\u009f]{1,512}$"
_PORT = r"^[0-9]{1,5}/(tcp|udp)$"
_OPTIONS = r"^createOptions(0[1-9]|[1-9][0-9])?$"
_STEPS = r"^properties\.desired(\.[^.$ \u0000-\u001f]+)+$"

Schema = dict[str, Any]


def _closed(properties: Schema, *needed: str) -> Schema:
    return {"type": "object", "properties": properties, "required": list(needed), "additionalProperties": False}


def _map(pattern: str, value: Schema) -> Schema:
    return {"type": "object", "patternProperties": {pattern: value}, "additionalProperties": False}


_TEXT = {"type": "string"}
_WORD = {"type": "string", "minLength": 1}
_COUNT = {"type": "integer", "minimum": 0}
_STEP = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
_LIST = {"type": "array", "items": _WORD}

_TWIN: Schema = {
    "$id": "twin",
    "type": "object",
    "propertyNames": {"pattern": _KEY},
    "additionalProperties": {
        "anyOf": [
            {"type": "string", "maxLength": LONGEST_TEXT - 1},
            {"type": "integer", "minimum": -_HIGHEST - 1, "maximum": _HIGHEST},
            {"type": "number", "not": {"type": "integer"}},
            {"type": ["boolean", "null"]},
            {"$ref": "twin"},
        ]
    },
}
_ENVIRONMENT = _map(r"^[^+#$\s.]+$", _closed({"value": {"type": ["number", "string", "boolean"]}}, "value"))
_CREDENTIALS = _map(
    r"^[^.$# ]+$",
    _closed(
        {"username": _TEXT, "password": _TEXT, "address": {"type": "string", "pattern": r"^\S+$"}},
        "username",
        "password",
        "address",
    ),
)
_RUNTIME = _closed(
    {
        "type": {"const": "docker"},
        "settings": _closed({"minDockerVersion": _WORD, "loggingOptions": _TEXT, "registryCredentials": _CREDENTIALS}),
    },
    "type",
    "settings",
)
_ROUTE = (
    r"^FROM /messages/\S+( WHERE .+)? INTO (\$upstream|BrokeredEndpoint\(\"/modules/[A-Za-z0-9_-]+/inputs/\w+\"\))$"
)
_ROUTES = _map(
    r"^[^.$# ]+$",
    {
        "anyOf": [
            {"type": "string", "pattern": _ROUTE},
            _closed(
                {
                    "route": {"type": "string", "pattern": _ROUTE},
                    "priority": {"type": "integer", "minimum": 0, "maximum": 9},
                    "timeToLiveSecs": _STEP,
                },
                "route",
            ),
        ]
    },
)
_HUB = _closed(
    {
        "schemaVersion": {"const": "1.2"},
        "routes": _ROUTES,
        "storeAndForwardConfiguration": _closed({"timeToLiveSecs": _COUNT}, "timeToLiveSecs"),
    },
    "schemaVersion",
    "routes",
)

CREATE_OPTIONS: Schema = _closed(
    {
        "ExposedPorts": _map(_PORT, _closed({})),
        "HostConfig": _closed(
            {
                "PortBindings": _map(
                    _PORT,
                    {
                        "type": "array",
                        "items": _closed({"HostIp": _WORD, "HostPort": {"type": "string", "pattern": "^[0-9]+$"}}),
                    },
                ),
                "Binds": {
                    "type": "array",
                    "items": {"type": "string", "pattern": r"^[\w./-]+:/[\w./-]*(:(ro|rw|z|Z))?$"},
                },
                "ReadonlyRootfs": {"type": "boolean"},
                "Tmpfs": {"type": "object", "additionalProperties": _TEXT},
                "CapDrop": _LIST,
                "SecurityOpt": _LIST,
                "Memory": _COUNT,
                "PidsLimit": _COUNT,
                "LogConfig": _closed(
                    {"Type": _WORD, "Config": {"type": "object", "additionalProperties": _TEXT}}, "Type"
                ),
            }
        ),
    }
)
"""What we hand to the engine's create call, field by field: edgeAgent looks at none of it."""


def _settings(options: Schema) -> Schema:
    properties = {"image": _WORD}
    return {**_closed(properties, "image"), "patternProperties": {_OPTIONS: options}}


def _module(options: Schema, *needed: str) -> Schema:
    properties = {
        "version": _WORD,
        "type": {"const": "docker"},
        "status": {"enum": ["running", "stopped"]},
        "restartPolicy": {"enum": ["never", "on-failure", "on-unhealthy", "always"]},
        "imagePullPolicy": {"enum": ["on-create", "never"]},
        "startupOrder": _STEP,
        "env": _ENVIRONMENT,
        "settings": _settings(options),
    }
    return _closed(properties, "type", "settings", *needed)


def _content(options: Schema) -> Schema:
    module = _module(options, "status", "restartPolicy")
    system = _closed({"edgeAgent": _module(options), "edgeHub": module}, "edgeAgent", "edgeHub")
    agent = _closed(
        {
            "schemaVersion": {"const": "1.1"},
            "runtime": _RUNTIME,
            "systemModules": system,
            "modules": _map(_MODULE, module),
        },
        "schemaVersion",
        "runtime",
        "systemModules",
        "modules",
    )
    desired = "properties.desired"
    content = _closed(
        {"$edgeAgent": _closed({desired: agent}, desired), "$edgeHub": _closed({desired: _HUB}, desired)},
        "$edgeAgent",
        "$edgeHub",
    )
    return {**content, "patternProperties": {_MODULE: _closed({desired: {"$ref": "twin"}}, desired)}}


def _document(content: Schema, **more: Schema) -> Schema:
    return {**_closed({**more, "modulesContent": content}, *more, "modulesContent"), "$defs": {"twin": _TWIN}}


TEMPLATE = _document(_content(CREATE_OPTIONS), **{"$schema-template": {"const": "4.0.0"}})
MANIFEST = _document(_content({"type": "string", "maxLength": LARGEST_OPTIONS}))

_LAYERED = _closed(
    {
        "$edgeAgent": _map(
            r"^properties\.desired\.modules\.[A-Za-z0-9_-]{1,64}$",
            _module({"type": "string", "maxLength": LARGEST_OPTIONS}, "status", "restartPolicy"),
        ),
        "$edgeHub": _map(r"^properties\.desired\.routes\.[^.$# ]+$", _ROUTES["patternProperties"][r"^[^.$# ]+$"]),
    }
)
LAYERED = {
    **_closed(
        {
            "content": _closed(
                {"modulesContent": {**_LAYERED, "patternProperties": {_MODULE: _map(_STEPS, {"$ref": "twin"})}}},
                "modulesContent",
            )
        },
        "content",
    ),
    "$defs": {"twin": _TWIN},
}


def read(name: str) -> dict[str, Any]:
    """A document in the root of the repository."""
    return dict(json.loads((ROOT / name).read_text("utf-8")))


def faults(document: Mapping[str, Any], schema: Schema) -> list[str]:
    """What is wrong with a document, each with its path; nothing if it holds."""
    errors = Draft202012Validator(schema).iter_errors(document)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in errors]


def beyond_limits(manifest: Mapping[str, Any]) -> Iterator[str]:
    """What no schema counts: how deep and how large a twin is, and how long createOptions are in all."""
    for name, module in manifest["modulesContent"].items():
        twin = module["properties.desired"]
        if depth(twin) > DEEPEST:
            yield f"{name}: its twin is {depth(twin)} deep"
        if len(json.dumps(twin)) > LARGEST_TWIN:
            yield f"{name}: its twin is larger than 32 KB"
    for name, module in modules(manifest).items():
        if len(options_text(module)) > LARGEST_OPTIONS:
            yield f"{name}: its createOptions are longer than 4 KB"


def modules(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The modules by name, the system's first."""
    agent = manifest["modulesContent"]["$edgeAgent"]["properties.desired"]
    return {**agent["systemModules"], **agent["modules"]}


def options_text(module: Mapping[str, Any]) -> str:
    """createOptions as the engine will get them, whether in one piece, in chunks or still an object."""
    settings = module["settings"]
    parts = [settings[key] for key in sorted(settings) if key.startswith("createOptions")]
    return "".join(part if isinstance(part, str) else json.dumps(part, separators=(",", ":")) for part in parts)


def twin_of(manifest: Mapping[str, Any], module: str = "nestor") -> dict[str, Any]:
    """The desired properties of a module."""
    return dict(manifest["modulesContent"][module]["properties.desired"])


def depth(value: object) -> int:
    """How many objects lie in each other, at most."""
    return 1 + max(map(depth, value.values()), default=0) if isinstance(value, Mapping) else 0
