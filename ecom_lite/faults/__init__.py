"""An older name of `ecom_lite.harness`, kept for `python -m ecom_lite.faults`."""
