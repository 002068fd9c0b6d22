"""dbt in this process, one run at a time: the marts follow the facts."""

from .runner import DbtRun, Transform, new_facts_exist

__all__ = ["DbtRun", "Transform", "new_facts_exist"]
