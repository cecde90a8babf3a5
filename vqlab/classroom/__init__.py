"""Labs as classroom assignments, on top of nbgrader: release, collect, grade, and the teacher's pack.

Everything of a course lies in one folder, laid out as nbgrader expects it, so that its own commands work there too.
"""
