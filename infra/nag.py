"""cdk-nag: findings that are right for us, each with the reason."""

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct


def acknowledge(scope: IConstruct, reasons: dict[str, str]) -> None:
    """Accept the findings named in `reasons` (finding -> why) for `scope` and all that is below it."""
    Validations.of(scope).acknowledge(*(Acknowledgment(id=finding, reason=why) for finding, why in reasons.items()))


def aws_policy(name: str) -> str:
    """Return the finding about the use of a policy written by AWS."""
    return f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/{name}]"


def wildcard(scope: IConstruct, resource: str) -> str:
    """Return the finding about a policy on `resource`, an ARN with an asterisk that may hold references."""
    return f"AwsSolutions-IAM5[Resource::{_spelled(Stack.of(scope).resolve(resource))}]"


def wildcard_action(action: str) -> str:
    """Return the finding about a policy with an asterisk in an action."""
    return f"AwsSolutions-IAM5[Action::{action}]"


def _spelled(value: object) -> str:
    """Write CloudFormation's references the way cdk-nag does: `<Name>`, `<Name.Attribute>`."""
    match value:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, list(parts)]}:
            return str(separator).join(_spelled(part) for part in parts)
        case _:
            return str(value)
