"""What scripts import of Py4J, PyFlink's bridge to the JVM: mostly to catch the error of a job that failed."""

from .datastream.environment import JobFailed as Py4JJavaError
from .jvm import JavaObject, Py4JError

__all__ = ["JavaObject", "Py4JError", "Py4JJavaError"]
