"""What a job asks of the JVM, and gets an answer to that says what to use instead."""

from wasmill.jvm import (
    get_gateway as get_gateway,
    get_j_env_configuration as get_j_env_configuration,
    load_java_class as load_java_class,
    to_jarray as to_jarray,
)
