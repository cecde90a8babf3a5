"""Labs as classroom assignments, on top of nbgrader: release, collect, grade.

Everything of a course lies in one folder, laid out as nbgrader expects it, so that its own commands work there too.
A round of grading, `grade`, takes each hand-in through: collect, find it · repair, put right what can be · run, in a
process of its own · judge, graded or not, and why · record, remember that · report, the table of marks.
"""
