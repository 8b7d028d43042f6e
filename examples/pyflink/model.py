"""A model small enough to read: logistic regression over named features. The jobs beside it import it."""

import math


class Model:
    def __init__(self, bias, weights, version=0):
        self.bias, self.weights, self.version = bias, weights, version

    def predict(self, features):
        """Returns the probability, from 0 to 1."""
        score = self.bias + sum(weight * features[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-score))
