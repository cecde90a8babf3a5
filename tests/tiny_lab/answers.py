"""Lab 77: what students do write, right and wrong, and a word that the feedback on a wrong answer must contain."""


def times(factor):
    return lambda side: factor * side


RIGHT = {
    "area": [
        lambda side: side**2,
        lambda side: side * side,
        lambda side: float(side) ** 2,
        lambda side: pow(side, 2),
        lambda side: sum(side for _ in range(side)),
        lambda side: sum(2 * i + 1 for i in range(side)),
        lambda side: abs(side) * abs(side),
        lambda side: [side * side][0],
        lambda side: (side + 1) * (side - 1) + 1,
        lambda side: side**3 / side,
        lambda side: len([(x, y) for x in range(side) for y in range(side)]),
    ]
}

WRONG = {"area": [(times(4), "way around"), (times(2), "twice"), (times(1), "fails this test")]}
