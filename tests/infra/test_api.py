"""The REST API and the functions behind it."""

import json

import pytest

from chatconnect.http.snapshots import AFTER_PATH, BEFORE_PATH
from tests.infra.conftest import Assembly, Resource


def methods(assembly: Assembly) -> dict[str, Resource]:
    """Map "POST /v1/chat" to its method."""
    resources = {r.id: r.properties for r in assembly.all("AWS::ApiGateway::Resource")}

    def path(reference: dict[str, object]) -> str:
        if "Ref" not in reference:
            return ""
        part = resources[str(reference["Ref"])]
        return f"{path(part['ParentId'])}/{part['PathPart']}"

    return {
        f"{m.properties['HttpMethod']} {path(m.properties['ResourceId']) or '/'}": m
        for m in assembly.all("AWS::ApiGateway::Method")
    }


def uri(method: Resource) -> str:
    return json.dumps(method.properties["Integration"]["Uri"])


@pytest.mark.parametrize(
    "route",
    ["POST /v1/chat", "POST /v1/chat/stream", "GET /v1/chat/stream/{message_id}", "POST /v1/chat/{message_id}/cancel"],
)
def test_answers_stream_for_up_to_five_minutes(prod: Assembly, route: str) -> None:
    method = methods(prod)[route]

    assert "2021-11-15/functions/" in uri(method)
    assert "/response-streaming-invocations" in uri(method)
    assert method.properties["Integration"]["ResponseTransferMode"] == "STREAM"
    assert method.properties["Integration"]["TimeoutInMillis"] == 300_000


def test_the_emulator_gets_a_buffered_chat_route_because_it_cannot_stream(local: Assembly) -> None:
    method = methods(local)["POST /v1/chat/stream"]
    chat = local.one("AWS::Lambda::Function", FunctionName="chatconnect-local-chat").properties

    assert "2015-03-31/functions/" in uri(method)
    assert chat["Handler"] == "functions.chat.handler.handler"


def test_nothing_on_the_way_holds_a_stream_back(prod: Assembly) -> None:
    api = prod.one("AWS::ApiGateway::RestApi").properties

    assert api["EndpointConfiguration"]["Types"] == ["REGIONAL"]
    assert "MinimumCompressionSize" not in api


def test_the_chat_function_runs_its_server_under_the_web_adapter(prod: Assembly) -> None:
    chat = prod.one("AWS::Lambda::Function", FunctionName="chatconnect-prod-chat").properties

    assert chat["Handler"] == "functions/chat/run.sh"
    assert chat["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/bootstrap"
    assert chat["Environment"]["Variables"]["AWS_LWA_INVOKE_MODE"] == "response_stream"
    assert "LambdaAdapterLayerArm64" in json.dumps(chat["Layers"])


def test_the_web_adapter_calls_the_chat_function_around_its_snapshot(prod: Assembly) -> None:
    chat = prod.one("AWS::Lambda::Function", FunctionName="chatconnect-prod-chat").properties

    assert chat["Environment"]["Variables"]["AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH"] == BEFORE_PATH
    assert chat["Environment"]["Variables"]["AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH"] == AFTER_PATH


@pytest.mark.parametrize("name", ["chat", "config", "widget_config"])
def test_http_functions_are_restored_from_a_snapshot(prod: Assembly, name: str) -> None:
    function = prod.one("AWS::Lambda::Function", FunctionName=f"chatconnect-prod-{name}")
    aliases = [json.dumps(a.properties["FunctionName"]) for a in prod.all("AWS::Lambda::Alias")]

    assert function.properties["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert any(function.id in alias for alias in aliases)


def test_preflight_requests_reach_the_function_that_knows_the_widget(prod: Assembly) -> None:
    routes = methods(prod)

    assert uri(routes["OPTIONS /v1/chat/stream"]) == uri(routes["POST /v1/chat/stream"])
    assert uri(routes["OPTIONS /v1/widgets/{key}/token"]) == uri(routes["POST /v1/widgets/{key}/token"])


def test_staff_routes_on_widgets_are_not_hidden_by_the_public_ones(prod: Assembly) -> None:
    routes = methods(prod)

    assert uri(routes["ANY /v1/widgets/{key}"]) == uri(routes["ANY /{proxy+}"])
    assert uri(routes["ANY /v1/widgets/{key}/{proxy+}"]) == uri(routes["ANY /{proxy+}"])
    assert uri(routes["ANY /v1/widgets"]) == uri(routes["ANY /{proxy+}"])


def test_the_api_is_throttled_logged_and_behind_a_firewall(prod: Assembly) -> None:
    stage = prod.one("AWS::ApiGateway::Stage").properties
    rules = [rule["Name"] for rule in prod.one("AWS::WAFv2::WebACL").properties["Rules"]]

    assert stage["MethodSettings"][0]["ThrottlingRateLimit"] == 1_000
    assert stage["MethodSettings"][0]["DataTraceEnabled"] is False
    assert "DestinationArn" in stage["AccessLogSetting"]
    assert "RequestsPerAddress" in rules
    assert len(prod.all("AWS::WAFv2::WebACLAssociation")) == 1


def test_what_the_gateway_answers_itself_can_be_read_by_websites_and_looks_like_our_errors(prod: Assembly) -> None:
    answers = {
        answer.properties["ResponseType"]: answer.properties for answer in prod.all("AWS::ApiGateway::GatewayResponse")
    }

    assert {"DEFAULT_4XX", "DEFAULT_5XX", "WAF_FILTERED", "THROTTLED"} <= set(answers)
    for answer in answers.values():
        headers = answer["ResponseParameters"]
        assert headers["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"
        template = answer["ResponseTemplates"]["application/json"]
        body = json.loads(template.replace("$context.error.messageString", '"Forbidden"'))
        assert set(body["error"]) == {"code", "message", "details", "trace_id"}
    assert answers["THROTTLED"]["ResponseParameters"]["gatewayresponse.header.Retry-After"] == "'1'"


def test_the_emulator_has_no_answers_of_its_own(local: Assembly) -> None:
    assert local.all("AWS::ApiGateway::GatewayResponse") == []


def test_only_the_config_function_sends_mail_and_from_one_address(prod: Assembly) -> None:
    told = {
        function.properties["FunctionName"]: function.properties["Environment"]["Variables"].get("MAIL_SENDER")
        for function in prod.functions()
    }
    allowed = [
        (policy.id.startswith("Config"), json.dumps(statement["Resource"]))
        for policy in prod.all("AWS::IAM::Policy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if "ses:SendEmail" in statement["Action"]
    ]

    assert {name: sender for name, sender in told.items() if sender} == {"chatconnect-prod-config": "chat@mail.example"}
    assert [of_config for of_config, _ in allowed] == [True] * len(allowed)
    named = " ".join(resource for _, resource in allowed)
    assert ":identity/chat@mail.example" in named
    assert ":identity/mail.example" in named
    assert "*" not in named
