"""Functions are plain functions: they are tested as such, without a sandbox."""

import unittest

import clean


class TestClean(unittest.TestCase):
    flight = {"carrier": "UA", "origin": "EWR", "dest": "IAH", "dep_delay": 20, "arr_delay": 5}

    def test_map(self):
        self.assertEqual(clean.map(self.flight), {"airline": "United", "route": "EWR-IAH", "late": True, "made_up": 15})

    def test_filter(self):
        self.assertTrue(clean.filter(self.flight))
        self.assertFalse(clean.filter({"dep_delay": None}))


if __name__ == "__main__":
    unittest.main()
