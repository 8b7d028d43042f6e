"""What a job asks of the JVM, and gets an answer to that says what to use instead."""

__all__ = ["get_gateway", "get_j_env_configuration", "load_java_class", "to_jarray"]

__version__ = "1.20.1"  # of PyFlink, whose API this is


def get_gateway():
    """Refuses: there is no JVM."""
    raise TypeError("there is no JVM behind wasmill, so that Java classes cannot be used; the DataStream API needs none")


def load_java_class(class_name):
    """Refuses: there is no JVM."""
    get_gateway()


def get_j_env_configuration(environment):
    """Returns the environment's settings."""
    return environment._configuration


def to_jarray(j_type, arr):
    """Returns the list as it is."""
    return list(arr)
