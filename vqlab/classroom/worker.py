"""Grade one submission in a process of its own, so that whatever it does ends with it.

    python -m vqlab.classroom.worker COURSE LAB STUDENT GIGABYTES

Run by `grade`, which sets the time limit. Exit status 0: nbgrader has stored marks and feedback; 1: it could not.
"""

import sys
from pathlib import Path

from vqlab.classroom.course import Course, assignment


def main(folder: str, lab: str, student: str, gigabytes: str) -> int:
    """Autograde and write feedback, with at most so much memory for every process of the submission."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config, PyFileConfigLoader

    _limit_memory(float(gigabytes))
    course, one = Course(Path(folder)), assignment(lab)
    config = Config(PyFileConfigLoader("nbgrader_config.py", path=folder).load_config())
    config.CourseDirectory.root = folder
    api = NbGraderAPI(config=config)
    graded = api.autograde(one.name, student, force=True)
    if not graded["success"]:
        print(graded.get("log") or graded.get("error"), file=sys.stderr)
        return 1
    written = api.generate_feedback(one.name, student, force=True)
    print(written.get("log", ""), file=sys.stderr)
    return 0 if written["success"] and course.release(one).exists() else 1


def _limit_memory(gigabytes: float) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit; its submissions share the machine's memory
        return
    limit = int(gigabytes * 1e9)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
