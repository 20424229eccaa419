"""Which requests an operator has to approve first, by the scope of the path and who asks."""

from dataclasses import replace

import pytest

from nestor.access.approval import needs_approval
from nestor.access.case import open_case
from nestor.approval import ApprovalAnswer, ApprovalRules, ApprovalScope
from nestor.model import Method, Operation, Standing
from support.asking import NOW, bootstrap_requester, csr, password_requester, traits

BY_CERTIFICATE = replace(password_requester(), method=Method.CERTIFICATE)
WHO = {"password": password_requester(), "factory": bootstrap_requester(), "own": BY_CERTIFICATE}
SCOPES = {
    ApprovalScope.NEW_DEVICES: {"password", "factory", "password held", "factory held"},
    ApprovalScope.NEW_PROFILES: {"password", "factory", "own", "password held", "factory held"},
    ApprovalScope.EVERYTHING: {"password", "factory", "own", "password held", "factory held", "own held"},
}


@pytest.mark.parametrize("answer", ApprovalAnswer)
@pytest.mark.parametrize("scope", ApprovalScope)
@pytest.mark.parametrize("held", [False, True], ids=["", "held"])
@pytest.mark.parametrize("who", WHO)
def test_what_has_to_be_approved_is_what_the_scope_says_and_nothing_where_no_approval_is_asked_for(
    answer: ApprovalAnswer, scope: ApprovalScope, who: str, held: bool
) -> None:
    case = open_case(
        requester=WHO[who],
        csr=csr("dev1"),
        profile=traits("deviceIdentity"),
        operation=Operation.SIMPLE_ENROLL,
        standing=Standing(held=held),
        now=NOW,
    )
    wanted = answer is not ApprovalAnswer.NONE and f"{who} {'held' * held}".strip() in SCOPES[scope]
    assert needs_approval(case, ApprovalRules(answer, scope)) is wanted
