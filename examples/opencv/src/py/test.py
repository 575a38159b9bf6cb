"""Is OpenCV there, and which one?"""

import cv2

print("OpenCV", cv2.__version__)
