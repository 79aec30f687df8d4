"""What the tests of the example programs share is in `example_programs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
