"""Which admitted requests an operator has to approve first (design D8). Pure."""

from nestor.access.case import Case
from nestor.approval import ApprovalAnswer, ApprovalRules, ApprovalScope
from nestor.model import Method


def needs_approval(case: Case, rules: ApprovalRules) -> bool:
    """Whether the path asks for approval of such a request.

    Only a certificate of ours says that it is the device itself that renews: a password may be anybody's.
    """
    if rules.answer is ApprovalAnswer.NONE:
        return False
    new = case.requester.method is not Method.CERTIFICATE
    match rules.scope:
        case ApprovalScope.NEW_DEVICES:
            return new
        case ApprovalScope.NEW_PROFILES:
            return new or not case.standing.held
        case ApprovalScope.EVERYTHING:
            return True
