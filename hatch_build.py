"""A step of building the package: the dashboard's pages come along, built from the sources that are packed with them."""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

DASHBOARD = "src/contexten/dashboard"
WITHOUT = "CONTEXTEN_WITHOUT_DASHBOARD"


class DashboardHook(BuildHookInterface):
    """Puts the built pages into the package, and refuses to pack none or old ones."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Look before anything is packed."""
        if version == "editable" or os.environ.get(WITHOUT):
            return
        state = bundle_state(Path(self.root))
        if state != "ready":
            raise RuntimeError(
                f"The dashboard's pages are {state}. Build them first: make dashboard. "
                f"Or leave the dashboard out: {WITHOUT}=1"
            )
        build_data["artifacts"].append(f"/{DASHBOARD}/web/")


def bundle_state(root: Path) -> str:
    """What the package itself says of its pages; asked without importing the package, which needs others."""
    spec = spec_from_file_location("bundle", root / DASHBOARD / "hosting" / "bundle.py")
    module = module_from_spec(spec)
    sys.modules["bundle"] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module.Bundle().state
