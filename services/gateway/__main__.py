"""`python -m services.gateway api|worker|migrate`; without a word, api and worker together."""

import sys

from services.gateway.bootstrap import PROCESS

if __name__ == "__main__":
    PROCESS.main(sys.argv[1:])
