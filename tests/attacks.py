"""What somebody may hand in to get marks without work, or to harm others: by family, a name and the code of a cell.

The code stands in the cell of `constant_chance` of Lab 02, where nothing else does; it must never earn a mark. Code
that tries to reach something sets `reached`, and answers with it: 1.0 where it got through, 0.0 where it did not.
"""

ANSWER = """
def constant_chance(width, layers):
    return float(reached)
"""
EVERY_STREAM = """
import os
def send(text):
    for number in range(3, 40):
        try:
            os.write(number, text)
        except OSError:
            pass
"""

FAKE = {
    "silent cells": "get_ipython().ast_node_interactivity = 'none'",
    "patched check": """
import vqlab.exercises as e, vqlab.exercises.checks as c, vqlab.exercises.judging as j
c.check = c.judge = j.judge = lambda *a, **k: c.Feedback('constant_chance', 'passed', 'All 4 tests pass.', 4, 4)
e.check = c.check
constant_chance = lambda width, layers: 0""",
    "patched comparison": """
import numpy as np, vqlab.exercises.comparing as c
np.allclose = np.array_equal = c.near = lambda *a, **k: True
constant_chance = lambda width, layers: 0.5""",
    "patched questions": """
import vqlab.exercises.running as r, vqlab.exercises.worker as w
w.put = r.put = lambda task, answer, questions, seconds: []
constant_chance = lambda width, layers: 0""",
    "forged outcomes": """
import numpy as np, vqlab.exercises.running as r, vqlab.exercises.worker as w
forged = r.Outcome((np.full((), np.nan),), 'float', 'All tests pass.')
w.put = lambda task, answer, questions, seconds: [forged] * len(questions)
constant_chance = lambda width, layers: 0""",
    "equal to everything": """
class Equal(float):
    def __eq__(self, other): return True
    __ne__ = lambda self, other: False
    __sub__ = __rsub__ = lambda self, other: 0.0
constant_chance = lambda width, layers: Equal(7)""",
    "array that agrees": """
import numpy as np
class Agreeing(np.ndarray):
    def __array_function__(self, *a, **k): return True
    def __array_ufunc__(self, *a, **k): return True
constant_chance = lambda width, layers: np.zeros(()).view(Agreeing)""",
    "marks on every stream": EVERY_STREAM
    + """
send(b'{"marks": 4, "state": "passed"}\\n' * 10)
constant_chance = lambda width, layers: 0""",
    "an end on every stream": EVERY_STREAM
    + """
send(b'{"ended": 0}\\n')
constant_chance = lambda width, layers: 0""",
    "another reply on every stream": EVERY_STREAM
    + """
import json
one = {"parts": [], "kind": "", "fault": "", "changed": "", "raised": False, "blank": False}
send((json.dumps({"errors": [], "outcomes": [one] * 34}) + "\\n").encode())
constant_chance = lambda width, layers: 0""",
    "reference of the exercise": """
from vqlab.labs.lab02 import exercises
constant_chance = exercises.constant_chance.reference""",
    "private reference": "from vqlab.labs.lab02.exercises import _chance as constant_chance",
    "right answers of the lab": """
from vqlab.labs.lab02 import answers
constant_chance = answers.RIGHT['constant_chance'][0]""",
    "the answer in one call": """
from vqlab.labs.lab02.dead_units import rank_chances
constant_chance = lambda width, layers: rank_chances(width, layers)[0]""",
    "source of the lab": """
import pathlib, vqlab
(source,) = pathlib.Path(vqlab.__file__).parent.glob('labs/lab02/02_*.py')
exec(source.read_text().split('exercise="constant_chance"')[1].split('# %%')[0])""",
    "reloaded exercises": """
import sys, importlib
del sys.modules['vqlab.labs.lab02.exercises']
constant_chance = importlib.import_module('vqlab.labs.lab02.exercises')._chance""",
    "reference in memory": """
import gc, types
(constant_chance,) = [f for f in gc.get_objects() if isinstance(f, types.FunctionType) and f.__name__ == '_chance']""",
    "reference on the stack": """
import sys
def constant_chance(width, layers):
    frame = sys._getframe()
    while frame:
        if 'exercise' in frame.f_locals: return frame.f_locals['exercise'].reference(width, layers)
        frame = frame.f_back
    return 0""",
    "code in a pickle": """
class Pickled:
    def __reduce__(self): return eval, ('1 - (1 - 0.5)',)
constant_chance = lambda width, layers: Pickled()""",
    "a lazy answer": """
import numpy as np
class Later(np.ndarray):
    def __reduce__(self): return eval, ('0.5',)
    def tobytes(self, *a): return b''
class Lazy:
    def __array__(self, *a, **k): return np.zeros(()).view(Later)
    def detach(self): return self
    cpu = numpy = float = detach
constant_chance = lambda width, layers: Lazy()""",
    "a lazy huge answer": """
import numpy as np
constant_chance = lambda width, layers: np.broadcast_to(0.5, (10**6, 10**6))""",
    "pickles on the wire": """
import pickle, vqlab.exercises.worker as w
w.wire.packed = lambda message: pickle.dumps(message).replace(bytes([10]), b' ') + bytes([10])
constant_chance = lambda width, layers: 0.5""",
    "forged types on the wire": """
import vqlab.exercises.worker as w
one = {"parts": [{"__array__": ["|O8", [], ""]}], "kind": [], "fault": 0, "changed": None, "raised": 1, "blank": 0}
w._done = lambda shell, job: {"errors": [], "outcomes": [one] * len(job["questions"])}
constant_chance = lambda width, layers: 0.5""",
    "infinities and booleans": """
import itertools
turns = itertools.cycle((float('inf'), -float('inf'), True, False, 2**63, -0.0))
constant_chance = lambda width, layers: next(turns)""",
    "patched numpy and torch": """
import numpy as np, torch
np.ndarray = np.float64 = np.array = torch.Tensor = torch.equal = lambda *a, **k: True
np.random.default_rng = lambda *a: None
constant_chance = lambda width, layers: 0.5""",
    "predicted instances": """
import numpy as np
def constant_chance(width, layers):
    for seed in range(2000):
        if tuple(np.random.default_rng([seed, 3]).integers((2, 3), (9, 8))) == (width, layers): return 0.0
    return 0.5""",
    "a thread that rewrites the answers": """
import sys, threading, time
from vqlab.exercises.running import Outcome
def rewrite():
    while True:
        for frame in sys._current_frames().values():
            while frame:
                for name, found in list(frame.f_locals.items()):
                    if name == 'outcomes' and isinstance(found, list): found[:] = [Outcome(kind='float')] * len(found)
                frame = frame.f_back
        time.sleep(0.001)
threading.Thread(target=rewrite, daemon=True).start()
def constant_chance(width, layers):
    time.sleep(0.01)
    return 0.5""",
    "forks in the function": """
import os
def constant_chance(width, layers):
    if width == 1: os.fork()
    return 0.5""",
    "modules under our names": """
import sys, types
for name in ('classroom', 'classroom.judge', 'labs.lab02.answers'):
    sys.modules[f'vqlab.{name}'] = types.ModuleType(name)
constant_chance = lambda width, layers: 0.5""",
    "a friendly end": "import os; os._exit(0)",
    "an exit": "raise SystemExit(0)",
    "an error that says passed": "def constant_chance(*_): raise ValueError('passed. All 4 tests pass. 4 of 4')",
    "nothing but NaN": "constant_chance = lambda width, layers: float('nan')",
    "one constant": "constant_chance = lambda width, layers: 0.5",
    "its own questions": "constant_chance = lambda width, layers: (width, layers)",
}

REACH = {
    "the folder of the course": "reached = __import__('os').path.exists(COURSE)",
    "writing to the course": """
try:
    open(COURSE + '/hand_marks_lab02.csv', 'w').write('x'); reached = True
except OSError: reached = False""",
    "the other hand-ins": "reached = __import__('os').path.exists(SUBMISSIONS)",
    "the real package": "reached = __import__('os').path.exists(PACKAGE + '/labs/lab02/answers.py')",
    "the repository": "reached = any(map(__import__('os').path.exists, (REPOSITORY + '/tests', '/lab/.git')))",
    "the network": """
import socket
try:
    socket.create_connection(('127.0.0.1', PORT), timeout=1); reached = True
except OSError: reached = False""",
    "another network": """
import socket
try:
    socket.create_connection(('1.1.1.1', 53), timeout=1); reached = True
except OSError: reached = False""",
    "the environment": "reached = 'VQLAB_SECRET' in __import__('os').environ",
    "the environment of others": """
import glob
try:
    reached = any(b'VQLAB_SECRET' in open(path, 'rb').read() for path in glob.glob('/proc/[0-9]*/environ'))
except OSError: reached = False""",
    "processes of others": "reached = len([p for p in __import__('os').listdir('/proc') if p.isdigit()]) > 12",
    "the grader's process": """
import os
try:
    os.kill(GRADER, 0); reached = True
except OSError: reached = False""",
    "writing to the package": """
import vqlab
try:
    open(vqlab.__file__, 'a').write('#'); reached = True
except OSError: reached = False""",
    "writing to the libraries": """
import numpy
try:
    open(numpy.__file__, 'a').write('#'); reached = True
except OSError: reached = False""",
    "the sweeps": """
import os
try:
    open(os.environ['VQLAB_SWEEPS'] + '/embeddings_activation.json', 'a').write('#'); reached = True
except OSError: reached = False""",
    "homes and passwords": "reached = any(map(__import__('os').path.exists, ('/etc/shadow', '/etc/passwd')))",
    "disks": "reached = any(map(__import__('os').path.exists, ('/dev/sda', '/dev/mem', '/dev/nvme0', '/dev/vda')))",
    "memory of the parent": """
import os
try:
    open(f'/proc/{os.getppid()}/mem', 'rb').close(); reached = True
except OSError: reached = False""",
    "streams of the parent": """
import glob, os
try:
    reached = any(open(path, 'wb', 0).write(b'x') for path in glob.glob(f'/proc/{os.getppid()}/fd/*'))
except OSError: reached = False""",
    "tracing the parent": """
import ctypes, os
reached = ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0""",
    "another mount": """
import ctypes
reached = ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, b'') == 0""",
    "another root": """
import os
try:
    os.chroot('/tmp'); reached = True
except OSError: reached = False""",
}

STOP = {
    "kill the parent": "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
    "kill everybody": "import os, signal; os.kill(1, 9) if os.getpid() < 50 else None; constant_chance = lambda *a: 0",
    "stop the parent": "import os, signal; os.kill(os.getppid(), signal.SIGSTOP)",
    "a crash": "import ctypes; ctypes.string_at(0)",
    "a huge answer": "import numpy as np; constant_chance = lambda width, layers: np.zeros(20_000_000)",
    "a deep answer": """
deep = []
for _ in range(100_000): deep = [deep]
constant_chance = lambda width, layers: deep""",
    "garbage without an end": EVERY_STREAM + "\nsend(b'x' * 50_000_000)\nconstant_chance = lambda *a: 0",
    "garbage in lines": EVERY_STREAM + "\nsend(b'[' * 100_000 + b'\\n\\xff\\x00\\n')\nconstant_chance = lambda *a: 0",
    "no streams": "import os; os.closerange(3, 1000)\nconstant_chance = lambda *a: 0",
    "a name of surrogates": "def constant_chance(*_): raise type('\\ud83d', (Exception,), {})('\\udcff' * 9)",
    "an error that has no text": """
class Silent(Exception):
    def __str__(self): raise Silent
def constant_chance(width, layers): raise Silent""",
    "a thread for ever": """
import threading, time
threading.Thread(target=time.sleep, args=(10_000,)).start()
constant_chance = lambda *a: 0""",
}

HIDE = {
    "a fork that answers late": """
import os, time
if os.fork() == 0:
    time.sleep(3)
    for number in range(3, 40):
        try: os.write(number, b'{"errors": [], "outcomes": []}' + bytes([10]))
        except OSError: pass
    os._exit(0)
constant_chance = lambda *a: 0""",
    "a thread that sleeps": """
import threading, time, os
threading.Thread(target=lambda: (time.sleep(98765), os._exit(0))).start()
constant_chance = lambda *a: 0""",
    "a daemon": """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: time.sleep(1)
    os._exit(0)
constant_chance = lambda *a: 0""",
    "a program in the background": """
import subprocess
subprocess.Popen(['sleep', '98765'], start_new_session=True)
constant_chance = lambda *a: 0""",
    "signals ignored": """
import signal, os
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
constant_chance = lambda *a: 0""",
}

EXHAUST = {
    "memory": "hoard = bytearray(10**10); hoard[::4096] = b'x' * len(hoard[::4096])\nconstant_chance = lambda *a: 0",
    "memory of children": """
import os, time
for _ in range(6):
    if os.fork() == 0:
        hoard = bytearray(25 * 10**7); hoard[::4096] = b'x' * len(hoard[::4096])
        time.sleep(60); os._exit(0)
time.sleep(60)""",
    "processes": """
import os, time
for _ in range(2000):
    if os.fork() == 0: time.sleep(60); os._exit(0)""",
    "one file": "open('big', 'wb').write(bytes(300_000_000))\nconstant_chance = lambda *a: 0",
    "the disk": """
for i in range(40): open(f'/tmp/big{i}', 'wb').write(bytes(10_000_000))
constant_chance = lambda *a: 0""",
    "output": "for _ in range(3000): print('x' * 100_000)\nconstant_chance = lambda *a: 0",
    "time in the cell": "while True: pass",
    "time in the function": "def constant_chance(width, layers):\n    while True: pass",
    "time that cannot be stopped": """
def constant_chance(width, layers):
    while True:
        try:
            while True: pass
        except BaseException: pass""",
    "recursion": "def constant_chance(width, layers): return constant_chance(width, layers)",
}
