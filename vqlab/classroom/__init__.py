"""Labs as classroom assignments: release, collect, grade.

A round of grading, `grade`, takes each hand-in through: collect, find it · reading and slicing, what of it counts ·
sandbox and walls, let its code answer questions in a process of its own · judge, compare the answers here · record,
remember that · report, pages, exports, overview, what teachers and students get to see.
"""
