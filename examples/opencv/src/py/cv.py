"""Draws a picture, writes it, reads it back and finds the circle in it."""

from pathlib import Path

import cv2
import numpy as np

out = Path("out")
out.mkdir(exist_ok=True)
file = out / "circle.png"

picture = np.zeros((240, 320, 3), dtype=np.uint8)
cv2.circle(picture, (160, 120), 80, (40, 160, 240), thickness=-1)
cv2.putText(picture, "gitlab-burst", (80, 225), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 2)
cv2.imwrite(str(file), picture)

again = cv2.imread(str(file))
assert again is not None and again.shape == (240, 320, 3), "the picture came back different"
bright = cv2.countNonZero(cv2.cvtColor(again, cv2.COLOR_BGR2GRAY))
print(f"{file}: {again.shape[1]} x {again.shape[0]}, {bright} pixels drawn")
