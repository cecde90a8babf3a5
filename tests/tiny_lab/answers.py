"""Lab 77: what students do write, right and wrong, and a word that the feedback on a wrong answer must contain."""


def times(factor):
    return lambda side: factor * side


RIGHT = {"area": [lambda side: side**2, lambda side: side * side]}

WRONG = {"area": [(times(4), "way around"), (times(2), "twice"), (times(1), "fails this test")]}
