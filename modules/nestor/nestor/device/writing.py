"""A plan as config.toml; `check.py` finds nothing wrong with what is written here: a test holds it to that. Pure."""

import json
from collections.abc import Iterator, Mapping

from nestor.device.plan import DPS, Hub, Plan, Renewing
from nestor.device.provisioning import GLOBAL_ENDPOINT

Value = str | bool | list[str]


def write_config(plan: Plan) -> str:
    """The whole config.toml of a device, as far as it bears on certificates."""
    blocks = [*_top(plan), *_provisioning(plan), *_edge_ca(plan), *_est(plan)]
    return "\n".join(f"{block}\n" for block in blocks)


def _top(plan: Plan) -> Iterator[str]:
    said: dict[str, Value] = {}
    if plan.hostname is not None:
        said["hostname"] = plan.hostname
    if plan.parent_hostname is not None:
        said["parent_hostname"] = plan.parent_hostname
        if plan.ca_file is not None:
            said["trust_bundle_cert"] = plan.ca_file.as_uri()
    if said:
        yield "\n".join(_lines(said))


def _provisioning(plan: Plan) -> Iterator[str]:
    match plan.provisioning:
        case DPS(id_scope=scope):
            yield _table("provisioning", {"source": "dps", "global_endpoint": GLOBAL_ENDPOINT, "id_scope": scope})
            yield from _proof("provisioning.attestation", plan, {"registration_id": plan.device})
        case Hub(hostname=hub):
            yield _table("provisioning", {"source": "manual", "iothub_hostname": hub, "device_id": plan.device})
            yield from _proof("provisioning.authentication", plan, {})


def _proof(path: str, plan: Plan, said: Mapping[str, Value]) -> Iterator[str]:
    """How the device proves itself: by a certificate from the EST server, or by its symmetric key."""
    by_dps = isinstance(plan.provisioning, DPS)
    if plan.device_key is not None:
        method, key = ("symmetric_key", "symmetric_key") if by_dps else ("sas", "device_id_pk")
        yield _table(path, {"method": method, **said})
        yield _table(f"{path}.{key}", {"value": plan.device_key})
        return
    yield _table(path, {"method": "x509", **said})
    yield _table(f"{path}.identity_cert", {"method": "est", "common_name": plan.device, **_url(plan.identity_url)})
    if by_dps:
        yield _renewal(f"{path}.identity_cert.auto_renew", plan.renewing)


def _edge_ca(plan: Plan) -> Iterator[str]:
    if plan.edge_ca:
        yield _table("edge_ca", {"method": "est", **_url(plan.edge_ca_url)})
        yield "# Every renewal of the Edge CA restarts all modules.\n" + _renewal("edge_ca.auto_renew", plan.renewing)


def _est(plan: Plan) -> Iterator[str]:
    if plan.device_key is not None and not plan.edge_ca:
        return
    if plan.ca_file is not None:
        yield _table("cert_issuance.est", {"trusted_certs": [plan.ca_file.as_uri()]})
    auth: dict[str, Value] = {}
    if plan.login is not None:
        auth |= {"username": plan.login.user, "password": plan.login.password}
    if plan.bootstrap is not None:
        auth["bootstrap_identity_cert"] = plan.bootstrap.certificate.as_uri()
        auth["bootstrap_identity_pk"] = plan.bootstrap.key.as_uri()
    yield _table("cert_issuance.est.auth", auth)
    if plan.bootstrap is not None:
        yield _renewal("cert_issuance.est.identity_auto_renew", plan.renewing)
    yield _table("cert_issuance.est.urls", {"default": plan.url})


def _renewal(path: str, renewing: Renewing) -> str:
    rotate, threshold, retry = renewing.rotate_key, renewing.threshold, renewing.retry
    return _table(path, {"rotate_key": rotate, "threshold": threshold, "retry": retry})


def _url(url: str | None) -> dict[str, Value]:
    """A URL in the table of its certificate, where renewals find it too."""
    return {} if url is None else {"url": url}


def _table(path: str, said: Mapping[str, Value]) -> str:
    return "\n".join([f"[{path}]", *_lines(said)])


def _lines(said: Mapping[str, Value]) -> list[str]:
    return [f"{key} = {_written(value)}" for key, value in said.items()]


def _written(value: Value) -> str:
    """A value as TOML: its basic strings are those of JSON, but for one control character that JSON lets pass."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
