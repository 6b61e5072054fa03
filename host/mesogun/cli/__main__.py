"""`python -m mesogun.cli`: the command where no script is installed."""

import sys

from mesogun.cli import main

sys.exit(main())
