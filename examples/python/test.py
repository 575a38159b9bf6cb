"""Says hello, and by which Python."""

import platform

print("hello world")
print(f"from Python {platform.python_version()} on {platform.machine()}")
