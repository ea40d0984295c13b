"""The pages and the widget script, from a bucket behind CloudFront. Not part of `local`."""

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from constructs import Construct

from infra.bundling import Bundles
from infra.environments import Environment
from infra.nag import acknowledge, aws_policy, wildcard, wildcard_action


class WebStack(Stack):
    """Serves the built web files to anyone. They hold no secret, and any site may load the widget."""

    def __init__(self, scope: Construct, id_: str, *, environment: Environment, bundles: Bundles) -> None:
        super().__init__(scope, id_, stack_name=environment.named("web"))
        bucket = s3.Bucket(
            self,
            "Files",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            versioned=True,
            removal_policy=environment.removal_policy,
        )
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=environment.named("web"),
            default_root_object="index.html",
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(bucket),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                response_headers_policy=self._headers(environment),
                compress=True,
            ),
        )
        deployment.BucketDeployment(
            self,
            "Upload",
            sources=[deployment.Source.asset(str(bundles.site().path), asset_hash=bundles.site().hash)],
            destination_bucket=bucket,
            distribution=distribution,
            cache_control=[deployment.CacheControl.max_age(Duration.minutes(5))],
        )
        assets = f"arn:{self.partition}:s3:::cdk-hnb659fds-assets-{self.account}-{self.region}/*"
        acknowledge(
            self,
            {
                **_REASONS,
                wildcard(self, assets): "The files to copy are among CDK's assets.",
                wildcard(self, bucket.arn_for_objects("*")): "All files are written.",
            },
        )
        CfnOutput(self, "WebUrl", value=f"https://{distribution.distribution_domain_name}")

    def _headers(self, environment: Environment) -> cloudfront.ResponseHeadersPolicy:
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            response_headers_policy_name=environment.named("web"),
            cors_behavior=cloudfront.ResponseHeadersCorsBehavior(
                access_control_allow_credentials=False,
                access_control_allow_headers=["*"],
                access_control_allow_methods=["GET", "HEAD"],
                access_control_allow_origins=["*"],
                origin_override=True,
            ),
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.SAMEORIGIN, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.STRICT_ORIGIN_WHEN_CROSS_ORIGIN, override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=Duration.days(365), include_subdomains=True, override=True
                ),
            ),
        )


_REASONS = {
    "AwsSolutions-CFR1": "Visitors come from everywhere.",
    "AwsSolutions-CFR2": "Static files need no firewall; the API has one.",
    "AwsSolutions-CFR3": "Who loads the widget is counted by the API.",
    "AwsSolutions-CFR4": "CloudFront's own certificate fixes the protocol until a domain is attached.",
    "AwsSolutions-S1": "Who loads the widget is counted by the API.",
    aws_policy("AWSLambdaBasicExecutionRole"): "CDK's function that copies the files writes its logs.",
    **{
        wildcard_action(action): "CDK's function that copies the files reads its asset and writes this one bucket."
        for action in ("s3:GetBucket*", "s3:GetObject*", "s3:List*", "s3:DeleteObject*", "s3:Abort*")
    },
    "AwsSolutions-IAM5[Resource::*]": "CloudFront has no resource to name for an invalidation.",
    "AwsSolutions-L1": "CDK chooses the runtime of its function.",
}
