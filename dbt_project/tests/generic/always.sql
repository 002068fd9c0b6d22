{# A condition that holds in every row. Where it is unknown (a null in it), it is not broken. #}
{% test always(model, holds) %}
select *
from {{ model }}
where not ({{ holds }})
{% endtest %}
