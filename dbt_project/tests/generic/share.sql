{# A part of a whole is never below 0 nor above 1. #}
{% test share(model, column_name) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} not between 0 and 1
{% endtest %}
