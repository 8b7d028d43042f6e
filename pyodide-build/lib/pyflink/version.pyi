"""What a script asks of the JVM behind PyFlink: what can be answered without one is, and the rest is refused with a sentence that says what to use instead."""

from wasmill.jvm import (
    add_jars_to_context_class_loader as add_jars_to_context_class_loader,
    get_field_value as get_field_value,
    get_gateway as get_gateway,
    get_j_env_configuration as get_j_env_configuration,
    invoke_method as invoke_method,
    is_instance_of as is_instance_of,
    load_java_class as load_java_class,
    on_windows as on_windows,
    to_jarray as to_jarray,
)
