"""`python -m ecom_lite`: the command line."""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while modules are still imported ends it without a traceback
    from .cli import main

    main()
