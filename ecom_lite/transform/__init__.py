"""dbt in this process, one run at a time: the marts follow the facts."""

from .runner import DbtRun, Transform, many_facts_wait, new_facts_exist
from .select import model_names, require_known
from .timetable import add_runs

__all__ = ["DbtRun", "Transform", "add_runs", "many_facts_wait", "model_names", "new_facts_exist", "require_known"]
